// Longer than 300 lines: the states of an agent and what is read from them.
import type { Task } from '../plan/plan.js';
import type { Refusal } from '../policy/fence.js';
import type { Review } from '../policy/review.js';
import type { TestRun } from '../policy/test-run.js';
import { unreachable } from '../result.js';
import type { Brief, Feedback } from './brief.js';
import type { AttemptExit } from './evidence.js';
import type { CommittedWork, DiffStat, FailReason, FileChange, Repair } from './work.js';

export { failReasons } from './work.js';
export type { CommittedWork, DiffStat, FailReason, FileChange, Repair };

/**
 * One agent: the work on one file group, in as many processes (attempts) as it takes.
 *
 *             prepared           exited            no, and iterations are left
 *   queued ─> preparing ─> running ─> judging ─────────┬────> running
 *     ^           │         │  ^        │         paused v  ^ go on
 *     │           │         │  │        │            waiting
 *     │           │         │  │        │ yes, or no iterations left
 *     │           │    asks v  │        v        passed
 *     │           │        asking     testing ─────> (reviewing) ─> committing ─> succeeded | failed | killed
 *     │           │         │  │        └─ failed ─> (as no)
 *     │           │    stop v  v
 *     │           │       stopping ─ exited ─> judging
 *     v           v
 *   failed: its dependency failed, or its worktree could not be made; killed: the run was stopped
 *
 * A person can send any of the last three back to queued (a restart), and so does the merge with a
 * success that conflicts or breaks the tests (a repair): its next round begins.
 */
export type AgentState =
  | { readonly name: 'queued' }
  | {
      readonly name: 'preparing';
      /** Where its worktree begins. */
      readonly from: PrepareFrom;
    }
  | (Working & { readonly name: 'running' })
  | (Working & { readonly name: 'asking'; readonly question: string })
  | (Working & {
      readonly name: 'stopping';
      readonly cause: StopCause;
      readonly signal: StopSignal;
    })
  | (InCheckout & {
      readonly name: 'judging';
      readonly exit: AttemptExit;
      readonly cause: StopCause | null;
    })
  | (InCheckout & {
      readonly name: 'waiting';
      /** What its next message tells of the attempt before; null when that was fine. */
      readonly feedback: Feedback | null;
    })
  /** The project's tests run in its worktree. */
  | (InCheckout & { readonly name: 'testing' })
  /** A reviewer reads its diff. */
  | (InCheckout & { readonly name: 'reviewing' })
  | (InCheckout & { readonly name: 'committing'; readonly outcome: Outcome })
  | { readonly name: 'succeeded'; readonly work: CommittedWork }
  | {
      readonly name: 'failed';
      readonly reason: FailReason;
      readonly detail: string;
      readonly work: CommittedWork | null;
    }
  | { readonly name: 'killed'; readonly by: string; readonly work: CommittedWork | null };

export interface PrepareFrom {
  /** Commits it builds on; none means the base. */
  readonly onto: readonly string[];
  /** From 0; the branch of the round before is kept under another name. */
  readonly round: number;
  /** A commit of its own to go on with; null to begin anew. */
  readonly resume: string | null;
  /** A commit of its own to bring onto the start, conflicts and all; or null. */
  readonly rework: string | null;
}

/** An agent that has a worktree. */
interface InCheckout {
  readonly checkout: Checkout;
}

/** An agent whose process lives. */
interface Working extends InCheckout {
  readonly pid: number | null;
  /** What it was given to work by. */
  readonly brief: Brief;
}

export interface Checkout {
  /** Absolute path of the worktree. */
  readonly worktree: string;
  readonly branch: string;
  /** The commit the agent starts from: the base, or its dependencies merged. */
  readonly start: string;
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGKILL';

/** Why an agent's process is being stopped by us, or did not end by itself. */
export type StopCause =
  | { readonly kind: 'cap' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'unanswered'; readonly question: string }
  | { readonly kind: 'take_over' }
  | { readonly kind: 'budget' }
  /** It changed what would run code on the next start. */
  | { readonly kind: 'fence' }
  /** Its process ended with the program that ran it. Not stopped by us, and not its own doing. */
  | {
      readonly kind: 'lost';
      /** What its message told of the attempt before; it is told again. */
      readonly feedback: Feedback | null;
    }
  | { readonly kind: 'killed'; readonly by: string };

/** What a person asked for that happens when what is under way has ended. */
export type PendingRequest = 'restart' | 'take_over' | 'kill';

export type Outcome =
  | { readonly state: 'succeeded' }
  | { readonly state: 'failed'; readonly reason: FailReason; readonly detail: string }
  | { readonly state: 'killed'; readonly by: string };

/** One process of an agent, and the turns that it took: a message to the model, and its answer. */
export interface Attempt {
  readonly number: number;
  /** Restarts and repairs of the agent before it. */
  readonly round: number;
  /** A person talked to it, it was given no message. */
  readonly interactive: boolean;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Turns that began. */
  readonly sends: number;
  /** Turns that ended with a whole answer. */
  readonly responses: number;
  /** Of the last answer; null where that is not told. */
  readonly lastCompletionTokens: number | null;
  /** Turns that failed. */
  readonly exceptions: number;
  /** Paths that the agent says it has edited so far; a hint where to look, no evidence. */
  readonly edited: readonly string[];
  readonly exit: AttemptExit | null;
  /** Null until judged; then 'ok' or why not; 'lost' where it ended with the program that ran it. */
  readonly verdict: 'ok' | FailReason | 'killed' | 'lost' | null;
}

/** Two attempts with equal troubles got nowhere. */
export interface Trouble {
  readonly reason: FailReason;
  readonly detail: string;
  /** The tree that the worktree was left in. */
  readonly tree: string;
}

/** Repairs of one agent before it is left out. */
export const mostRepairs = 2;

export interface Conflict {
  /** The other one. */
  readonly agent: number;
  readonly files: readonly string[];
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** US dollars; null when the price of the model is not known. */
  readonly cost: number | null;
  /** The part of it whose price is known. */
  readonly knownCost: number;
}

export const noUsage: Usage = { promptTokens: 0, completionTokens: 0, cost: 0, knownCost: 0 };

/** Of a turn that tells nothing. */
export const unknownUsage: Usage = {
  promptTokens: 0,
  completionTokens: 0,
  cost: null,
  knownCost: 0,
};

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    cost: a.cost === null || b.cost === null ? null : a.cost + b.cost,
    knownCost: a.knownCost + b.knownCost,
  };
}

