import { useReducer } from 'react';
import { type Agent, isActive, isDone } from '../../core/agent.js';
import { restartRefusal } from '../../core/restart.js';
import type { RunState } from '../../core/run.js';
import { hasSomethingToLose } from '../agent-facts.js';
import { useDialogs } from '../components/dialogs.js';
import type { Hints } from '../components/screen-frame.js';
import type { PaneView } from '../pane-source.js';
import type { RunPort } from '../ports.js';
import { type ActionHandlers, useEnvironment } from '../surface.js';
import { diffLines, plainLines } from '../text/diff-lines.js';

/** What a search has found, in words. */
export function foundWords(query: string, found: { index: number; count: number } | null): string {
  return found ? `/${query} ${found.index + 1} of ${found.count}` : `/${query}: not found`;
}

interface ActionFacts {
  readonly run: RunPort;
  readonly state: RunState;
  readonly agent: Agent | undefined;
  readonly view: PaneView | null;
  readonly height: number;
  readonly setNote: (note: string) => void;
  readonly startTyping: () => void;
  readonly search: () => void;
}

/** What the keys do to the agent in focus and to the run. */
export function useRunActions(facts: ActionFacts): ActionHandlers {
  const { run, state, agent, view, height, setNote, startTyping, search } = facts;
  const { surface, theme } = useEnvironment();
  const dialogs = useDialogs();
  const [, update] = useReducer((n: number) => n + 1, 0);
  if (!agent) return {};
  const name = `agent${agent.index} (${agent.task.id})`;
  const scroll = (work: () => void) => () => {
    work();
    setNote('');
    update();
  };
  const ask = (title: string, lines: readonly string[], yes: string, onYes: () => void) =>
    dialogs.open({ kind: 'confirm', title, lines, yes, onYes });
  const again = (remark: string | null) =>
    run.dispatch({ type: 'restart_agent', agent: agent.index, remark });
  const mayRestart = () => {
    const refusal = restartRefusal(state, agent);
    if (refusal !== null) setNote(`not now: ${refusal}`);
    return refusal === null;
  };
  const restart = (remark: string | null) => {
    if (!mayRestart()) return;
    const loses = hasSomethingToLose(agent) || agent.state.name === 'succeeded';
    if (!loses) again(remark);
    else {
      ask(
        `Restart ${name}?`,
        ['It begins anew. What it has done so far is kept on a branch.'],
        'restart',
        () => again(remark),
      );
    }
  };
  return {
    'run.pageUp': scroll(() => view?.scrollBy(-height, height)),
    'run.pageDown': scroll(() => view?.scrollBy(height, height)),
    'run.halfUp': scroll(() => view?.scrollBy(-Math.ceil(height / 2), height)),
    'run.halfDown': scroll(() => view?.scrollBy(Math.ceil(height / 2), height)),
    'run.top': scroll(() => view?.scrollTo(0, height)),
    'run.bottom': scroll(() => view?.follow()),
    'run.search': () => (view ? search() : setNote('nothing to search in yet')),
    'run.found': () => {
      if (view?.query) setNote(foundWords(view.query, view.find(view.query, 1, height)));
    },
    'run.foundBack': () => {
      if (view?.query) setNote(foundWords(view.query, view.find(view.query, -1, height)));
    },
    'run.type': startTyping,
    'run.kill': () => {
      const kill = () => run.dispatch({ type: 'kill_agent', agent: agent.index });
      if (isDone(agent)) setNote('it has ended already');
      else if (!hasSomethingToLose(agent)) kill();
      else {
        ask(
          `Kill ${name}?`,
          ['Its process ends now. What it has written so far is kept on its branch.'],
          'kill',
          kill,
        );
      }
    },
    'run.killAll': () => {
      if (!state.agents.some((one) => !isDone(one))) return setNote('all have ended already');
      ask(
        'Kill all agents?',
        ['Their processes end now, queued ones do not start. Work is kept on the branches.'],
        'kill all',
        () => run.dispatch({ type: 'kill_all' }),
      );
    },
    'run.restart': () => restart(null),
    'run.restartRemark': () => {
      if (!mayRestart()) return;
      dialogs.open({
        kind: 'field',
        title: `Restart ${name} with a remark`,
        lines: ['What the agent is told beside its task:'],
        onDone: (text) => again(text.trim() === '' ? null : text.trim()),
      });
    },
    'run.pause': () => run.dispatch({ type: 'pause', paused: !state.paused }),
    'run.more': () => run.dispatch({ type: 'set_slots', slots: state.slots + 1 }),
    'run.fewer': () => run.dispatch({ type: 'set_slots', slots: state.slots - 1 }),
    'run.budget': () =>
      dialogs.open({
        kind: 'field',
        title: 'The budget',
        lines: ['US dollars that all agents may cost together; empty for no limit.'],
        initial: run.state().budgetUsd?.toFixed(2) ?? '',
        onDone: (text) => {
          const usd = text.trim() === '' ? null : Number(text.replace('$', '').trim());
          if (usd === null || usd > 0) run.dispatch({ type: 'set_budget', usd });
          else setNote(`${text.trim()} is no amount of dollars`);
        },
      }),
    'run.remark': () => {
      if (isDone(agent)) return setNote('it has ended; R restarts it with a remark');
      dialogs.open({
        kind: 'field',
        title: `Remark to ${name}`,
        lines: ['Goes to the model with the next message:'],
        onDone: (text) => {
          if (text.trim() !== '') {
            run.dispatch({ type: 'remark', agent: agent.index, text: text.trim() });
          }
        },
      });
    },
    'run.takeOver': () => {
      if (isDone(agent) && !mayRestart()) return;
      const take = () => run.dispatch({ type: 'take_over', agent: agent.index });
      if (!hasSomethingToLose(agent)) take();
      else {
        ask(
          `Take over ${name}?`,
          [
            'Its process ends, and an interactive Aider starts in its worktree: i types into it.',
            'When you leave it (/exit), the work is judged like any other.',
          ],
          'take over',
          take,
        );
      }
    },
    'run.shell': () => {
      const { state: now } = agent;
      if (!('place' in now)) return setNote('it has no worktree now');
      const script = 'echo "The worktree of $0; exit leads back."; exec "$1"';
      const shell = process.env.SHELL || '/bin/sh';
      void surface.runProgram('/bin/sh', ['-c', script, name, shell], { cwd: now.place.worktree });
    },
    'run.diff': () => {
      void run.diff(agent.index).then((diff) => {
        const text = diff.ok ? diff.value || 'No change so far.' : 'git cannot tell.';
        dialogs.open({
          kind: 'viewer',
          title: `Diff of ${name}`,
          render: (width) => diffLines(text, width, theme),
        });
      });
    },
    'run.events': () => {
      void run.events(agent.index).then((lines) => {
        dialogs.open({
          kind: 'viewer',
          title: `Events of ${name}`,
          render: (width) => plainLines(lines.join('\n') || 'No event so far.', width),
        });
      });
    },
    'run.copy': () => {
      if (!view) return setNote('nothing to copy yet');
      const lines = view.screen.lines();
      while (lines.at(-1)?.trim() === '') lines.pop();
      surface.copy(lines.join('\n'));
      setNote(`${lines.length} lines copied`);
    },
  };
}

/** The keys that matter now. */
export function hintsFor(state: RunState, agent: Agent | undefined): Hints {
  if (state.phase === 'finished') {
    return [
      ['run.open', 'summary'],
      ['run.zoom', 'zoom'],
      ['run.restart', 'restart'],
      ['run.quit', 'leave'],
      ['run.diff', 'diff'],
      ['run.events', 'events'],
    ];
  }
  if (state.phase === 'red_base') {
    return [
      ['run.redBase', 'decide what to do'],
      ['run.quit', 'leave'],
    ];
  }
  const asks = agent?.state.name === 'asking';
  const done = agent !== undefined && isDone(agent);
  return [
    ...(asks ? ([['run.type', 'answer']] as const) : []),
    ['run.zoom', 'zoom'],
    ...(done || asks || agent?.state.name === 'queued' ? [] : ([['run.type', 'type']] as const)),
    ...(done ? [] : ([['run.kill', 'kill']] as const)),
    ['run.quit', 'leave'],
    ['run.restart', 'restart'],
    ['run.diff', 'diff'],
    ...(agent && isActive(agent) ? ([['run.takeOver', 'take over']] as const) : []),
    ['run.pause', state.paused ? 'go on' : 'pause'],
    ['run.attention', 'attention'],
  ];
}
