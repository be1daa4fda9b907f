import type { Agent } from '../../core/agent/agent.js';
import { describe } from '../../core/policy/failure.js';
import { type Request, refusalOf } from '../../core/run/refusals.js';
import type { RunState } from '../../core/run/run.js';
import { testedWords } from '../../core/run/summary.js';
import { detailsOf } from '../../view/agent-facts.js';
import type { ActionsOf } from '../actions.js';
import { useDialogs, type ViewerSource } from '../components/dialogs.js';
import type { RunPort, WizardPort } from '../ports.js';
import { useEnvironment } from '../surface.js';
import { diffLines, plainLines, proseLines } from '../text/diff-lines.js';
import { useKeyAction, useModelDialog, useSetupAction } from './keys-and-models.js';
import { useOtherRuns } from './other-runs.js';
import { useRequests } from './requests.js';
import { useBrowser } from './run-in-browser.js';
import { eventLines, warningLines } from './run-texts.js';
import { failsTests } from './summary-words.js';

type SummaryActions = ActionsOf<'summary'>;

/** What the actions of the summary are about. */
export interface SummaryActionsOptions {
  readonly port: WizardPort;
  readonly run: RunPort;
  readonly state: RunState;
  /** The one in the row that is selected. */
  readonly agent: Agent | undefined;
  readonly say: (text: string) => void;
  readonly onBack: () => void;
  readonly onQuit: () => void;
  readonly onLeave: () => void;
}

type Reading =
  | 'summary.open'
  | 'summary.diff'
  | 'summary.log'
  | 'summary.last'
  | 'summary.warnings'
  | 'summary.pager';

/** All that an agent's terminal holds. */
async function lastScreenOf(run: RunPort, agent: number): Promise<string> {
  const screen = run.terminals.emulator(agent);
  return screen ? (await screen.lines()).join('\n').trimEnd() : 'It never had a terminal.';
}

/** What an agent did, to be read: its diff, its log, its last screen, all of it. */
function useReading({ run, state, agent }: SummaryActionsOptions): Pick<SummaryActions, Reading> {
  const { surface, theme, now, keymap } = useEnvironment();
  const dialogs = useDialogs();
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
  const details = async () => {
    if (!agent) return;
    const [screen, diff, log, message] = await Promise.all([
      lastScreenOf(run, index),
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
      ...plainLines(screen, width),
    ]);
  };
  return {
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
      run: () =>
        void lastScreenOf(run, index).then((text) =>
          view(`Last screen of ${name}`, (width) => plainLines(text, width)),
        ),
      refusal: noAgent,
    },
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
  };
}

type Deciding = 'summary.land' | 'summary.undo' | 'summary.leaveOut' | 'summary.restart';

/** What becomes of the work. */
function useDeciding({
  run,
  state,
  agent,
  say,
  onBack,
}: SummaryActionsOptions): Pick<SummaryActions, Deciding> {
  const index = agent?.index ?? 0;
  const name = agent ? `agent${index} (${agent.task.id})` : '';
  const noAgent = agent ? null : 'there is no agent';
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
  return {
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
  };
}

/** All actions of the summary but those that move in it. */
export function useSummaryActions(
  options: SummaryActionsOptions,
): Omit<
  SummaryActions,
  'summary.up' | 'summary.down' | 'summary.pageUp' | 'summary.pageDown' | 'summary.sort'
> {
  const { port, run, state, say, onBack, onQuit, onLeave } = options;
  const { request } = useRequests(run, say);
  const askModel = useModelDialog(port);
  const reading = useReading(options);
  const deciding = useDeciding(options);
  return {
    ...reading,
    ...deciding,
    'summary.key': useKeyAction(port, say, () => {}, state.config.model),
    'summary.model': {
      run: () =>
        askModel(state.config.model, (model) => {
          request({ type: 'model_named', model });
          if (run.state().config.model === model) say(`Agents that are restarted use ${model}.`);
        }),
    },
    'summary.setup': useSetupAction(run, say),
    'summary.back': { run: onBack },
    'summary.web': useBrowser(port, say, 'summary.web'),
    'summary.runs': useOtherRuns(port, run, say, onLeave),
    'summary.quit': { run: onQuit },
  };
}
