// Longer than 300 lines: a table, an entry for each action of the run.
import { useReducer } from 'react';
import type { Agent } from '../../core/agent/agent.js';
import { dollars, dollarsIn } from '../../core/policy/budget.js';
import { type Request, refusalOf } from '../../core/run/refusals.js';
import type { RunState } from '../../core/run/run.js';
import { detailsOf, hasSomethingToLose } from '../../view/agent-facts.js';
import { type Action, type ActionsOf, refusalWords } from '../actions.js';
import { type Render, useDialogs } from '../components/dialogs.js';
import { type OverviewFacts, overviewColumns } from '../components/overview.js';
import type { ActionName } from '../keymap.js';
import type { RunView } from '../layout.js';
import type { PaneView } from '../pane-source.js';
import type { RunPort, WizardPort } from '../ports.js';
import { useEnvironment } from '../surface.js';
import { diffLines, plainLines, proseLines } from '../text/diff-lines.js';
import { renderMarkdown } from '../text/markdown.js';
import { curesOf } from './banner.js';
import { useKeyAction, useModelDialog, useSetupAction } from './keys-and-models.js';
import { useOtherRuns } from './other-runs.js';
import { useRequests } from './requests.js';
import { useBrowser } from './run-in-browser.js';
import { eventLines, warningLines } from './run-texts.js';

