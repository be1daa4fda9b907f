import type {
  Agent,
  AttemptExit,
  CommittedWork,
  Conflict,
  DiffStat,
  FailReason,
  Place,
  StopSignal,
  Usage,
} from './agent.js';
import { noUsage } from './agent.js';
import type { CheckResult } from './check.js';
import type { Failure } from './failure.js';
import type { Refusal } from './fence.js';
import type { Task } from './plan.js';
import type { Criterion, Review } from './review.js';
import type { RunConfig } from './run-config.js';
import type { RedBase } from './test-report.js';

/**
 * The state of a run and all that can happen to it. Everything here is plain JSON: the messages of a
 * run, written down one by one, are enough to rebuild its state (see `update.ts`).
 *
 *   planning ─> confirming ─> checking <─> red_base ─> running <─> integrating ─> landing ─> finished
 *       └──────────┴────────────┴────────────┴───────────┴──(interrupted, failed)──────────────^
 *
 * Checking runs the project's tests on the base; where they fail there, a person may be asked what to do. Work is merged and tested while agents still run;
 * integrating is what is left of that when all are done.
 * A person can lead a finished run back: to running (another wave on top of what is merged), to
 * integrating (without one agent's work) and to landing.
 */
export interface RunState {
  readonly config: RunConfig;
  readonly phase: Phase;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Milliseconds for which it had ended before a person led it on: none of them is the run's. */
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
  readonly baseCheck: CheckResult | null;
  /** Merged work of earlier waves, which this one builds on. */
  readonly wave: MergedWork | null;
  /** Work that is being merged and tested now. */
  readonly integrating: Integrating | null;
  /** US dollars that the agents may cost; a person can change it while the run goes. */
  readonly budgetUsd: number | null;
  /** The provider's limit, while it is felt. */
  readonly rate: RateState | null;
  /** Agents in the order in which they failed. */
  readonly failures: readonly number[];
  /** Why nothing more is begun: agents failed alike, for a cause that no retry cures. */
  readonly halt: Halt | null;
  /** What the reviewers have used, as far as they tell it. */
  readonly reviewUsage: Usage;
  /** The commit that landed last; null when none did. */
  readonly landed: string | null;
  /** Where the branch was before that, when it had moved since the run started; null when it had not. */
  readonly landedFrom: string | null;
  /** The merged work is brought onto a branch that has moved; null where that is not so. */
  readonly onto: OntoTip | null;
  /** The signal that stopped the run, such as SIGINT; null when none did. */
  readonly interruptedBy: string | null;
  readonly failure: Failure | null;
}

export type Phase =
  | 'planning'
  | 'confirming'
  | 'checking'
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
  readonly check: CheckResult | null;
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

