import {
  type Agent,
  committedWork,
  type FileChange,
  isActive,
  isDone,
  iterations,
  outcomeOf,
  timeSpent,
} from '../core/agent/agent.js';
import { moneyOf } from '../core/policy/budget.js';
import { testRunWords } from '../core/policy/test-run.js';
import type { RunState } from '../core/run/run.js';
import { isUnstarted, mends, outcomeWords } from '../core/text/words.js';
import { isLeftOut, lookOf } from './look.js';

/** What the keys of actions are called where this is shown; of a page without keys, its buttons. */
export interface Keys {
  label(action: string): string;
}

/** What an agent has changed, as far as is known now. */
export function changedFiles(agent: Agent): readonly FileChange[] {
  return isDone(agent) ? (committedWork(agent)?.diff.files ?? []) : agent.touched;
}

export function totalTokens({ usage }: Agent): number {
  return usage.promptTokens + usage.completionTokens;
}

/** What an agent has used, in words. */
function usedWords(agent: Agent): string {
  const { cost } = agent.usage;
  const tokens = totalTokens(agent);
  if (tokens === 0 && cost === null) return 'tokens and cost unknown';
  return `${tokens} tokens, ${cost === null ? 'cost unknown' : `$${cost.toFixed(4)}`}`;
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
  /** Succeeded, but their work is not in what is merged. */
  readonly leftOut: number;
  /** At work: a process, tests, a review or git works for it. */
  readonly working: number;
  /** Its attempt has ended, and the next one waits for the pause to end. */
  readonly paused: number;
  /** Has not started, and still may. */
  readonly waiting: number;
  readonly failed: number;
  readonly killed: number;
  /** Will not start: the run ended before, or what it depends on failed. */
  readonly notStarted: number;
  readonly tokens: number;
  /** US dollars; null when the price of some of it is not known. */
  readonly cost: number | null;
  /** What it will come to at the agents' pace; null while nobody can tell. */
  readonly forecast: number | null;
}

/** Whether an agent failed without having been started: for what it depends on, or as the run ended before. */
export function wasNotStarted({ state }: Agent): boolean {
  return state.name === 'failed' && isUnstarted(state.reason);
}

export function progressOf(state: RunState): Progress {
  const { agents } = state;
  const count = (wanted: (agent: Agent) => boolean) => agents.filter(wanted).length;
  const { spent, isPartial, forecast } = moneyOf(state);
  const ended = state.phase === 'finished';
  return {
    done: count((agent) => agent.state.name === 'succeeded' && !isLeftOut(state, agent)),
    leftOut: count((agent) => isLeftOut(state, agent)),
    working: count((agent) => isActive(agent) && agent.state.name !== 'waiting'),
    paused: count((agent) => agent.state.name === 'waiting'),
    waiting: ended ? 0 : count((agent) => agent.state.name === 'queued'),
    failed: count((agent) => agent.state.name === 'failed' && !wasNotStarted(agent)),
    killed: count((agent) => agent.state.name === 'killed'),
    notStarted: count((agent) => wasNotStarted(agent) || (ended && agent.state.name === 'queued')),
    tokens: agents.reduce((sum, agent) => sum + totalTokens(agent), 0),
    cost: isPartial ? null : spent,
    forecast: isPartial ? null : forecast,
  };
}

/** Whether work would be thrown away, or a process ended, by an agent's end. */
export function hasSomethingToLose(agent: Agent): boolean {
  return !isDone(agent) && agent.state.name !== 'queued';
}

/** What a queued agent waits for, and what becomes of it then. */
export function queuedWords(state: RunState, agent: Agent, keys: Keys): string {
  const waits = waitingWords(state, agent, keys);
  return agent.pendingRequest === 'take_over'
    ? `${waits} It is yours as soon as it starts.`
    : waits;
}

function waitingWords(state: RunState, agent: Agent, keys: Keys): string {
  if (state.phase === 'finished') return 'It was not started.';
  if (state.phase === 'red_base')
    return `Waits for your decision: the tests fail on the base (${keys.label('run.redBase')}).`;
  if (state.phase === 'testing') return 'Waits: the tests run on the base first.';
  const needs = agent.task.depends_on.flatMap((id) => {
    const other = state.agents.find((one) => one.task.id === id);
    return other ? [other] : [];
  });
  const names = (agents: readonly Agent[]) => agents.map((one) => one.task.id).join(', ');
  const unfinished = needs.filter((need) => need.state.name !== 'succeeded');
  if (unfinished.length > 0) return `Waits for ${names(unfinished)}.`;
  const unmerged = needs.filter((need) => !state.integration?.merged.includes(need.index));
  if (unmerged.length > 0) return `Waits until ${names(unmerged)} is merged.`;
  const resume = keys.label('run.pause');
  if (state.circuitBreaker) return `Waits: the run is halted; ${resume} resumes it.`;
  if (state.paused) return `Waits: the run is paused; ${resume} resumes it.`;
  return 'Waits for a free slot.';
}