/** What a search has found, in words. */
export function foundWords(query: string, found: { index: number; count: number } | null): string {
  return found ? `/${query} ${found.index + 1} of ${found.count}` : `/${query}: not found`;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

interface ActionFacts {
  readonly port: WizardPort;
  readonly run: RunPort;
  readonly state: RunState;
  readonly agent: Agent | undefined;
  readonly view: PaneView | null;
  readonly height: number;
  readonly runView: RunView;
  readonly setRunView: (view: RunView) => void;
  readonly table: OverviewFacts;
  readonly setTable: (table: OverviewFacts) => void;
  readonly say: (note: string) => void;
  readonly choose: (agent: number) => void;
  /** The agent in a direction; null where there is none. */
  readonly beside: (direction: Direction) => number | null;
  /** Why there is no agent in focus; null while there is one. */
  readonly noAgent: string | null;
  /** The agents that are seen. */
  readonly shown: readonly Agent[];
  readonly startTyping: () => void;
  readonly canType: boolean;
  readonly search: () => void;
  /** Null while there is no warning to dismiss. */
  readonly dismissBanner: (() => void) | null;
  readonly seeWarnings: () => void;
  readonly askAboutRedBase: () => void;
  readonly onSummary: () => void;
  readonly onQuit: () => void;
  /** Leaves the screen for the one that comes. */
  readonly onLeave: () => void;
}

/** All that can be done on the split screen, each with why it cannot be done now. */
export function useRunActions(facts: ActionFacts): ActionsOf<'run'> {
  return {
    ...useNavigation(facts),
    ...useScrolling(facts),
    ...useLeading(facts),
    ...useTexts(facts),
  };
}

type Navigation =
  | 'run.left'
  | 'run.right'
  | 'run.up'
  | 'run.down'
  | 'run.next'
  | 'run.previous'
  | 'run.focus'
  | 'run.open'
  | 'run.overview'
  | 'run.sort'
  | 'run.zoom'
  | 'run.unzoom'
  | 'run.attention'
  | 'run.redBase'
  | 'run.runs'
  | 'run.web'
  | 'run.quit';

/** Where one looks. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one entry for each action of the screen.
function useNavigation(facts: ActionFacts): Pick<ActionsOf<'run'>, Navigation> {
  const { state, agent, view, runView, setRunView, table, setTable, say, choose } = facts;
  const { beside, shown } = facts;
  const { keymap } = useEnvironment();
  const { onSummary, onQuit, askAboutRedBase, dismissBanner } = facts;
  const showDetails = useDetails(facts);
  const otherRuns = useOtherRuns(facts.port, facts.run, say, facts.onLeave);
  const browser = useBrowser(facts.port, say, 'run.web');
  const count = state.agents.length;
  const focused = agent?.index ?? 0;
  const alone = count < 2 ? 'there is no other agent' : null;
  const move = (direction: Direction): Action => {
    const to = beside(direction);
    const where = { left: 'to the left', right: 'to the right', up: 'above', down: 'below' };
    return {
      run: () => to !== null && choose(to),
      refusal: alone ?? (to === null ? `there is no agent ${where[direction]}` : null),
    };
  };
  const filtered = runView === 'overview' && table.filter !== '';
  const wants = (one: Agent) => ['asking', 'failed', 'killed'].includes(one.state.name);
  const others = [...state.agents.slice(focused + 1), ...state.agents.slice(0, focused)];
  const next = others.find(wants);
  const finished = state.phase === 'finished';
  const marked = view?.marked() ?? view?.selected() ?? null;
  return {
    'run.left': move('left'),
    'run.right': move('right'),
    'run.up': move('up'),
    'run.down': move('down'),
    'run.next': { run: () => choose(focused + 1), refusal: alone },
    'run.previous': { run: () => choose(focused - 1), refusal: alone },
    'run.focus': {
      run: (key) => {
        const index = key === '' ? focused : Number(key);
        if (shown.some((one) => one.index === index)) choose(index);
        else if (index < count) say(refusalWords(`agent${index} does not match the filter`));
        else say(refusalWords(`there is no agent${index}`));
      },
    },
    'run.open': finished
      ? { run: onSummary, hint: 'summary' }
      : { run: () => showDetails(), refusal: facts.noAgent },
    'run.overview': {
      run: () => setRunView(runView === 'overview' ? 'panes' : 'overview'),
      ...(runView === 'overview' ? { hint: 'panes' } : {}),
    },
    'run.sort': {
      run: () => {
        const by = (table.by + 1) % overviewColumns.length;
        setTable({ ...table, by });
        say(`Sorted by ${overviewColumns[by]?.head}.`);
      },
      refusal:
        runView === 'overview'
          ? null
          : `only the overview (${keymap.label('run.overview')}) is sorted`,
    },
    'run.zoom': {
      run: () => {
        if (agent) choose(agent.index);
        setRunView(runView === 'zoomed' ? 'panes' : 'zoomed');
      },
      refusal: runView === 'panes' && count < 2 ? 'the only pane has all the room already' : null,
      ...(runView === 'zoomed' ? { hint: 'all panes' } : {}),
    },
    'run.unzoom': {
      run: () => {
        // First the marks of a search and the filter go, then the warning, then the zoom.
        if (marked) {
          view?.endSearch();
          view?.clearSelection();
          say('');
        } else if (filtered) setTable({ ...table, filter: '' });
        else if (dismissBanner) dismissBanner();
        else setRunView('panes');
      },
      refusal:
        marked || dismissBanner || runView !== 'panes' ? null : 'all panes are shown already',
      ...(filtered ? { hint: 'clear the filter' } : {}),
    },
    'run.attention': {
      run: () => next && choose(next.index),
      refusal: next ? null : 'no other agent asks or has failed',
    },
    'run.redBase': {
      run: askAboutRedBase,
      refusal:
        state.phase === 'red_base' ? null : 'the run does not wait for a decision about its tests',
    },
    'run.runs': otherRuns,
    'run.web': browser,
    'run.quit': { run: onQuit },
  };
}

type Scrolling =
  | 'run.pageUp'
  | 'run.pageDown'
  | 'run.halfUp'
  | 'run.halfDown'
  | 'run.top'
  | 'run.bottom'
  | 'run.search'
  | 'run.found'
  | 'run.foundBack'
  | 'run.copy'
  | 'run.copyAll';

/** In the focused agent's terminal. */
function useScrolling(facts: ActionFacts): Pick<ActionsOf<'run'>, Scrolling> {
  const { view, height, runView, say, search, agent } = facts;
  const { surface, keymap } = useEnvironment();
  const otherRuns = useOtherRuns(facts.port, facts.run, say, facts.onLeave);
  const [, update] = useReducer((n: number) => n + 1, 0);
  const name = `agent${agent?.index ?? 0}`;
  const inTable =
    runView === 'overview' ? 'the overview has no scrollback; z shows the agent' : null;
  const none = inTable ?? (view ? null : `${name} has not printed anything yet`);
  const atTop = none ?? (view && view.top(height) === 0 ? 'this is the first line' : null);
  const atEnd = none ?? (view?.following ? 'this is the last line' : null);
  const scroll = (work: (pane: PaneView) => void, refusal: string | null): Action => ({
    run: () => {
      if (view) work(view);
      update();
    },
    refusal,
  });
  const find = (step: 1 | -1): Action => ({
    run: () =>
      void view?.find(view.query, step, height).then((found) => say(foundWords(view.query, found))),
    refusal: none ?? (view?.query ? null : `search first (${keymap.label('run.search')})`),
  });
  const hasSelection = view !== null && view.selected() !== null;
  const copy = (lines: readonly string[]) => {
    const end = lines.findLastIndex((line) => line.trim() !== '') + 1;
    if (end === 0) say('There is no text to copy.');
    else void surface.copy(lines.slice(0, end).join('\n')).then(say);
  };
  return {
    'run.pageUp': scroll((pane) => pane.scrollBy(-height, height), atTop),
    'run.pageDown': scroll((pane) => pane.scrollBy(height, height), atEnd),
    'run.halfUp': scroll((pane) => pane.scrollBy(-Math.ceil(height / 2), height), atTop),
    'run.halfDown': scroll((pane) => pane.scrollBy(Math.ceil(height / 2), height), atEnd),
    'run.top': scroll((pane) => pane.scrollTo(0, height), atTop),
    'run.bottom': scroll((pane) => pane.follow(), atEnd),
    'run.search': {
      run: search,
      refusal: runView === 'overview' ? null : none,
      ...(runView === 'overview' ? { hint: 'filter' } : {}),
    },
    'run.found': view && view.query !== '' ? find(1) : otherRuns,
    'run.foundBack': find(-1),
    'run.copy': {
      run: () => {
        if (!view) return;
        if (hasSelection) return copy(view.selectedText().split('\n'));
        copy(view.visibleText(height));
      },
      refusal: none,
      ...(hasSelection ? { hint: 'copy the selection' } : {}),
    },
    'run.copyAll': {
      run: () => view && void Promise.resolve(view.screen.lines()).then(copy),
      refusal: none,
    },
  };
}

type Leading =
  | 'run.type'
  | 'run.kill'
  | 'run.killAll'
  | 'run.restart'
  | 'run.restartRemark'
  | 'run.pause'
  | 'run.more'
  | 'run.fewer'
  | 'run.budget'
  | 'run.key'
  | 'run.model'
  | 'run.setup'
  | 'run.remark'
  | 'run.takeOver'
  | 'run.shell';

/** What is done to the agent in focus and to the run. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one entry for each action of the screen.
function useLeading(facts: ActionFacts): Pick<ActionsOf<'run'>, Leading> {
  const { port, run, state, agent, noAgent, say, startTyping, canType } = facts;
  const { surface, keymap } = useEnvironment();
  const dialogs = useDialogs();
  const askModel = useModelDialog(port);
  const index = agent?.index ?? 0;
  const name = agent ? `agent${index} (${agent.task.id})` : '';
  const { request, ask } = useRequests(run, say);
  const refused = (message: Request) => noAgent ?? refusalOf(state, message);
  const kill: Request = { type: 'kill_agent', agent: index };
  const again = (remark: string | null): Request => ({
    type: 'restart_agent',
    agent: index,
    remark,
  });
  const takeOver: Request = { type: 'take_over', agent: index };
  const pause: Request = { type: 'pause', paused: !state.paused };
  const loses = agent !== undefined && hasSomethingToLose(agent);
  const queued = agent?.state.name === 'queued';
  const follow = state.agents.filter(
    ({ task }) => agent && task.depends_on.includes(agent.task.id),
  );
  /** Of an agent that has ended: they were never told. */
  const untold = agent && agent.endedAt !== null ? agent.remarks.join('\n') : '';
  return {
    'run.type': {
      run: startTyping,
      refusal: noAgent ?? (canType ? null : `agent${index} has no process to type into`),
      ...(agent?.state.name === 'asking' ? { hint: 'answer' } : {}),
    },
    'run.kill': {
      run: () =>
        ask(
          `Kill ${name}?`,
          [
            queued
              ? `It does not start${follow.length === 0 ? '' : `, nor does what depends on it (${follow.map(({ task }) => task.id).join(', ')})`}.`
              : 'Its process ends now. What it has written so far is kept on its branch.',
          ],
          'kill',
          kill,
        ),
      refusal: refused(kill),
    },
    'run.killAll': {
      run: () =>
        ask(
          'Kill all agents?',
          ['Their processes end now, and queued ones do not start. Work is kept on the branches.'],
          'kill all',
          { type: 'kill_all' },
        ),
      refusal: refusalOf(state, { type: 'kill_all' }),
    },
    'run.restart': {
      run: () => {
        if (!loses && agent?.state.name !== 'succeeded') return request(again(null));
        ask(
          `Restart ${name}?`,
          ['It starts from the beginning. What it has done so far is kept on a branch.'],
          'restart',
          again(null),
        );
      },
      refusal: refused(again(null)),
    },
    'run.restartRemark': {
      run: () =>
        void dialogs.open({
          kind: 'field',
          multiline: true,
          title: `Restart ${name} with a remark`,
          lines: [
            untold === ''
              ? 'What the agent is told beside its task:'
              : 'What the agent is told beside its task. It ended before it was told this:',
          ],
          initial: untold,
          onDone: (text) => request(again(text.trim() === '' ? null : text.trim())),
        }),
      refusal: refused(again('remark')),
    },
    'run.pause': {
      run: () => request(pause),
      refusal: refusalOf(state, pause),
      ...(state.paused ? { hint: 'resume' } : {}),
    },
    'run.more': slots(state, 1, request),
    'run.fewer': slots(state, -1, request),
    'run.budget': {
      run: () =>
        void dialogs.open({
          kind: 'field',
          title: 'Budget',
          lines: ['US dollars that all agents may cost together; empty for no limit.'],
          initial: state.budgetUsd === null ? '' : String(state.budgetUsd),
          problem: (text) => {
            const usd = dollarsIn(text);
            return usd === null || usd > 0 ? null : `${text.trim()} is not an amount of dollars.`;
          },
          onDone: (text) => {
            const usd = dollarsIn(text);
            request({ type: 'set_budget', usd });
            say(usd === null ? 'The run has no budget.' : `The budget is ${dollars(usd)}.`);
          },
        }),
      refusal: refusalOf(state, { type: 'set_budget', usd: null }),
    },
    'run.key': useKeyAction(port, say, () => {}, state.config.model),
    'run.model': {
      run: () =>
        askModel(state.config.model, (model) => {
          request({ type: 'model_named', model });
          if (run.state().config.model === model) say(`New attempts use ${model}.`);
        }),
    },
    'run.setup': useSetupAction(run, say),
    'run.remark': {
      run: () =>
        void dialogs.open({
          kind: 'field',
          multiline: true,
          title: `Remark to ${name}`,
          lines: ['It goes to the model with the next message:'],
          onDone: (text) => {
            if (text.trim() === '') return;
            const remark: Request = { type: 'remark', agent: index, text: text.trim() };
            const refusal = refusalOf(run.state(), remark);
            if (refusal === null) run.dispatch(remark);
            // It has ended meanwhile, and what was typed is not lost.
            else offerRestart(text.trim(), refusal);
          },
        }),
      refusal: refused({ type: 'remark', agent: index, text: '' }),
    },
    'run.takeOver': {
      run: () => {
        const start = loses
          ? 'Its process ends, and an interactive Aider starts in its worktree'
          : queued
            ? 'As soon as it starts, an interactive Aider waits for you in its worktree'
            : 'It is started again, as an interactive Aider in its worktree';
        ask(
          `Take over ${name}?`,
          [
            `${start}: ${keymap.label('run.type')} types into it.`,
            ...(state.paused
              ? [`The run is paused: it starts when ${keymap.label('run.pause')} resumes.`]
              : []),
            'When you leave it (/exit), the work is judged like any other.',
          ],
          'take over',
          takeOver,
        );
      },
      refusal: refused(takeOver),
    },
    'run.shell': {
      run: () => {
        if (!agent || !('checkout' in agent.state)) return;
        const script = 'echo "The worktree of $0; exit leads back."; exec "$1"';
        const args = ['-c', script, name, surface.shell()];
        void surface.runProgram('/bin/sh', args, { cwd: agent.state.checkout.worktree });
      },
      refusal:
        noAgent ??
        (agent && 'checkout' in agent.state ? null : `agent${index} has no worktree now`),
    },
  };

  function offerRestart(text: string, refusal: string): void {
    dialogs.open({
      kind: 'field',
      multiline: true,
      title: `Restart ${name} with the remark?`,
      lines: [`${refusalWords(refusal)} Enter restarts it with this text, Esc drops it:`],
      initial: text,
      onDone: (remark) => request(again(remark.trim() === '' ? null : remark.trim())),
    });
  }
}

