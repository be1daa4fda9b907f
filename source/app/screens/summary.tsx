// Longer than 300 lines: one screen, not divided yet.
import { Box } from 'ink';
import { useMemo, useState } from 'react';
import { dollars } from '../../core/policy/budget.js';
import { describe } from '../../core/policy/failure.js';
import { type Request, refusalOf } from '../../core/run/refusals.js';
import { type RunState, runTime } from '../../core/run/run.js';
import { landingWords, summarise, testedWords } from '../../core/run/summary.js';
import { mends } from '../../core/text/words.js';
import { summaryReport } from '../../headless/report.js';
import { formatCost, formatDuration, formatTokens } from '../../headless/table.js';
import { type ActionsOf, useActions } from '../actions.js';
import { capital, detailsOf, failureWords, progressOf } from '../agent-facts.js';
import { useDialogs, type ViewerSource } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { Rows } from '../components/rows.js';
import { ScreenFrame, useNote } from '../components/screen-frame.js';
import { landingStep } from '../components/status-bar.js';
import { useRunState } from '../hooks.js';
import type { ActionName, Keymap } from '../keymap.js';
import type { RunPort, WizardPort } from '../ports.js';
import { columns, fitColumns, rowFacts, sorted } from '../summary-rows.js';
import { useEnvironment, useSize } from '../surface.js';
import { diffLines, plainLines, proseLines } from '../text/diff-lines.js';
import { foldLines } from '../text/fold-lines.js';
import { fill, fillLeft } from '../text/graphemes.js';
import { type AppGlyphs, glyphsOf } from '../theme.js';
import { curesOf, cureWords } from './banner.js';
import { useKeyAction, useModelDialog, useSetupAction } from './keys-and-models.js';
import { useRequests } from './requests.js';
import { eventLines, warningLines } from './run-texts.js';

export interface SummaryScreenProps {
  readonly port: WizardPort;
  readonly run: RunPort;
  readonly onBack: () => void;
  readonly onQuit: () => void;
}

interface Head {
  readonly text: string;
  readonly isGood: boolean | null;
}

