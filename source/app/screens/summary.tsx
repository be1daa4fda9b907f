import { Box } from 'ink';
import { useMemo, useState } from 'react';
import { describe } from '../../core/failure.js';
import { leaveOutRefusal } from '../../core/integrate-update.js';
import { summarise } from '../../core/summary.js';
import { summaryReport } from '../../headless/report.js';
import { glyphsFor } from '../../headless/table.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { ScreenFrame } from '../components/screen-frame.js';
import { useRunState } from '../hooks.js';
import type { RunPort } from '../ports.js';
import { columns, columnWidths, rowFacts, sorted } from '../summary-rows.js';
import {
  type ActionHandlers,
  afterClearing,
  useActions,
  useEnvironment,
  useSize,
} from '../surface.js';
import { diffLines, plainLines } from '../text/diff-lines.js';
import { fill, fillLeft } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';

export interface SummaryScreenProps {
  readonly run: RunPort;
  readonly onBack: () => void;
  readonly onQuit: () => void;
}

/** Step 5: what each agent did, what landed, and what can still be done about it. */
export function SummaryScreen({ run, onBack, onQuit }: SummaryScreenProps) {
  const state = useRunState(run);
  const { cols, rows } = useSize();
  const { surface, theme } = useEnvironment();
  const dialogs = useDialogs();
  const [chosen, setChosen] = useState(0);
  const [by, setBy] = useState(0);
  const [note, setNote] = useState('');
  const glyphs = glyphsOf(theme);
  const facts = useMemo(() => sorted(rowFacts(state, glyphs), by), [state, glyphs, by]);
  const at = Math.min(chosen, Math.max(0, facts.length - 1));
  const agent = state.agents[facts[at]?.index ?? 0];
  const finished = state.phase === 'finished';
  const failed = state.agents.some(
    (one) => one.state.name === 'failed' || one.state.name === 'killed',
  );
  const commit = state.integration?.commit ?? null;
  const landable = commit !== null && state.landed !== commit;

  const view = (title: string, render: (width: number) => readonly string[]) =>
    dialogs.open({ kind: 'viewer', title, render });
  const name = agent ? `agent${agent.index} (${agent.task.id})` : '';
  const heading = (text: string) => ['', `\x1b[1m${text}\x1b[0m`, ''];
  const diffText = async () => {
    if (!agent) return '';
    const diff = await run.diff(agent.index);
    return diff.ok ? diff.value || 'It changed nothing.' : describe(diff.failure).message;
  };
  const logText = async () =>
    (agent ? (await run.events(agent.index)).join('\n') : '') || 'It has no log.';
  const lastScreen = () => {
    const screen = agent ? run.terminals.screen(agent.index) : null;
    return screen ? screen.lines().join('\n').trimEnd() : 'It never had a terminal.';
  };
  const handlers: ActionHandlers = {
    'summary.up': () => setChosen(Math.max(0, at - 1)),
    'summary.down': () => setChosen(Math.min(facts.length - 1, at + 1)),
    'summary.sort': () => setBy((by + 1) % columns.length),
    'summary.open': () => {
      if (!agent) return;
      void Promise.all([diffText(), logText()]).then(([diff, log]) =>
        view(name, (width) => [
          ...heading('Diff'),
          ...diffLines(diff, width, theme),
          ...heading('Log'),
          ...plainLines(log, width),
          ...heading('Last screen'),
          ...plainLines(lastScreen(), width),
        ]),
      );
    },
    'summary.diff': () => {
      void diffText().then((text) =>
        view(`Diff of ${name}`, (width) => diffLines(text, width, theme)),
      );
    },
    'summary.log': () => {
      void logText().then((text) => view(`Log of ${name}`, (width) => plainLines(text, width)));
    },
    'summary.last': () =>
      view(`Last screen of ${name}`, (width) => plainLines(lastScreen(), width)),
    'summary.land': () => {
      if (!finished) return setNote('not yet: the run goes on');
      if (!state.integration?.commit) return setNote('nothing is merged that could land');
      if (state.landed === state.integration.commit) return setNote('it has landed already');
      const { merged } = state.integration;
      const now = () => run.dispatch({ type: 'land_now' });
      if (merged.length === state.agents.length) return now();
      dialogs.open({
        kind: 'confirm',
        title: 'Land only a part?',
        lines: [
          `The work of ${merged.length} of ${state.agents.length} agents is merged; the rest stays on branches.`,
        ],
        yes: 'land',
        onYes: now,
      });
    },
    'summary.leaveOut': () => {
      if (!agent) return;
      const refusal = leaveOutRefusal(state, agent.index);
      if (refusal !== null) return setNote(`not now: ${refusal}`);
      dialogs.open({
        kind: 'confirm',
        title: `Leave ${name} out?`,
        lines: [
          'The others are merged again without its work, and without what builds on it.',
          'Its branch stays.',
        ],
        yes: 'leave out',
        onYes: () => run.dispatch({ type: 'leave_out', agent: agent.index }),
      });
    },
    'summary.restart': () => {
      if (!finished || !failed)
        return setNote(finished ? 'none has failed' : 'not yet: the run goes on');
      run.dispatch({ type: 'restart_failed' });
      onBack();
    },
    'summary.pager': () => {
      const { integration, config } = state;
      if (!integration?.commit) return setNote('nothing was merged');
      void surface.runProgram(
        'git',
        ['diff', '--no-ext-diff', '--stat', '--patch', config.base, integration.commit, '--'],
        {
          cwd: config.repo,
          // Git's pager may end at once when the text is short; ours waits, so that it can be read.
          env: {
            ...process.env,
            LESS: 'R',
            GIT_PAGER: process.env.GIT_PAGER || process.env.PAGER || 'less',
          },
        },
      );
    },
    'summary.back': onBack,
    'summary.quit': onQuit,
  };
  useActions(!dialogs.isOpen, 'summary', afterClearing(setNote, handlers));

  const report = useMemo(() => {
    const summary = summarise(state);
    const lines = summaryReport(summary, 200, glyphsFor(process.env));
    // The table stands above already.
    const from = lines.indexOf('');
    return from < 0 ? lines : lines.slice(from + 1);
  }, [state]);
  const widths = columnWidths(facts, cols);
  const room = Math.max(2, rows - 6);
  const below = finished ? report : [`The run goes on: ${state.phase}.`];
  const tableHeight = Math.max(
    1,
    Math.min(facts.length, room - Math.min(below.length + 1, Math.ceil(room / 2))),
  );
  const top = Math.max(0, Math.min(at - Math.floor(tableHeight / 2), facts.length - tableHeight));
  const line = (cells: readonly string[]) =>
    ` ${cells.map((cell, column) => (columns[column]?.right ? fillLeft : fill)(cell, widths[column] as number)).join('  ')}`;
  return (
    <ScreenFrame
      context="summary"
      note={note}
      hints={[
        ['summary.open', 'open'],
        ['summary.quit', 'leave'],
        ...(landable
          ? ([
              ['summary.land', 'land'],
              ['summary.leaveOut', 'leave out'],
            ] as const)
          : []),
        ...(failed ? ([['summary.restart', 'restart failed']] as const) : []),
        ['summary.pager', 'pager'],
        ['summary.sort', 'sort'],
        ['summary.back', 'panes'],
      ]}
    >
      <Line> </Line>
      <Line bold>
        {fill(
          line(columns.map(({ head }, column) => (column === by ? head.toUpperCase() : head))),
          cols,
        )}
      </Line>
      {facts.slice(top, top + tableHeight).map((row, index) => (
        <Line key={row.index} inverse={top + index === at}>
          {fill(line(columns.map(({ text }) => text(row))), cols)}
        </Line>
      ))}
      <Line> </Line>
      <Box flexDirection="column" height={Math.max(1, rows - tableHeight - 6)} overflow="hidden">
        {below.slice(0, Math.max(1, rows - tableHeight - 6)).map((text, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
          <Line key={row}>{fill(` ${text}`, cols)}</Line>
        ))}
      </Box>
    </ScreenFrame>
  );
}