function slots(state: RunState, step: 1 | -1, request: (message: Request) => void): Action {
  const message: Request = { type: 'set_slots', slots: state.slots + step };
  return { run: () => request(message), refusal: refusalOf(state, message) };
}

type Texts = 'run.diff' | 'run.events' | 'run.task' | 'run.prd' | 'run.warnings';

/** What can be read during the run. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one entry for each action of the screen.
function useTexts(facts: ActionFacts): Pick<ActionsOf<'run'>, Texts> {
  const { run, state, agent, noAgent, say, seeWarnings } = facts;
  const { theme } = useEnvironment();
  const dialogs = useDialogs();
  const index = agent?.index ?? 0;
  const name = `agent${index} (${agent?.task.id ?? ''})`;
  const diff = async (): Promise<Render> => {
    const read = await run.diff(index);
    const text = read.ok ? read.value || 'No change so far.' : 'Git cannot tell what it changed.';
    return (width) => diffLines(text, width, theme);
  };
  const events = async (): Promise<Render> => {
    const lines = await run.events(index);
    return (width) => eventLines(lines, width);
  };
  const prd = async () => {
    const text = await run.prd();
    if (text === null) say('The PRD cannot be read any more.');
    else {
      dialogs.open({
        kind: 'viewer',
        title: 'PRD',
        source: (width) => renderMarkdown(text, width, theme),
      });
    }
  };
  return {
    'run.diff': {
      run: () =>
        void dialogs.open({ kind: 'viewer', title: `Diff of ${name}`, source: { look: diff } }),
      refusal: noAgent,
    },
    'run.events': {
      run: () =>
        void dialogs.open({
          kind: 'viewer',
          title: `Events of ${name}`,
          source: { look: events },
          follow: true,
        }),
      refusal: noAgent,
    },
    'run.task': {
      run: () => {
        if (!agent) return;
        const { task } = agent;
        const text = [
          `${task.id} ${task.title}`,
          '',
          task.description.trim(),
          '',
          'Files it changes',
          ...(task.files.length > 0 ? task.files : ['the whole repository']).map(
            (one) => `  ${one}`,
          ),
          '',
          'Files it only reads',
          ...(task.read.length > 0 ? task.read : ['none']).map((one) => `  ${one}`),
          '',
          `Waits for: ${task.depends_on.join(', ') || 'no other task'}`,
        ].join('\n');
        dialogs.open({
          kind: 'viewer',
          title: `Task of ${name}`,
          source: (width) => proseLines(text, width),
        });
      },
      refusal: noAgent,
    },
    'run.prd': {
      run: () => void prd(),
      refusal: state.prdPath === null ? 'this run has no PRD' : null,
    },
    'run.warnings': {
      run: () => {
        seeWarnings();
        dialogs.open({
          kind: 'viewer',
          title: 'Warnings of this run',
          source: (width) => warningLines(run.state(), width),
        });
      },
      refusal: state.warnings.length === 0 && state.rate === null ? 'there is no warning' : null,
    },
  };
}

/** Shows all that is known of the agent in focus. */
function useDetails({ run, agent }: ActionFacts): () => void {
  const { now, keymap } = useEnvironment();
  const dialogs = useDialogs();
  return () => {
    if (!agent) return;
    const { index } = agent;
    const look = async (): Promise<Render> => {
      const message = await run.lastMessage(index);
      const state = run.state();
      const text = detailsOf(state, state.agents[index] as Agent, message, now(), keymap);
      return (width) => plainOrProse(text, width);
    };
    dialogs.open({
      kind: 'viewer',
      title: `agent${index} (${agent.task.id})`,
      source: { look },
    });
  };
}