/** What came of it, what can be done about it, and what it took: all that one has to know first. */
function headLines(
  state: RunState,
  glyphs: AppGlyphs,
  now: number,
  keymap: Keymap,
): { outcome: Head; advice: Head[]; totals: Head } {
  const { done, leftOut, failed, killed, notStarted, tokens, cost } = progressOf(state);
  const parts = [
    `${state.agents.length} ${state.agents.length === 1 ? 'agent' : 'agents'}: ${done} succeeded`,
    ...(leftOut > 0 ? [`${leftOut} left out`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(killed > 0 ? [`${killed} killed`] : []),
    ...(notStarted > 0 ? [`${notStarted} not started`] : []),
  ].join(', ');
  const budget = state.budgetUsd === null ? '' : ` of ${dollars(state.budgetUsd)}`;
  const totals = [
    parts,
    formatDuration(runTime(state, now) / 1000),
    ...(tokens === 0 && cost === null
      ? ['tokens and cost unknown']
      : [`${formatTokens(tokens)} tokens`, `${formatCost(cost)}${budget}`]),
  ].join(`  ${glyphs.dot}  `);
  const landed = state.landing?.state === 'landed';
  const fine = (landed || state.landing?.state === 'not_asked') && !failsTests(state);
  const outcome =
    state.phase === 'finished'
      ? `${fine ? glyphs.ok : glyphs.stopped} ${capital(landingWords(state))}.`
      : `The run goes on: ${state.phase === 'landing' && state.onto ? landingStep(state) : phaseWords[state.phase]}.`;
  const advice = adviceOf(state, keymap);
  return {
    outcome: { text: outcome, isGood: state.phase === 'finished' ? fine : null },
    advice: advice === '' ? [] : [{ text: advice, isGood: null }],
    totals: { text: totals, isGood: null },
  };
}

/** Whether tests fail on the merged work, whatever they did before. */
function failsTests({ integration }: RunState): boolean {
  const check = integration?.check ?? null;
  return check !== null && check.state !== 'passed';
}

const phaseWords: Readonly<Record<RunState['phase'], string>> = {
  planning: 'the plan is being made',
  confirming: 'it is about to start',
  checking: 'the tests run on the base',
  red_base: 'the tests fail on the base',
  running: 'agents work',
  integrating: 'the work is being merged and tested',
  reviewing: 'the merged work is being reviewed',
  landing: 'the work is landing, or being taken back',
  finished: '',
};

/** What to press next, and what has to be mended before. */
function adviceOf(state: RunState, keymap: Keymap): string {
  if (state.phase !== 'finished') return '';
  const reasons = [
    ...new Set(
      state.agents.flatMap(({ state: now }) => (now.name === 'failed' ? [now.reason] : [])),
    ),
  ];
  const mend = reasons.map((reason) => mends[reason]).filter((one) => one !== undefined);
  const can = (request: Request) => refusalOf(state, request) === null;
  const waits = state.landing?.state === 'waits';
  const key = (name: ActionName) => keymap.label(name);
  const cures = curesOf(reasons, 'summary');
  const keys = [
    ...(waits ? [`${key('summary.pager')} shows the merged diff`] : []),
    ...(can({ type: 'land_now' }) ? [landWords(state, keymap)] : []),
    ...(waits ? [`${key('summary.leaveOut')} leaves an agent's work out`] : []),
    ...(cures.length > 0 ? [cureWords(cures, keymap)] : []),
    ...(can({ type: 'restart_failed' })
      ? [`${key('summary.restart')} restarts the agents that did not succeed`]
      : []),
    ...(can({ type: 'undo_landing' }) ? [`${key('summary.undo')} takes the landing back`] : []),
  ];
  const how = keys.length === 0 ? '' : `${keys.join(', ')}.`;
  return [...mend, how].filter(Boolean).join(' ');
}

function landWords({ landing, config }: RunState, keymap: Keymap): string {
  const moved = landing?.state === 'refused' && landing.tip !== undefined;
  const key = keymap.label('summary.land');
  return moved
    ? `${key} merges the work onto ${config.branch ?? 'HEAD'} as it is now, tests it there, and lands it`
    : `${key} lands the merged work`;
}

/** Step 6: what each agent did, what landed, and what can still be done about it. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function SummaryScreen({ port, run, onBack, onQuit }: SummaryScreenProps) {
  const state = useRunState(run);
  const { cols, rows } = useSize();
  const { surface, theme, now, keymap } = useEnvironment();
  const dialogs = useDialogs();
  const [chosen, setChosen] = useState(0);
  const [by, setBy] = useState(0);
  const [scrolled, setScrolled] = useState(0);
  const note = useNote();
  const { say } = note;
  const askModel = useModelDialog(port);
  const glyphs = glyphsOf(theme);
  const facts = useMemo(() => sorted(rowFacts(state, glyphs), by), [state, glyphs, by]);
  const at = Math.min(chosen, Math.max(0, facts.length - 1));
  const agent = state.agents[facts[at]?.index ?? 0];
  const finished = state.phase === 'finished';

  const view = (title: string, source: ViewerSource) =>
    void dialogs.open({ kind: 'viewer', title, source });
  const index = agent?.index ?? 0;
  const name = agent ? `agent${index} (${agent.task.id})` : '';
  const noAgent = agent ? null : 'there is no agent';
  const heading = (text: string) => ['', `\x1b[1m${text}\x1b[0m`, ''];
  const diffText = async () => {
    const diff = await run.diff(index);
    return diff.ok ? diff.value || 'It changed nothing.' : describe(diff.failure).message;
  };
  const lastScreen = () => {
    const screen = run.terminals.screen(index);
    return screen ? screen.lines().join('\n').trimEnd() : 'It never had a terminal.';
  };
  const details = async () => {
    if (!agent) return;
    const [diff, log, message] = await Promise.all([
      diffText(),
      run.events(index),
      run.lastMessage(index),
    ]);
    const told = detailsOf(state, agent, message, now(), keymap);
    view(name, (width) => [
      ...proseLines(told, width),
      ...heading('Diff'),
      ...diffLines(diff, width, theme),
      ...heading('Log'),
      ...eventLines(log, width),
      ...heading('Last screen'),
      ...plainLines(lastScreen(), width),
    ]);
  };
  const { request, ask } = useRequests(run, say);
  const land = () => {
    const merged = state.integration?.merged.length ?? 0;
    const whole = merged === state.agents.length;
    const fails = failsTests(state);
    if (whole && !fails) return request({ type: 'land_now' });
    ask(
      whole ? 'Land work whose tests fail?' : 'Land only a part?',
      [
        ...(whole
          ? []
          : [
              `The work of ${merged} of ${state.agents.length} agents is merged; the rest stays on branches.`,
            ]),
        `The merged work: ${testedWords(state)}.`,
      ],
      'land',
      { type: 'land_now' },
    );
  };
  const leaveOut: Request = { type: 'leave_out', agent: index };
  const summary = useMemo(() => summarise(state), [state]);
  const report = useMemo(() => {
    const lines = finished ? summaryReport(summary, 200, { ...glyphs, some: glyphs.queued }) : [];
    // The table stands above already.
    const from = lines.indexOf('');
    return lines.slice(from + 1).flatMap((line) => {
      const indent = /^\s*(?:\S\s)?/.exec(line)?.[0].length ?? 0;
      return proseLines(line, Math.max(8, cols - 2 - indent)).map((part, row) =>
        row === 0 ? part : ' '.repeat(indent) + part,
      );
    });
  }, [summary, finished, glyphs, cols]);
  const head = headLines(state, glyphs, now(), keymap);
  const wrapped = (all: readonly Head[]) =>
    all.flatMap(({ text, isGood }) =>
      proseLines(text, Math.max(8, cols - 2)).map((line) => ({ line, isGood })),
    );
  const all = wrapped([head.outcome, ...head.advice, head.totals]);
  // Why the agent in the row did not succeed stands below the table, whole.
  const why = agent ? failureWords(agent) : '';
  const whole =
    why === ''
      ? []
      : foldLines(
          `agent${index} ${why.charAt(0).toLowerCase()}${why.slice(1)}`,
          cols - 2,
          Math.max(2, rows / 4),
          keymap,
        );
  // In a small terminal the totals scroll with the text, where the reasons are too.
  const isSmall = rows - 5 - all.length - note.height - whole.length < 5;
  const wanted = isSmall ? wrapped([head.outcome, ...head.advice]) : all;
  // What is longer than there is room for scrolls with the text.
  const most = Math.max(1, rows - 8 - note.height);
  const isLong = wanted.length > most;
  const more = `… ${keymap.label('summary.pageDown')} shows all of it`;
  const heads = isLong ? [...wanted.slice(0, most - 1), { line: more, isGood: null }] : wanted;
  const whyLines = isSmall ? [] : whole;
  const first = isLong ? all : isSmall ? wrapped([head.totals]) : [];
  const scrolling = [...first.map(({ line }) => line), ...report];
  const beside = (isSmall ? 4 : 5) + heads.length + note.height + whyLines.length;
  const room = Math.max(2, rows - beside);
  // The table has at most two thirds of the room, and leaves rows for the text.
  const tableHeight = Math.max(
    1,
    Math.min(facts.length, Math.ceil((room * (isSmall ? 1 : 2)) / (isSmall ? 2 : 3)), room - 1),
  );
  const below = Math.max(1, room - tableHeight);
  const last = Math.max(0, scrolling.length - below);
  const from = Math.min(scrolled, last);
  const scroll = (step: number) => setScrolled(Math.max(0, Math.min(last, from + step)));
  const actions: ActionsOf<'summary'> = {
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
    'summary.open': { run: () => void details(), refusal: noAgent },
    'summary.diff': {
      run: () =>
        void diffText().then((text) =>
          view(`Diff of ${name}`, (width) => diffLines(text, width, theme)),
        ),
      refusal: noAgent,
    },
    'summary.log': {
      run: () =>
        void run
          .events(index)
          .then((log) => view(`Log of ${name}`, (width) => eventLines(log, width))),
      refusal: noAgent,
    },
    'summary.last': {
      run: () => view(`Last screen of ${name}`, (width) => plainLines(lastScreen(), width)),
      refusal: noAgent,
    },
    'summary.land': { run: land, refusal: refusalOf(state, { type: 'land_now' }) },
    'summary.undo': {
      run: () =>
        ask(
          'Take the landing back?',
          [
            `${state.config.branch ?? 'HEAD'} goes back to ${(state.landedFrom ?? state.config.base).slice(0, 12)}, and its files with it. The merged work stays on its branch.`,
          ],
          'take it back',
          { type: 'undo_landing' },
        ),
      refusal: refusalOf(state, { type: 'undo_landing' }),
    },
    'summary.leaveOut': {
      run: () =>
        ask(
          `Leave ${name} out?`,
          [
            'The others are merged again without its work, and without what builds on it.',
            'Its branch stays.',
          ],
          'leave out',
          leaveOut,
        ),
      refusal: noAgent ?? refusalOf(state, leaveOut),
    },
    'summary.restart': {
      run: () => {
        run.dispatch({ type: 'restart_failed' });
        onBack();
      },
      refusal: refusalOf(state, { type: 'restart_failed' }),
    },
    'summary.key': useKeyAction(port, say, () => {}, state.config.model),
    'summary.model': {
      run: () =>
        askModel(state.config.model, (model) => {
          request({ type: 'model_named', model });
          if (run.state().config.model === model) say(`Agents that are restarted use ${model}.`);
        }),
    },
    'summary.setup': useSetupAction(run, say),
    'summary.warnings': {
      run: () => view('Warnings of this run', (width) => warningLines(run.state(), width)),
      refusal: state.warnings.length === 0 ? 'there is no warning' : null,
    },
    'summary.pager': {
      run: () =>
        void surface.showDiff(
          state.config.repo,
          state.config.base,
          state.integration?.commit ?? '',
        ),
      refusal: state.integration?.commit ? null : 'nothing was merged',
    },
    'summary.back': { run: onBack },
    'summary.quit': { run: onQuit },
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
    ` ${shown.map((column, place) => (columns[column]?.right ? fillLeft : fill)(cell(column), widths[place] as number)).join('  ')}`;
  return (
    <ScreenFrame
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
        'summary.pageDown',
        'summary.undo',
        'summary.leaveOut',
        'summary.pager',
        'summary.back',
        'summary.warnings',
        'summary.sort',
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
      {!isSmall && <Line> </Line>}
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
        rows={whyLines.map((text) => ({ text: ` ${text}`, colour: 'yellow' as const }))}
      />
      <Box flexDirection="column" height={below + 1} overflow="hidden">
        <Line dim>{fill(` ${beyond.join('; ')}`, cols)}</Line>
        <Rows
          width={cols}
          rows={scrolling.slice(from, from + below).map((text) => ({ text: ` ${text}` }))}
        />
      </Box>
    </ScreenFrame>
  );
}
