import { useReducer } from 'react';
import type { Agent } from '../../core/agent.js';
import { refusalOf, type Wish } from '../../core/refusals.js';
import type { RunState } from '../../core/run.js';
import { type Action, type ActionsOf, refusalWords } from '../actions.js';
import { detailsOf, hasSomethingToLose } from '../agent-facts.js';
import { type Render, useDialogs } from '../components/dialogs.js';
import { type OverviewFacts, overviewColumns } from '../components/overview.js';
import type { ActionName } from '../keymap.js';
import type { RunView } from '../layout.js';
import type { PaneView } from '../pane-source.js';
import type { RunPort, WizardPort } from '../ports.js';
import { useEnvironment } from '../surface.js';
import { diffLines, plainLines, proseLines } from '../text/diff-lines.js';
import { renderMarkdown } from '../text/markdown.js';
import { useKeyAction, useModelDialog } from './keys-and-models.js';
import { eventLines, warningLines } from './run-texts.js';

/** What a search has found, in words. */
export function foundWords(query: string, found: { index: number; count: number } | null): string {
  return found ? `/${query} ${found.index + 1} of ${found.count}` : `/${query}: not found`;
}

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
  readonly move: (direction: 'left' | 'right' | 'up' | 'down') => void;
  readonly startTyping: () => void;
  readonly canType: boolean;
  readonly search: () => void;
  /** Null while there is no warning to dismiss. */
  readonly dismissBanner: (() => void) | null;
  readonly seeWarnings: () => void;
  readonly askAboutRedBase: () => void;
  readonly onSummary: () => void;
  readonly onQuit: () => void;
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
  | 'run.quit';

/** Where one looks. */
function useNavigation(facts: ActionFacts): Pick<ActionsOf<'run'>, Navigation> {
  const { state, agent, view, runView, setRunView, table, setTable, say, choose, move } = facts;
  const { onSummary, onQuit, askAboutRedBase, dismissBanner } = facts;
  const showDetails = useDetails(facts);
  const count = state.agents.length;
  const focused = agent?.index ?? 0;
  const alone = count < 2 ? 'there is no other agent' : null;
  const wants = (one: Agent) => ['asking', 'failed', 'killed'].includes(one.state.name);
  const others = [...state.agents.slice(focused + 1), ...state.agents.slice(0, focused)];
  const next = others.find(wants);
  const finished = state.phase === 'finished';
  const marked = view?.marked() ?? null;
  return {
    'run.left': { run: () => move('left'), refusal: alone },
    'run.right': { run: () => move('right'), refusal: alone },
    'run.up': { run: () => move('up'), refusal: alone },
    'run.down': { run: () => move('down'), refusal: alone },
    'run.next': { run: () => choose(focused + 1), refusal: alone },
    'run.previous': { run: () => choose(focused - 1), refusal: alone },
    'run.focus': {
      run: (key) => {
        const index = key === '' ? focused : Number(key);
        if (index < count) choose(index);
        else say(refusalWords(`there is no agent${index}`));
      },
    },
    'run.open': finished
      ? { run: onSummary, hint: 'summary' }
      : { run: () => showDetails(), refusal: agent ? null : 'there is no agent yet' },
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
      refusal: runView === 'overview' ? null : 'only the overview (o) is sorted',
    },
    'run.zoom': {
      run: () => setRunView(runView === 'zoomed' ? 'panes' : 'zoomed'),
      refusal: runView === 'panes' && count < 2 ? 'the only pane has all the room already' : null,
      ...(runView === 'zoomed' ? { hint: 'all panes' } : {}),
    },
    'run.unzoom': {
      run: () => {
        // First the marks of a search go, then the warning, then the zoom.
        if (marked) view?.clearMatch();
        else if (dismissBanner) dismissBanner();
        else setRunView('panes');
      },
      refusal:
        marked || dismissBanner || runView !== 'panes' ? null : 'all panes are shown already',
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
    run: () => view && say(foundWords(view.query, view.find(view.query, step, height))),
    refusal: none ?? (view?.query ? null : `search first (${keymap.label('run.search')})`),
  });
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
    'run.found': find(1),
    'run.foundBack': find(-1),
    'run.copy': {
      run: () => {
        if (!view) return;
        const top = view.top(height);
        copy(view.screen.lines().slice(top, top + height));
      },
      refusal: none,
    },
    'run.copyAll': { run: () => view && copy(view.screen.lines()), refusal: none },
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
  | 'run.remark'
  | 'run.takeOver'
  | 'run.shell';