/** Sentences are broken between words; output of programs keeps its spaces. */
function plainOrProse(text: string, width: number): string[] {
  return text
    .split('\n')
    .flatMap((line) =>
      /^\s|\s{2}/.test(line) ? plainLines(line, width) : proseLines(line, width),
    );
}

/** The actions that matter most now; the hint line leaves out what is refused. */
export function hintsFor(
  state: RunState,
  view: RunView,
  isFiltered: boolean,
): readonly ActionName[] {
  const common = curesOf(
    state.agents.flatMap(({ state: now }) => (now.name === 'failed' ? [now.reason] : [])),
    'run',
  );
  if (state.phase === 'finished') {
    return [
      'run.open',
      'run.quit',
      ...common,
      'run.zoom',
      'run.overview',
      'run.restart',
      'run.diff',
      'run.events',
    ];
  }
  if (state.phase === 'red_base') return ['run.redBase', 'run.quit', 'run.prd', 'run.task'];
  // While nothing starts, what makes it go on comes first.
  const paused: ActionName[] = state.paused
    ? [...(state.circuitBreaker ? curesOf([state.circuitBreaker.reason], 'run') : []), 'run.pause']
    : [];
  if (view === 'overview') {
    return [
      ...(isFiltered ? (['run.unzoom'] as const) : []),
      ...paused,
      'run.overview',
      'run.zoom',
      'run.open',
      'run.sort',
      'run.search',
      'run.kill',
      'run.quit',
      'run.restart',
      'run.pause',
    ];
  }
  const asks = state.agents.some((agent) => agent.state.name === 'asking');
  return [
    ...(asks ? (['run.type', 'run.attention'] as const) : []),
    ...paused,
    ...common,
    'run.zoom',
    ...(asks ? [] : (['run.type'] as const)),
    'run.kill',
    'run.quit',
    'run.restart',
    'run.open',
    'run.overview',
    'run.diff',
    'run.takeOver',
    'run.pause',
    ...(asks ? [] : (['run.attention'] as const)),
    'run.warnings',
    'run.remark',
    'run.web',
  ];
}
