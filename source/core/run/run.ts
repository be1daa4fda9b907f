import type { Agent, DiffStat, FailReason, Usage } from '../agent/agent.js';
import { noUsage } from '../agent/agent.js';
import type { Task } from '../plan/plan.js';
import type { Criterion } from '../policy/criteria.js';
import type { Failure } from '../policy/failure.js';
import type { Refusal } from '../policy/fence.js';
import type { Review } from '../policy/review.js';
import type { TestRun } from '../policy/test-run.js';
import type { RunConfig } from './config.js';

/**
 * The state of a run and all that can happen to it. Everything here is plain JSON: the messages of a
 * run, written down one by one, are enough to rebuild its state (see `update.ts`).
 *
 *   planning ─> confirming ─> testing <─> red_base ─> running <─> integrating ─> landing ─> finished
 *       └──────────┴────────────┴────────────┴───────────┴──(interrupted, failed)──────────────^
 *
 * Testing runs the project's tests on the base; where they fail there, a person may be asked what to do. Work is merged and tested while agents still run;
 * integrating is what is left of that when all are done.
 * A person can lead a finished run back: to running (more work on top of what is merged), to
 * integrating (without one agent's work) and to landing.
 */
export interface RunState {
  readonly config: RunConfig;
  readonly phase: Phase;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Milliseconds for which it had ended, or nobody ran it, before it was led on: none of them is the run's. */
  readonly rested: number;
  /** Absolute path of the PRD, once there is one. */
  readonly prdPath: string | null;
  /** The Gemini model that wrote the PRD; null when none did. */
  readonly geminiModelUsed: string | null;
  readonly warnings: readonly string[];
  readonly agents: readonly Agent[];
  readonly integration: Integration | null;
  readonly landing: Landing | null;
  /** Agents that may work at once; a person can change it while the run goes. */
  readonly slots: number;
  /** No agent starts and no message is sent. */
  readonly paused: boolean;
  /** Successful agents whose work a person left out. */
  readonly excluded: readonly number[];
  /** What the PRD asks for. */
  readonly criteria: readonly Criterion[];
  /** What the supervisor said of the merged work, and of which commit; null when none was asked. */
  readonly review: (Review & { readonly commit: string }) | null;
  /** What the tests said of the base; null when they were not asked. */
  readonly baseTestRun: TestRun | null;
  /** What was merged when a person led the finished run on: what comes since builds on it. */
  readonly mergedBefore: MergedWork | null;
  /** Work that is being merged and tested now. */
  readonly integrating: Integrating | null;
  /** US dollars that the agents may cost; a person can change it while the run goes. */
  readonly budgetUsd: number | null;
  /** The provider's limit, while it is felt. */
  readonly rate: RateState | null;
  /** Agents in the order in which they failed. */
  readonly failures: readonly number[];
  /** Why nothing more is begun: agents failed alike, for a cause that no retry cures. */
  readonly circuitBreaker: CircuitBreaker | null;
  /** What the reviewers have used, as far as they tell it. */
  readonly reviewUsage: Usage;
  /** The commit that landed last; null when none did. */
  readonly landed: string | null;
  /** What has landed is being taken back. */
  readonly undoing: boolean;
  /** Where the branch was before that, when it had moved since the run started; null when it had not. */
  readonly landedFrom: string | null;
  /** The merged work is brought onto a branch that has moved; null where that is not so. */
  readonly onto: OntoTip | null;
  /** The signal that stopped the run, such as SIGINT; null when none did. */
  readonly interruptedBy: string | null;
  readonly failure: Failure | null;
  /** How often a later program has gone on with it. */
  readonly resumed: number;
}

export type Phase =
  | 'planning'
  | 'confirming'
  | 'testing'
  | 'red_base'
  | 'running'
  | 'integrating'
  | 'reviewing'
  | 'landing'
  | 'finished';

export interface Integration {
  readonly branch: string;
  /** Tip of the integration branch; null when nothing was merged. */
  readonly commit: string | null;
  /** Agents whose work is in it. */
  readonly merged: readonly number[];
  readonly leftOut: readonly LeftOut[];
  readonly diff: DiffStat;
  /** What the tests said of the tip; null when they were not asked. */
  readonly testRun: TestRun | null;
}

export interface MergedWork {
  readonly commit: string;
  readonly merged: readonly number[];
}

/** How a provider's limit is met; null where it is not. */
export interface RateState {
  /** Requests that may be under way at once. */
  readonly window: number;
  readonly waiting: number;
  /** When requests may go again, epoch milliseconds; null when they may. */
  readonly until: number | null;
}

export interface Integrating {
  readonly order: readonly number[];
  /** All is merged anew, without what a person left out. */
  readonly rebuild: boolean;
}

export interface CircuitBreaker {
  readonly reason: FailReason;
  readonly detail: string;
  readonly agents: readonly number[];
}

