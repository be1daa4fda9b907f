import {
  type Agent,
  committedWork,
  type FileChange,
  isActive,
  isDone,
  iterations,
  outcomeOf,
  timeSpent,
} from '../core/agent.js';
import { moneyOf } from '../core/budget.js';
import type { RunState } from '../core/run.js';
import { outcomeWords } from '../core/words.js';

/** What an agent has changed, as far as is known now. */
export function changedFiles(agent: Agent): readonly FileChange[] {
  return isDone(agent) ? (committedWork(agent)?.diff.files ?? []) : agent.touched;
}

export function totalTokens({ usage }: Agent): number {
  return usage.promptTokens + usage.completionTokens;
}

/** Milliseconds an agent has worked; 0 before it began. */
export function elapsedMs(agent: Agent, now: number): number {
  return timeSpent(agent, now);
}

/** Minutes and seconds, for what is still counting. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const rest = String(seconds % 60).padStart(2, '0');
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}

/** Files that an agent and others touch at once, with the numbers of those others. */
export function clashes(state: RunState, agent: Agent): { file: string; others: number[] }[] {
  const mine = changedFiles(agent).map((file) => file.path);
  return mine.flatMap((file) => {
    const others = state.agents
      .filter((other) => other !== agent && !related(state, agent, other))
      .filter((other) => changedFiles(other).some((change) => change.path === file))
      .map((other) => other.index);
    return others.length > 0 ? [{ file, others }] : [];
  });
}

/** One of the two builds on the other's work, so that both may change a file. */
function related(state: RunState, a: Agent, b: Agent): boolean {
  const needs = (from: Agent, wanted: string, seen: Set<string>): boolean =>
    from.task.depends_on.some((id) => {
      if (id === wanted) return true;
      if (seen.has(id)) return false;
      seen.add(id);
      const next = state.agents.find((agent) => agent.task.id === id);
      return next ? needs(next, wanted, seen) : false;
    });
  return needs(a, b.task.id, new Set()) || needs(b, a.task.id, new Set());
}

export interface Progress {
  readonly done: number;
  readonly running: number;
  readonly waiting: number;
  readonly failed: number;
  readonly tokens: number;
  /** US dollars; null when the price of some of it is not known. */
  readonly cost: number | null;
  /** What it will come to at the agents' pace; null while nobody can tell. */
  readonly forecast: number | null;
}

export function progressOf(state: RunState): Progress {
  const { agents } = state;
  const count = (wanted: (agent: Agent) => boolean) => agents.filter(wanted).length;
  const { spent, isPartial, forecast } = moneyOf(state);
  return {
    done: count((agent) => agent.state.name === 'succeeded'),
    running: count(isActive),
    waiting: count((agent) => agent.state.name === 'queued'),
    failed: count((agent) => agent.state.name === 'failed' || agent.state.name === 'killed'),
    tokens: agents.reduce((sum, agent) => sum + totalTokens(agent), 0),
    cost: isPartial ? null : spent,
    forecast: isPartial ? null : forecast,
  };
}

/** Whether work would be thrown away, or a process ended, by an agent's end. */
export function hasSomethingToLose(agent: Agent): boolean {
  return !isDone(agent) && agent.state.name !== 'queued';
}

/** What an agent waits for that could begin. */
function queuedWords(state: RunState): string {
  if (state.phase === 'finished') return 'It was not started.';
  if (state.phase === 'red_base') return 'Waits for you: the tests fail on the base (b).';
  if (state.phase === 'checking') return 'Waits: the tests run on the base first.';
  return state.paused ? 'Waits: the run is paused.' : 'Waits for a free slot.';
}

/** What a pane shows of an agent that has no terminal (yet). */
export function stillWords(state: RunState, agent: Agent): string[] {
  const { task } = agent;
  const waiting = task.depends_on.filter((id) => {
    const other = state.agents.find((one) => one.task.id === id);
    return other && other.state.name !== 'succeeded';
  });
  const outcome = outcomeOf(agent);
  return [
    task.title,
    '',
    outcome
      ? outcomeWords(outcome)
      : waiting.length > 0
        ? `Waits for ${waiting.join(', ')}.`
        : agent.state.name === 'queued'
          ? queuedWords(state)
          : 'Its worktree is being made.',
    '',
    ...(task.files.length > 0 ? task.files : ['the whole repository']),
  ];
}

export function iterationWords(state: RunState, agent: Agent): string {
  return `${iterations(agent)}/${state.config.maxIterations}`;
}
