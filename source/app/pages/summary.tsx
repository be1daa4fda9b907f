import { Box } from 'ink';
import { useMemo, useState } from 'react';
import { summarise } from '../../core/run/summary.js';
import { columns, rowsOfRun, sorted } from '../../view/rows.js';
import { type ActionsOf, useActions } from '../actions.js';
import { fitColumns } from '../components/fit-columns.js';
import { Line } from '../components/line.js';
import { PageFrame, useNote } from '../components/page-frame.js';
import { Rows } from '../components/rows.js';
import { useRunState } from '../hooks.js';
import type { RunPort, WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { fill, fillLeft } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { curesOf } from './banner.js';
import { useSummaryActions } from './summary-actions.js';
import { layoutSummary, reportLines } from './summary-layout.js';

export interface SummaryPageProps {
  readonly port: WizardPort;
  readonly run: RunPort;
  readonly onBack: () => void;
  readonly onQuit: () => void;
  /** Leaves the screen for the one that comes. */
  readonly onLeave: () => void;
}

/** Step 6: what each agent did, what landed, and what can still be done about it. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: keys and view of one screen; words, layout and actions stand beside it.
export function SummaryPage(props: SummaryPageProps) {
  const { port, run, onBack, onQuit, onLeave } = props;
  const state = useRunState(run);
  const size = useSize();
  const { cols } = size;
  const { theme, now, keymap } = useEnvironment();
  const [chosen, setChosen] = useState(0);
  const [by, setBy] = useState(0);
  const [scrolled, setScrolled] = useState(0);
  const note = useNote();
  const { say } = note;
  const glyphs = glyphsOf(theme);
  const facts = useMemo(() => sorted(rowsOfRun(state, glyphs), by), [state, glyphs, by]);
  const at = Math.min(chosen, Math.max(0, facts.length - 1));
  const agent = state.agents[facts[at]?.index ?? 0];
  const finished = state.phase === 'finished';
  const summary = useMemo(() => summarise(state), [state]);
  const report = useMemo(
    () => (finished ? reportLines(summary, glyphs, cols) : []),
    [summary, finished, glyphs, cols],
  );
  const look = { glyphs, now: now(), keymap };
  const layout = layoutSummary(state, agent, report, size, facts.length, note.height, look);
  const { heads, why, scrolling, tableHeight, below, hasGap } = layout;
  const last = Math.max(0, scrolling.length - below);
  const from = Math.min(scrolled, last);
  const scroll = (step: number) => setScrolled(Math.max(0, Math.min(last, from + step)));
  const more = useSummaryActions({ port, run, state, agent, say, onBack, onQuit, onLeave });
  const actions: ActionsOf<'summary'> = {
    ...more,
    'summary.up': {
      run: () => setChosen(at - 1),
      refusal: at === 0 ? 'this is the first row' : null,
    },
    'summary.down': {
      run: () => setChosen(at + 1),
      refusal: at >= facts.length - 1 ? 'this is the last row' : null,
    },
    'summary.pageUp': {
      run: () => scroll(-Math.max(1, below - 1)),
      refusal: from === 0 ? 'this is the start of the text' : null,
    },
    'summary.pageDown': {
      run: () => scroll(Math.max(1, below - 1)),
      refusal: from >= last ? 'this is the end of the text' : null,
    },
    'summary.sort': { run: () => setBy((by + 1) % columns.length) },
  };
  useActions({ context: 'summary', actions, say });

  const { shown, widths } = fitColumns(facts, cols);
  const top = Math.max(0, Math.min(at - Math.floor(tableHeight / 2), facts.length - tableHeight));
  // What there is beside what is seen, and the key that leads there.
  const beyond = [
    ...(tableHeight < facts.length
      ? [
          `agents ${top + 1}-${top + tableHeight} of ${facts.length} (${keymap.label('summary.down')})`,
        ]
      : []),
    ...(last > 0
      ? [
          `lines ${from + 1}-${from + below} of ${scrolling.length} (${keymap.label('summary.pageDown')})`,
        ]
      : []),
  ];
  const line = (cell: (column: number) => string) =>
    ` ${shown.map((column, place) => (columns[column]?.right ? fillLeft : fill)(cell(column), widths[place] ?? 0)).join('  ')}`;
  return (
    <PageFrame
      context="summary"
      note={note}
      actions={actions}
      hints={[
        ...(state.landing?.state === 'waits' ? (['summary.pager', 'summary.land'] as const) : []),
        'summary.open',
        'summary.quit',
        ...curesOf(
          state.agents.flatMap(({ state: now }) => (now.name === 'failed' ? [now.reason] : [])),
          'summary',
        ),
        'summary.land',
        'summary.restart',
        'summary.runs',
        'summary.pageDown',
        'summary.undo',
        'summary.leaveOut',
        'summary.pager',
        'summary.back',
        'summary.warnings',
        'summary.sort',
        'summary.web',
      ]}
    >
      <Rows
        width={cols}
        rows={heads.map(({ line: text, isGood }) => ({
          text: ` ${text}`,
          bold: isGood !== null,
          colour: isGood === null ? null : isGood ? 'green' : 'red',
        }))}
      />
      {hasGap && <Line> </Line>}
      <Line bold>
        {fill(
          line((column) => {
            const head = columns[column]?.head ?? '';
            return column === by ? head.toUpperCase() : head;
          }),
          cols,
        )}
      </Line>
      {facts.slice(top, top + tableHeight).map((row, position) => (
        <Line key={row.index} inverse={top + position === at}>
          {fill(
            line((column) => columns[column]?.text(row) ?? ''),
            cols,
          )}
        </Line>
      ))}
      <Rows
        width={cols}
        rows={why.map((text) => ({ text: ` ${text}`, colour: 'yellow' as const }))}
      />
      <Box flexDirection="column" height={below + 1} overflow="hidden">
        <Line dim>{fill(` ${beyond.join('; ')}`, cols)}</Line>
        <Rows
          width={cols}
          rows={scrolling.slice(from, from + below).map((text) => ({ text: ` ${text}` }))}
        />
      </Box>
    </PageFrame>
  );
}
