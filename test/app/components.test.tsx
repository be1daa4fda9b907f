import { stripVTControlCharacters } from 'node:util';
import { Box } from 'ink';
import { render } from 'ink-testing-library';
import type { ReactNode } from 'react';
import { describe, expect, test, vi } from 'vitest';
import type { Scope } from '../../source/app/actions.js';
import { AgentPane } from '../../source/app/components/agent-pane.js';
import { type Dialog, DialogProvider, useDialogs } from '../../source/app/components/dialogs.js';
import { KeyHints, StepsLine } from '../../source/app/components/page-frame.js';
import { ScrollText } from '../../source/app/components/scroll-text.js';
import { StatusBar } from '../../source/app/components/status-bar.js';
import { TextArea } from '../../source/app/components/text-area.js';
import { SecretField, TextField } from '../../source/app/components/text-field.js';
import { makeKeymap } from '../../source/app/keymap.js';
import { EnvironmentProvider, type Surface } from '../../source/app/surface.js';
import { FocusStack } from '../../source/app/terminal/focus-stack.js';
import type { Rect } from '../../source/app/terminal/painter.js';
import { insert, type TextBuffer, textBuffer } from '../../source/app/text/text-buffer.js';
import { eventually } from '../eventually.js';
import { PlayedRun, start, tasks } from './harness.js';

/** What a component sees of the terminal, played by hand. */
class PlayedSurface implements Surface {
  readonly focus = new FocusStack();
  holes: readonly Rect[] = [];
  ink: (bytes: string) => void = () => {};

  constructor(
    readonly cols: number,
    readonly rows: number,
  ) {}

  private readonly current = { cols: 80, rows: 24 };
  size() {
    return Object.assign(this.current, { cols: this.cols, rows: this.rows });
  }
  onSize = () => () => {};
  setRaw() {}
  typeIntoInk(bytes: string) {
    this.ink(bytes);
  }
  setPane() {}
  removePane() {}
  setHole(_id: string, hole: Rect | null) {
    this.holes = hole ? [hole] : [];
  }
  paneChanged() {}
  setTitle() {}
  ring() {}
  copy = async () => 'Copied.';
  suspend() {}
  shell = () => '/bin/sh';
  showDiff = async () => 0;
  runProgram = async () => 0;
}

function show(node: ReactNode, cols = 80, rows = 24) {
  const surface = new PlayedSurface(cols, rows);
  const environment = {
    surface,
    keymap: makeKeymap(),
    theme: { colour: false, unicode: true },
    now: () => start,
  };
  const app = render(
    <EnvironmentProvider value={environment}>
      <Box width={cols} height={rows}>
        {node}
      </Box>
    </EnvironmentProvider>,
  );
  surface.ink = (bytes) => app.stdin.write(bytes);
  const key = async (name: string, text = '') => {
    surface.focus.ask((handler) => handler.key({ name, text, sequence: text }));
    // React renders, and runs its effects, in turns of their own.
    for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate);
  };
  const type = (text: string) => key(text, text);
  const frame = () => stripVTControlCharacters(app.lastFrame() ?? '');
  return {
    surface,
    key,
    type,
    frame,
    shows: async (text: string | RegExp) => {
      await eventually(() => expect(frame()).toMatch(text));
      // What is shown may not listen yet.
      for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate);
    },
  };
}

describe('fields', () => {
  test.each(['esc', 'ctrl+c'])('%s gives a field up, and nothing more', async (name) => {
    const onCancel = vi.fn();
    const field = show(<TextField width={40} onDone={() => {}} onCancel={onCancel} />);
    await field.type('a');
    await field.shows('a');
    await field.key(name);
    expect(onCancel).toHaveBeenCalledTimes(1);
  });

  test('one line: typed, taken back by whole characters, cleared, done', async () => {
    const onDone = vi.fn();
    const field = show(<TextField width={40} onDone={onDone} onCancel={() => {}} />);
    await field.type('ab👍');
    await field.shows('ab👍');
    await field.key('backspace');
    await field.shows(/^ab\s*$/);
    await field.key('left');
    await field.type('x');
    await field.shows('axb');
    // The letter of a control key is not typed.
    await field.key('ctrl+x');
    expect(field.frame().trim()).toBe('axb');
    await field.key('enter');
    expect(onDone).toHaveBeenCalledWith('axb');
    await field.key('end');
    await field.key('ctrl+u');
    await eventually(() => expect(field.frame().trim()).toBe(''));
  });

  test('one line: a secret is not shown; Esc cancels', async () => {
    const onCancel = vi.fn();
    const field = show(<SecretField onDone={() => {}} onCancel={onCancel} />);
    await field.type('sk-1');
    await field.shows(/\*{4}/);
    expect(field.frame()).not.toContain('sk-1');
    await field.key('esc');
    expect(onCancel).toHaveBeenCalled();
  });

  test('several lines: wrapped, with the row of the cursor in sight', () => {
    const text = Array.from({ length: 30 }, (_, line) => `line ${line}`).join('\n');
    const area = (buffer: TextBuffer) =>
      show(
        <TextArea buffer={buffer} onChange={() => {}} onEdge={() => {}} width={20} height={5} />,
      ).frame();
    expect(area(textBuffer(text))).toMatch(/line 25\s+line 26\s+line 27\s+line 28\s+line 29/);
    expect(area({ text, cursor: 0, column: null })).toMatch(/^line 0/);
    expect(area(insert(textBuffer(), 'one two three four five'))).toMatch(
      /one two three four\s+five/,
    );
  });
});