export interface Agent {
  /** From 0; names its branch and files. */
  readonly index: number;
  readonly task: Task;
  readonly state: AgentState;
  readonly attempts: readonly Attempt[];
  readonly usage: Usage;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** What earlier rounds took, milliseconds. */
  readonly spentMs: number;
  /** Goes up with each attempt and each stop, so that a late timer is known as late. */
  readonly epoch: number;
  /** What it changed and must not have, each path once. */
  readonly refused: readonly Refusal[];
  /** Restarts and repairs so far. */
  readonly round: number;
  /** Remarks of a person for its next message. */
  readonly remarks: readonly string[];
  readonly pendingRequest: PendingRequest | null;
  /** A commit of its own that its next round goes on with; null to begin anew. */
  readonly resume: string | null;
  /** Its worktree holds work that was judged a success; a later attempt may have been begun since. */
  readonly good: boolean;
  /** What its worktree showed when it was last looked at while it worked. */
  readonly touched: readonly FileChange[];
  /** Agents at work whose changes git cannot merge with its own, as things stand. */
  readonly conflicts: readonly Conflict[];
  /** Files that its replies named and that it could not see; its next messages show them. */
  readonly alsoRead: readonly string[];
  /** The failure of the attempt before and the state it left, to tell a failure that repeats itself. */
  readonly lastTrouble: Trouble | null;
  /** What the project's tests said of its work last; null when they were not asked. */
  readonly testRun: TestRun | null;
  /** What the reviewer said of its work last; null when none was asked. */
  readonly review: Review | null;
  /** Why its work could not be merged, while that is being mended or could not be. */
  readonly repair: Repair | null;
  readonly repairs: number;
  /** The round from which the cap on iterations counts: a restart begins anew, a repair goes on. */
  readonly capRound: number;
  /** Agents whose work it started from. */
  readonly builtOn: readonly number[];
  /** The worktree in which work lies that could not be committed; null when there is none. */
  readonly leftIn: string | null;
}

/** Milliseconds an agent has worked, over all its rounds; `now` counts where it still does. */
export function timeSpent({ spentMs, startedAt, endedAt }: Agent, now: number): number {
  return spentMs + (startedAt === null ? 0 : Math.max(0, (endedAt ?? now) - startedAt));
}

export function isDone(agent: Agent): boolean {
  const { name } = agent.state;
  return name === 'succeeded' || name === 'failed' || name === 'killed';
}

/** True while the agent has a slot: anything between queued and done. */
export function isActive(agent: Agent): boolean {
  return agent.state.name !== 'queued' && !isDone(agent);
}

/** Iterations as the log has them: one for each response of the model. */
export function iterations(agent: Agent): number {
  return agent.attempts.reduce((sum, attempt) => sum + attempt.responses, 0);
}

/** Iterations as the cap counts them: an ended attempt without any response counts as one, but for a lost one. */
export function iterationsUsed(agent: Agent): number {
  return agent.attempts
    .filter((attempt) => attempt.round >= agent.capRound && !attempt.interactive)
    .reduce(
      (sum, { responses, endedAt, verdict }) =>
        sum + Math.max(responses, endedAt === null || verdict === 'lost' ? 0 : 1),
      0,
    );
}

export function currentAttempt(agent: Agent): Attempt | null {
  return agent.attempts[agent.attempts.length - 1] ?? null;
}

export function committedWork(agent: Agent): CommittedWork | null {
  const { state } = agent;
  return state.name === 'succeeded' || state.name === 'failed' || state.name === 'killed'
    ? state.work
    : null;
}

export function outcomeOf(agent: Agent): Outcome | null {
  const { state } = agent;
  switch (state.name) {
    case 'succeeded':
      return { state: 'succeeded' };
    case 'failed':
      return { state: 'failed', reason: state.reason, detail: state.detail };
    case 'killed':
      return { state: 'killed', by: state.by };
    case 'queued':
    case 'preparing':
    case 'running':
    case 'asking':
    case 'stopping':
    case 'judging':
    case 'waiting':
    case 'testing':
    case 'reviewing':
    case 'committing':
      return null;
    default:
      return unreachable(state);
  }
}

export function newAgent(index: number, task: Task): Agent {
  return {
    index,
    task,
    state: { name: 'queued' },
    attempts: [],
    usage: noUsage,
    startedAt: null,
    endedAt: null,
    spentMs: 0,
    epoch: 0,
    refused: [],
    round: 0,
    remarks: [],
    pendingRequest: null,
    resume: null,
    good: false,
    touched: [],
    conflicts: [],
    alsoRead: [],
    lastTrouble: null,
    testRun: null,
    review: null,
    repair: null,
    repairs: 0,
    capRound: 0,
    builtOn: [],
    leftIn: null,
  };
}

/** Why an agent did not succeed, in one word: a `FailReason`, or who killed it. */
export function outcomeReason(outcome: Outcome): string | null {
  if (outcome.state === 'failed') return outcome.reason;
  return outcome.state === 'killed' ? outcome.by : null;
}