/** What is done to the agent in focus and to the run. */
function useLeading(facts: ActionFacts): Pick<ActionsOf<'run'>, Leading> {
  const { port, run, state, agent, say, startTyping, canType } = facts;
  const { surface } = useEnvironment();
  const dialogs = useDialogs();
  const askModel = useModelDialog(port, say);
  const index = agent?.index ?? 0;
  const name = agent ? `agent${index} (${agent.task.id})` : '';
  const noAgent = agent ? null : 'there is no agent yet';
  const ask = (title: string, lines: readonly string[], yes: string, onYes: () => void) =>
    dialogs.open({ kind: 'confirm', title, lines, yes, onYes });
  /** What has been asked for may have come to be impossible while a dialog was open: then that is said. */
  const wish = (message: Wish) => {
    const refusal = refusalOf(run.state(), message);
    if (refusal === null) run.dispatch(message);
    else say(refusalWords(refusal));
  };
  const refused = (message: Wish) => noAgent ?? refusalOf(state, message);
  const kill: Wish = { type: 'kill_agent', agent: index };
  const again = (remark: string | null): Wish => ({ type: 'restart_agent', agent: index, remark });
  const takeOver: Wish = { type: 'take_over', agent: index };
  const pause: Wish = { type: 'pause', paused: !state.paused };
  const loses = agent !== undefined && hasSomethingToLose(agent);
  /** Of an agent that has ended: they were never told. */
  const untold = agent && agent.endedAt !== null ? agent.remarks.join('\n') : '';
  return {
    'run.type': {
      run: startTyping,
      refusal: noAgent ?? (canType ? null : `agent${index} has no process to type into`),
      ...(agent?.state.name === 'asking' ? { hint: 'answer' } : {}),
    },
    'run.kill': {
      run: () => {
        if (!loses) return wish(kill);
        ask(
          `Kill ${name}?`,
          ['Its process ends now. What it has written so far is kept on its branch.'],
          'kill',
          () => wish(kill),
        );
      },
      refusal: refused(kill),
    },
    'run.killAll': {
      run: () =>
        void ask(
          'Kill all agents?',
          ['Their processes end now, and queued ones do not start. Work is kept on the branches.'],
          'kill all',
          () => wish({ type: 'kill_all' }),
        ),
      refusal: refusalOf(state, { type: 'kill_all' }),
    },
    'run.restart': {
      run: () => {
        if (!loses && agent?.state.name !== 'succeeded') return wish(again(null));
        ask(
          `Restart ${name}?`,
          ['It starts from the beginning. What it has done so far is kept on a branch.'],
          'restart',
          () => wish(again(null)),
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
          onDone: (text) => wish(again(text.trim() === '' ? null : text.trim())),
        }),
      refusal: refused(again('remark')),
    },
    'run.pause': {
      run: () => wish(pause),
      refusal: refusalOf(state, pause),
      ...(state.paused ? { hint: 'resume' } : {}),
    },
    'run.more': slots(state, 1, wish),
    'run.fewer': slots(state, -1, wish),
    'run.budget': {
      run: () =>
        void dialogs.open({
          kind: 'field',
          title: 'Budget',
          lines: ['US dollars that all agents may cost together; empty for no limit.'],
          initial: state.budgetUsd === null ? '' : String(state.budgetUsd),
          onDone: (text) => {
            const usd = text.trim() === '' ? null : Number(text.replace('$', '').trim());
            if (usd === null || usd > 0) wish({ type: 'set_budget', usd });
            else say(`${text.trim()} is not an amount of dollars; nothing was changed.`);
          },
        }),
    },
    'run.key': useKeyAction(port, say, () => {}, state.config.model),
    'run.model': {
      run: () =>
        askModel(state.config.model, (model) => {
          wish({ type: 'model_named', model });
          if (run.state().config.model === model) say(`New attempts use ${model}.`);
        }),
    },
    'run.remark': {
      run: () =>
        void dialogs.open({
          kind: 'field',
          multiline: true,
          title: `Remark to ${name}`,
          lines: ['It goes to the model with the next message:'],
          onDone: (text) => {
            if (text.trim() === '') return;
            const remark: Wish = { type: 'remark', agent: index, text: text.trim() };
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
        if (!loses) return wish(takeOver);
        ask(
          `Take over ${name}?`,
          [
            'Its process ends, and an interactive Aider starts in its worktree: i types into it.',
            'When you leave it (/exit), the work is judged like any other.',
          ],
          'take over',
          () => wish(takeOver),
        );
      },
      refusal: refused(takeOver),
    },
    'run.shell': {
      run: () => {
        if (!agent || !('place' in agent.state)) return;
        const script = 'echo "The worktree of $0; exit leads back."; exec "$1"';
        const args = ['-c', script, name, surface.shell()];
        void surface.runProgram('/bin/sh', args, { cwd: agent.state.place.worktree });
      },
      refusal:
        noAgent ?? (agent && 'place' in agent.state ? null : `agent${index} has no worktree now`),
    },
  };

  function offerRestart(text: string, refusal: string): void {
    dialogs.open({
      kind: 'field',
      multiline: true,
      title: `Restart ${name} with the remark?`,
      lines: [`${refusalWords(refusal)} Enter restarts it with this text, Esc drops it:`],
      initial: text,
      onDone: (remark) => wish(again(remark.trim() === '' ? null : remark.trim())),
    });
  }
}

function slots(state: RunState, step: 1 | -1, wish: (message: Wish) => void): Action {
  const message: Wish = { type: 'set_slots', slots: state.slots + step };
  return { run: () => wish(message), refusal: refusalOf(state, message) };
}

type Texts = 'run.diff' | 'run.events' | 'run.task' | 'run.prd' | 'run.warnings';

/** What can be read during the run. */
function useTexts(facts: ActionFacts): Pick<ActionsOf<'run'>, Texts> {
  const { run, state, agent, say, seeWarnings } = facts;
  const { theme } = useEnvironment();
  const dialogs = useDialogs();
  const noAgent = agent ? null : 'there is no agent yet';
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
  const { now } = useEnvironment();
  const dialogs = useDialogs();
  return () => {
    if (!agent) return;
    const { index } = agent;
    const look = async (): Promise<Render> => {
      const message = await run.lastMessage(index);
      const state = run.state();
      const text = detailsOf(state, state.agents[index] as Agent, message, now());
      return (width) => plainOrProse(text, width);
    };
    dialogs.open({
      kind: 'viewer',
      title: `agent${index} (${agent.task.id})`,
      source: { look },
    });
  };
}

/** Sentences are broken between words; output of programs keeps its blanks. */
function plainOrProse(text: string, width: number): string[] {
  return text
    .split('\n')
    .flatMap((line) =>
      /^\s|\s{2}/.test(line) ? plainLines(line, width) : proseLines(line, width),
    );
}

/** The actions that matter most now; the hint line leaves out what is refused. */
export function hintsFor(state: RunState, view: RunView): readonly ActionName[] {
  if (state.phase === 'finished') {
    return [
      'run.open',
      'run.quit',
      'run.zoom',
      'run.overview',
      'run.restart',
      'run.diff',
      'run.events',
    ];
  }
  if (state.phase === 'red_base') return ['run.redBase', 'run.quit', 'run.prd', 'run.task'];
  if (view === 'overview') {
    return [
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
    ...(state.halt ? (['run.key', 'run.model', 'run.pause'] as const) : []),
    'run.zoom',
    ...(asks ? [] : (['run.type'] as const)),
    'run.kill',
    'run.quit',
    'run.restart',
    'run.open',
    'run.overview',
    'run.diff',
    'run.takeOver',
    ...(state.halt ? [] : (['run.pause'] as const)),
    ...(asks ? [] : (['run.attention'] as const)),
    'run.warnings',
    'run.remark',
  ];
}