/** What a pane shows of an agent that has no terminal (yet). */
export function stillWords(state: RunState, agent: Agent, keys: Keys): string[] {
  const { task } = agent;
  const outcome = outcomeOf(agent);
  return [
    task.title,
    '',
    outcome
      ? capital(`${outcomeWords(outcome)}.`)
      : agent.state.name === 'queued'
        ? queuedWords(state, agent, keys)
        : 'Its worktree is being made.',
    '',
    ...(task.files.length > 0 ? task.files : ['the whole repository']),
  ];
}

export function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Why an agent did not succeed, a sentence; '' for one that did, or is not done. */
export function failureWords(agent: Agent): string {
  const outcome = outcomeOf(agent);
  if (!outcome || outcome.state === 'succeeded') return '';
  return `${capital(outcomeWords(outcome).replace(/\.$/, ''))}.`;
}

/** What the tests said of an agent's work last, beside the base where that was red; '' when they were not asked. */
export function testWords({ baseTestRun }: RunState, { testRun: check }: Agent): string {
  if (check === null) return '';
  const before = baseTestRun?.report?.failed.length ?? 0;
  if (check.report && before > 0 && (check.state === 'passed' || check.state === 'failed')) {
    return `${before} → ${check.report.failed.length} fail`;
  }
  const failed = check.report?.failed.length ?? 0;
  if (check.state === 'failed' && failed > 0) return `${failed} fail`;
  const words = { passed: 'pass', failed: 'fail', stopped: 'stopped', faulted: 'not run' } as const;
  return words[check.state];
}

/** All that is known of an agent, to be read: why it failed, its tests, what it was told. */
export function detailsOf(
  state: RunState,
  agent: Agent,
  message: string,
  now: number,
  keys: Keys,
): string {
  const { task, testRun: check, review, repair } = agent;
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, '', ...lines];
  const outcome = outcomeOf(agent);
  const waits = agent.state.name === 'queued' ? queuedWords(state, agent, keys) : '';
  const mend = agent.state.name === 'failed' ? (mends[agent.state.reason] ?? '') : '';
  const failed = check?.report?.failed ?? [];
  return [
    `agent${agent.index}: ${task.id} ${task.title}`,
    '',
    outcome
      ? `${capital(outcomeWords(outcome).replace(/\.$/, ''))}.`
      : `${capital(lookOf(state, agent).word)}. ${waits}`.trim(),
    ...(mend === '' ? [] : [mend]),
    `${iterationWords(state, agent)} iterations, ${clock(elapsedMs(agent, now))}, ${usedWords(agent)}.`,
    ...(agent.leftIn === null ? [] : [`Its work is not committed; it is in ${agent.leftIn}.`]),
    ...section(
      'Tests',
      check === null
        ? []
        : [
            `${state.config.testCommand?.command ?? ''}: ${testRunWords(check)}`,
            ...failed.map((name) => `  ${name}`),
            ...(check.output === '' ? [] : ['', check.output]),
          ],
    ),
    ...section(
      'Could not be merged',
      repair ? [repair.words || repair.files.join(', '), repair.output].filter(Boolean) : [],
    ),
    ...section(
      'Review',
      review
        ? [
            ...review.criteria.map(
              (one) =>
                `${one.id}: ${one.verdict.replace('_', ' ')}${one.note === '' ? '' : `: ${one.note}`}`,
            ),
            review.remarks,
          ].filter(Boolean)
        : [],
    ),
    ...section(
      'Changes that were taken back',
      agent.refused.map((one) => one.path),
    ),
    ...section('Remarks that were not delivered', isDone(agent) ? agent.remarks : []),
    ...section('The last message to the model', message === '' ? [] : [message.trimEnd()]),
  ].join('\n');
}

export function iterationWords(state: RunState, agent: Agent): string {
  return `${iterations(agent)}/${state.config.maxIterations}`;
}