/** What one batch came to. */
export interface IntegrationStep {
  /** Tip of the integration branch after it; null when nothing is merged. */
  readonly commit: string | null;
  /** Agents of the batch whose work is in it now. */
  readonly merged: readonly number[];
  readonly conflicts: readonly { readonly agent: number; readonly files: readonly string[] }[];
  /** Agents whose work breaks the tests on top of what was merged before. */
  readonly broken: readonly {
    readonly agent: number;
    readonly words: string;
    readonly output: string;
  }[];
  /** Of the batch, left out because an agent they build on was. */
  readonly because: readonly { readonly agent: number; readonly of: number }[];
  /** The whole change, from the base to the tip. */
  readonly diff: DiffStat;
  /** What the tests said of the tip; null when they were not asked. */
  readonly testRun: TestRun | null;
}

/** An agent that succeeded and whose work could not be merged. */
export interface LeftOut {
  readonly agent: number;
  /** Files in conflict; empty when it was left out because of `because`. */
  readonly files: readonly string[];
  /** The agent it builds on that was left out itself. */
  readonly because: number | null;
}

export type Landing =
  | { readonly state: 'landed'; readonly commit: string; readonly branch: string }
  | { readonly state: 'not_asked' }
  /** It is for a person to land it, after a look. */
  | { readonly state: 'waits' }
  /** A person took it back: the branch is where it was. */
  | { readonly state: 'undone'; readonly branch: string }
  | {
      readonly state: 'refused';
      readonly reason: string;
      readonly how: string;
      /** Where the branch is now, when it has moved: the work can be merged onto it. */
      readonly tip?: string | undefined;
      /** The runs that have moved it, when nobody else has. */
      readonly by?: readonly string[] | undefined;
    };

/** Work that lands on a branch which has moved since the run started. */
export interface OntoTip {
  /** Where the branch is. */
  readonly tip: string;
  /** What is under way; null when that has ended. */
  readonly step: 'merging' | 'testing' | 'landing' | null;
  /** The work merged onto the tip, once it is. */
  readonly commit: string | null;
}

export type TipMerge =
  | { readonly state: 'merged'; readonly commit: string }
  | { readonly state: 'refused'; readonly reason: string };

/** What came of taking a landing back. */
export type Undone =
  | { readonly state: 'undone' }
  | { readonly state: 'refused'; readonly reason: string; readonly how: string };

/** A plan as the planning effect delivers it. */
export interface MadePlan {
  readonly tasks: readonly Task[];
  readonly prdPath: string | null;
  readonly geminiModelUsed: string | null;
  readonly warnings: readonly string[];
  /** What the PRD asks for; empty without one. */
  readonly criteria: readonly Criterion[];
}

/** Where an inspection looks beside git; none of it is believed unseen. */
export interface InspectionHints {
  readonly edited: readonly string[];
  readonly named: readonly string[];
  /** A name in the last reply that is none of its files; null when there is none. */
  readonly misnamed: string | null;
  /** Files that held conflict markers. */
  readonly conflicted: readonly string[];
  /** When the attempt began, epoch milliseconds. */
  readonly since: number;
}

/** What git shows after an attempt. */
export interface Inspection {
  /** The agent's whole change so far, within its scope. */
  readonly diff: DiffStat;
  /** Whether this very attempt changed anything within the scope. */
  readonly changed: boolean;
  /** Whether the whole change is more than white space. */
  readonly substantial: boolean;
  /** What this attempt changed and must not have. */
  readonly refused: readonly Refusal[];
  /** The state it was left in, a tree; '' when git could not tell. */
  readonly tree: string;
  /** Tracked files that the replies named and that the agent could not see. */
  readonly named: readonly string[];
  /** Files that still hold conflict markers. */
  readonly unresolved: readonly string[];
  /** A failure of the inspection itself. */
  readonly failure: { readonly reason: FailReason; readonly detail: string } | null;
}

/** Milliseconds that a run has taken, without those in which it had ended and a person was reading. */
export function runTime({ startedAt, endedAt, rested }: RunState, now: number): number {
  return Math.max(0, (endedAt ?? now) - startedAt - rested);
}

export function initialState(config: RunConfig, at: number): RunState {
  return {
    config,
    phase: 'planning',
    startedAt: at,
    endedAt: null,
    rested: 0,
    prdPath: null,
    geminiModelUsed: null,
    warnings: [],
    agents: [],
    integration: null,
    landing: null,
    slots: config.maxAgents,
    paused: false,
    excluded: [],
    criteria: [],
    review: null,
    baseTestRun: null,
    mergedBefore: null,
    integrating: null,
    budgetUsd: config.budgetUsd,
    rate: null,
    failures: [],
    circuitBreaker: null,
    reviewUsage: noUsage,
    landed: null,
    undoing: false,
    landedFrom: null,
    onto: null,
    interruptedBy: null,
    failure: null,
    resumed: 0,
  };
}