export interface Halt {
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
  readonly check: CheckResult | null;
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

/** An event of Aider's analytics log, as Aider wrote it. */
export interface AiderEvent {
  readonly event: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly time: number | null;
}

export type MessageBody =
  | { readonly type: 'run_started'; readonly config: RunConfig }
  | { readonly type: 'plan_made'; readonly plan: MadePlan }
  | { readonly type: 'plan_failed'; readonly failure: Failure }
  | { readonly type: 'plan_confirmed' }
  | { readonly type: 'plan_declined' }
  | { readonly type: 'agent_prepared'; readonly agent: number; readonly place: Place }
  | {
      readonly type: 'agent_not_prepared';
      readonly agent: number;
      readonly reason: FailReason;
      readonly detail: string;
    }
  | { readonly type: 'attempt_started'; readonly agent: number; readonly pid: number }
  | {
      readonly type: 'attempt_not_started';
      readonly agent: number;
      readonly reason: FailReason;
      readonly detail: string;
    }
  | { readonly type: 'aider_event'; readonly agent: number; readonly event: AiderEvent }
  | { readonly type: 'agent_asks'; readonly agent: number; readonly question: string }
  | { readonly type: 'agent_goes_on'; readonly agent: number }
  | { readonly type: 'attempt_exited'; readonly agent: number; readonly exit: AttemptExit }
  | { readonly type: 'attempt_inspected'; readonly agent: number; readonly inspection: Inspection }
  | { readonly type: 'base_checked'; readonly check: CheckResult }
  /** A person has decided what to do about a red base. */
  | { readonly type: 'red_base_decided'; readonly how: RedBase }
  /** A person has named another test command. */
  | { readonly type: 'tests_named'; readonly command: string }
  | {
      readonly type: 'agent_reviewed';
      readonly agent: number;
      readonly review: Review;
      /** Null where the reviewer tells no price, or did not answer. */
      readonly usage: Usage | null;
    }
  | {
      readonly type: 'supervised';
      readonly commit: string;
      readonly review: Review;
      readonly usage: Usage | null;
    }
  | { readonly type: 'agent_checked'; readonly agent: number; readonly check: CheckResult }
  | { readonly type: 'agent_committed'; readonly agent: number; readonly work: CommittedWork }
  | {
      readonly type: 'agent_not_committed';
      readonly agent: number;
      readonly reason: FailReason;
      readonly detail: string;
    }
  | { readonly type: 'timer_fired'; readonly timer: Timer }
  | { readonly type: 'rate_changed'; readonly rate: RateState | null }
  | {
      readonly type: 'agent_touched';
      readonly agent: number;
      readonly files: DiffStat['files'];
      /** Changes of its attempt that are not to be waited for. */
      readonly dangers: readonly Refusal[];
      /** With which agents its change cannot be merged now. */
      readonly conflicts: readonly Conflict[];
    }
  | { readonly type: 'kill_agent'; readonly agent: number }
  | { readonly type: 'kill_all' }
  | { readonly type: 'restart_agent'; readonly agent: number; readonly remark: string | null }
  | { readonly type: 'restart_failed' }
  | { readonly type: 'remark'; readonly agent: number; readonly text: string }
  | { readonly type: 'take_over'; readonly agent: number }
  | { readonly type: 'pause'; readonly paused: boolean }
  | { readonly type: 'set_budget'; readonly usd: number | null }
  | { readonly type: 'set_slots'; readonly slots: number }
  | { readonly type: 'leave_out'; readonly agent: number }
  | { readonly type: 'land_now' }
  /** The work was merged onto the tip of a branch that has moved, or conflicts with it. */
  | { readonly type: 'tip_merged'; readonly merged: TipMerge }
  | { readonly type: 'tip_checked'; readonly check: CheckResult }
  /** Takes back what has landed. */
  | { readonly type: 'undo_landing' }
  | { readonly type: 'landing_undone'; readonly undone: Undone }
  /** A person has named another set-up command for the worktrees that are made from now on; null for none. */
  | { readonly type: 'setup_named'; readonly command: string | null }
  /** A person has named another model for what starts from now on. */
  | { readonly type: 'model_named'; readonly model: string }
  | { readonly type: 'interrupt'; readonly signal: string }
  | { readonly type: 'orphaned'; readonly detail: string }
  | { readonly type: 'integrated'; readonly step: IntegrationStep }
  | { readonly type: 'integration_failed'; readonly failure: Failure }
  | { readonly type: 'landing_done'; readonly landing: Landing };

/** A message with the time it was dispatched, epoch milliseconds: `update` has no clock. */
export type Message = MessageBody & { readonly at: number };

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

export type TimerKind = 'wall_clock' | 'escalate' | 'unanswered';

/** A timer is meant for one agent at one epoch; when that has passed, it is late and means nothing. */
export interface Timer {
  readonly kind: TimerKind;
  readonly agent: number;
  readonly epoch: number;
}

export type Effect =
  | { readonly type: 'make_plan' }
  | { readonly type: 'confirm_plan' }
  | { readonly type: 'cancel_planning' }
  | {
      readonly type: 'prepare_agent';
      readonly agent: number;
      readonly onto: readonly string[];
      /** Its branch of the round before is kept under another name. */
      readonly round: number;
      /** A commit of its own whose work it goes on with; null to begin anew. */
      readonly resume: string | null;
      /** A commit of its own that is brought onto the new start, conflicts and all; or null. */
      readonly rework: string | null;
    }
  | {
      readonly type: 'start_attempt';
      readonly agent: number;
      readonly attempt: number;
      readonly place: Place;
      /** Null for an Aider that a person talks to. */
      readonly message: string | null;
    }
  | { readonly type: 'signal_agent'; readonly agent: number; readonly signal: StopSignal }
  | { readonly type: 'type_into_agent'; readonly agent: number; readonly text: string }
  | {
      readonly type: 'inspect_attempt';
      readonly agent: number;
      readonly place: Place;
      /** The attempt broke off in the middle of a reply, so its last edits are taken back. */
      readonly rollBack: boolean;
      readonly hints: InspectionHints;
    }
  | { readonly type: 'check_base'; readonly commit: string }
  | { readonly type: 'check_agent'; readonly agent: number; readonly place: Place }
  | {
      readonly type: 'review_agent';
      readonly agent: number;
      readonly place: Place;
      readonly criteria: readonly Criterion[];
    }
  | {
      readonly type: 'supervise';
      readonly commit: string;
      readonly criteria: readonly Criterion[];
    }
  /** Ends a check or a review: an agent's, or (null) those of the base and of the merged work. */
  | { readonly type: 'stop_check'; readonly agent: number | null }
  | {
      readonly type: 'commit_agent';
      readonly agent: number;
      readonly place: Place;
      readonly finished: boolean;
    }
  | {
      readonly type: 'look_at_agent';
      readonly agent: number;
      readonly place: Place;
      /** When its attempt began, epoch milliseconds. */
      readonly since: number;
    }
  | { readonly type: 'start_timer'; readonly timer: Timer; readonly ms: number }
  | {
      readonly type: 'integrate';
      readonly order: readonly number[];
      readonly onto: MergedWork | null;
      /** Whether the tests decide what stays, or are merely reported; null where none are run. */
      readonly check: 'decides' | 'reported' | null;
    }
  | {
      readonly type: 'land';
      readonly commit: string;
      /** Where the branch has to be for it. */
      readonly from: string;
      /** The integration branch is not there yet. */
      readonly advance?: boolean;
    }
  | { readonly type: 'merge_onto_tip'; readonly commit: string; readonly tip: string }
  | { readonly type: 'check_tip'; readonly commit: string }
  | { readonly type: 'undo_landing'; readonly commit: string; readonly from: string }
  | { readonly type: 'finish' };

/** Milliseconds that a run has taken, without those in which it had ended and a person was reading. */
export function runTime({ startedAt, endedAt, rested }: RunState, now: number): number {
  return Math.max(0, (endedAt ?? now) - startedAt - rested);
}

/** A state and what is to be done for it. */
export type Next = readonly [RunState, readonly Effect[]];

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
    baseCheck: null,
    wave: null,
    integrating: null,
    budgetUsd: config.budgetUsd,
    rate: null,
    failures: [],
    halt: null,
    reviewUsage: noUsage,
    landed: null,
    landedFrom: null,
    onto: null,
    interruptedBy: null,
    failure: null,
  };
}