describe('a long text', () => {
  const lines = Array.from({ length: 50 }, (_, line) => `row ${line}`);
  const text = (close = () => {}) =>
    show(<ScrollText lines={lines} width={40} height={11} onClose={close} />);

  test('is scrolled, with its position', async () => {
    const view = text();
    expect(view.frame()).toContain('1-10 of 50');
    await view.key('pagedown');
    await view.shows('11-20 of 50');
    await view.key('G');
    await view.shows('41-50 of 50');
    await view.key('k');
    await view.shows('40-49 of 50');
    await view.key('g');
    await view.shows('1-10 of 50');
  });

  test('is searched, on and back, round the end', async () => {
    const view = text();
    await view.key('/');
    await view.type('row 4');
    await view.shows('/row 4');
    await view.key('enter');
    await view.shows('/row 4: 11 lines');
    await view.key('n');
    await view.shows('row 40');
    await view.key('N');
    await view.shows('1-10 of 50');
    await view.key('N');
    await view.shows('row 49');
  });
});

function Opener({ dialog }: { readonly dialog: Dialog }) {
  const dialogs = useDialogs();
  return <Box>{dialogs.isOpen ? null : <Once run={() => dialogs.open(dialog)} />}</Box>;
}

function Once({ run }: { readonly run: () => void }) {
  queueMicrotask(run);
  return null;
}

function showDialog(dialog: Dialog, cols = 80, rows = 24) {
  return show(
    <DialogProvider>
      <Opener dialog={dialog} />
    </DialogProvider>,
    cols,
    rows,
  );
}

describe('dialogs', () => {
  test('a question: y does it, and panes leave room for it', async () => {
    const onYes = vi.fn();
    const view = showDialog({
      kind: 'confirm',
      title: 'Kill it?',
      lines: ['Really.'],
      yes: 'kill',
      onYes,
    });
    await view.shows('Kill it?');
    expect(view.frame()).toContain('y kill, n or Enter cancel');
    expect(view.surface.holes).toEqual([{ x: 18, y: 10, width: 44, height: 3 }]);
    // A key that goes on elsewhere throws nothing away here.
    await view.key('enter');
    expect(onYes).not.toHaveBeenCalled();
    await view.key('y');
    expect(onYes).toHaveBeenCalledTimes(1);
  });

  test('nothing of a question is cut, in the smallest window either', async () => {
    const fields = {
      title: 'Take over agent12 (T12-with-a-long-name-of-its-own)?',
      lines: [
        'Its process ends, and an interactive Aider starts in its worktree: i types into it.',
        'When you leave it (/exit), the work is judged like any other.',
      ],
    };
    const dialogs: readonly Dialog[] = [
      { kind: 'confirm', ...fields, yes: 'take over', onYes: () => {} },
      { kind: 'message', ...fields },
      { kind: 'field', ...fields, onDone: () => {} },
    ];
    for (const dialog of dialogs) {
      for (const [cols, rows] of [
        [50, 14],
        [80, 24],
        [200, 60],
      ] as const) {
        const view = showDialog(dialog, cols, rows);
        await view.shows('like any other');
        const words = view.frame().replace(/[│╭╮╰╯─\s]+/g, ' ');
        for (const text of [fields.title, ...fields.lines]) expect(words).toContain(text);
      }
    }
  });

  test('a choice', async () => {
    const onDone = vi.fn();
    const view = showDialog({
      kind: 'choose',
      title: 'Which?',
      items: ['one', 'two', 'three'],
      onDone,
    });
    await view.shows('▸ one');
    await view.key('j');
    await view.shows('▸ two');
    await view.key('enter');
    expect(onDone).toHaveBeenCalledWith(1);
  });

  test('a finder: fuzzy, several at once', async () => {
    const onDone = vi.fn();
    const items = ['src/date.ts', 'src/show.ts', 'README.md', 'test/date.test.ts'];
    const view = showDialog({
      kind: 'find',
      title: 'Files',
      none: 'No file matches.',
      items,
      onDone,
    });
    await view.shows('README.md');
    await view.type('date');
    await eventually(() => expect(view.frame()).not.toContain('README.md'));
    await view.key('tab');
    await view.shows('1 selected');
    await view.key('down');
    await view.key('tab');
    await view.shows('2 selected');
    await view.key('enter');
    const taken = onDone.mock.calls[0]?.[0] as string[] | undefined;
    expect(taken?.toSorted()).toEqual(['src/date.ts', 'test/date.test.ts']);
  });

  test('help: the keys of this place first, with why they do nothing, and typing narrows it', async () => {
    const scope: Scope = {
      context: 'summary',
      actions: () => ({ 'summary.land': { run: () => {}, refusal: 'nothing is merged' } }),
      say: () => {},
    };
    const view = showDialog({ kind: 'help', scopes: [scope], typing: false });
    await view.shows(/Summary\s[\s\S]*land the merged work \(not now: nothing is/);
    await view.type('worktree');
    await view.shows("open a shell in the agent's worktree");
    expect(view.frame()).not.toContain('land the');
  });
});

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
