import { describe, expect, test } from 'vitest';
import { AgentPane } from '../../../source/app/components/agent-pane.js';
import { DialogProvider } from '../../../source/app/components/dialogs.js';
import { KeyHints, StepsLine } from '../../../source/app/components/page-frame.js';
import { StatusBar } from '../../../source/app/components/status-bar.js';
import { PlayedRun, start, tasks } from '../../whole-app/harness.js';
import { show } from './rig.js';

describe('the run in lines', () => {
  const run = new PlayedRun(tasks, 2);

  test.each([200, 80, 40, 30])('the status fits %i columns, the most important first', (cols) => {
    const { frame } = show(
      <StatusBar state={run.state()} now={start + 65_000} width={cols} />,
      cols,
    );
    // What there is none of is not told, and the cost always is.
    expect(frame()).toMatch(/2 working/);
    expect(frame()).not.toMatch(/done|failed/);
    expect(frame()).toMatch(cols >= 80 ? /2 working +○ 1 queued.*running/ : /\$0\.0000/);
    if (cols >= 80) expect(frame()).toMatch(/running · \$0\.0000 · 1:05/);
  });

  test('steps and hints give way, help stays', () => {
    expect(show(<StepsLine context="prd" width={80} />).frame()).toContain('✓ Change');
    expect(show(<StepsLine context="prd" width={30} />).frame()).toContain('2/6 PRD');
    const hints = show(
      <DialogProvider>
        <KeyHints
          actions={{
            'run.type': { run: () => {}, refusal: 'it has ended' },
            'run.zoom': { run: () => {} },
            'run.kill': { run: () => {} },
          }}
          names={['run.type', 'run.zoom', 'run.kill']}
          width={16}
        />
      </DialogProvider>,
    );
    expect(hints.frame()).toContain('? help  z zoom');
    expect(hints.frame()).not.toContain('kill');
  });

  test.each([100, 60, 40, 30])(
    'a pane of %i columns: exact borders, the state in words',
    (width) => {
      const state = run.state();
      const { frame } = show(
        <AgentPane
          state={state}
          agent={state.agents[2] as never}
          rect={{ x: 0, y: 0, width, height: 8 }}
          view={null}
          scrolled={false}
          focused
          typing={false}
          now={start}
          note=""
        />,
        width,
        8,
      );
      const rows = frame().split('\n');
      expect(rows.length).toBe(8);
      expect(rows[0]).toMatch(/^╭─.*3.*queued.*─╮$/);
      expect(rows.at(-1)).toMatch(/^╰─+╯$/);
      for (const row of rows) expect([...row].length).toBe(width);
      expect(frame()).toContain('Waits for T1, T2.');
    },
  );
});
