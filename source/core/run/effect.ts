import type { Checkout, PrepareFrom, StopSignal } from '../agent/agent.js';
import type { Brief } from '../agent/brief.js';
import type { Task } from '../plan/plan.js';
import type { Criterion } from '../policy/criteria.js';
import type { Measure } from '../policy/test-report.js';
import type { TestCommand } from '../policy/test-run.js';
import type { InspectionHints, MergedWork, RunState } from './run.js';

export type TimerKind = 'wall_clock' | 'escalate' | 'unanswered';

/** A timer is meant for one agent at one epoch; when that has passed, it is late and means nothing. */
export interface Timer {
  readonly kind: TimerKind;
  readonly agent: number;
  readonly epoch: number;
}

/** What tests are run by: the command that prepares the worktree, and the tests themselves. */
export interface TestPlan {
  readonly setup: string | null;
  readonly command: TestCommand;
}

/** A piece of work to be merged. */
export interface MergeItem {
  readonly agent: number;
  readonly title: string;
  readonly commit: string;
  /** Agents whose work it builds on. */
  readonly needs: readonly number[];
}

/** How merged work is tested. */
export interface TipTests extends TestPlan {
  /** Whether the tests decide what stays, or are merely reported. */
  readonly mode: 'decides' | 'reported';
  /** What they are held against. */
  readonly measure: Measure;
  /** Tests that the PRD's criteria point at. */
  readonly named: readonly string[];
}

/** How far an attempt has been told of: its turns, as they were counted. */
export interface Told {
  readonly sends: number;
  readonly responses: number;
  readonly exceptions: number;
}

/**
 * What is to be done for a state. An effect carries all it needs, so that it means the same whenever it is
 * carried out; and one that is carried out twice does no more than once: what is there already is given.
 */
export type Effect =
  | { readonly type: 'make_plan' }
  | { readonly type: 'confirm_plan' }
  | { readonly type: 'cancel_planning' }
  | {
      readonly type: 'prepare_agent';
      readonly agent: number;
      readonly task: Task;
      readonly from: PrepareFrom;
      readonly setup: string | null;
    }
  | {
      readonly type: 'start_attempt';
      readonly agent: number;
      readonly attempt: number;
      readonly checkout: Checkout;
      readonly brief: Brief;
      /** A person talks to it, it is given no message. */
      readonly interactive: boolean;
      readonly model: string;
      /** What has been told of this very attempt before; null when it has not begun. */
      readonly told: Told | null;
    }
  | { readonly type: 'signal_agent'; readonly agent: number; readonly signal: StopSignal }
  | {
      readonly type: 'inspect_attempt';
      readonly agent: number;
      readonly attempt: number;
      readonly task: Task;
      readonly checkout: Checkout;
      /** The attempt broke off in the middle of a reply, so its last edits are taken back. */
      readonly rollBack: boolean;
      readonly hints: InspectionHints;
    }
  | { readonly type: 'test_base'; readonly commit: string; readonly tests: TestPlan }
  | {
      readonly type: 'test_agent';
      readonly agent: number;
      readonly attempt: number;
      readonly task: Task;
      readonly checkout: Checkout;
      readonly command: TestCommand;
    }
  | {
      readonly type: 'review_agent';
      readonly agent: number;
      readonly task: Task;
      readonly checkout: Checkout;
      readonly criteria: readonly Criterion[];
    }
  | {
      readonly type: 'supervise';
      readonly commit: string;
      readonly criteria: readonly Criterion[];
    }
  /** Ends tests or a review: an agent's, or (null) those of the base and of the merged work. */
  | { readonly type: 'stop_tests'; readonly agent: number | null }
  | {
      readonly type: 'commit_agent';
      readonly agent: number;
      readonly task: Task;
      readonly checkout: Checkout;
      readonly finished: boolean;
      /** The PRD to name, relative to the repository. */
      readonly prdPath: string | null;
      readonly model: string;
    }
  | {
      readonly type: 'look_at_agent';
      readonly agent: number;
      readonly task: Task;
      readonly checkout: Checkout;
      /** When its attempt began, epoch milliseconds. */
      readonly since: number;
      /** Paths that it says it has edited. */
      readonly edited: readonly string[];
    }
  | { readonly type: 'start_timer'; readonly timer: Timer; readonly ms: number }
  | {
      readonly type: 'integrate';
      readonly items: readonly MergeItem[];
      /** Where all work starts. */
      readonly base: string;
      /** What was merged before; null for the base. */
      readonly onto: MergedWork | null;
      /** Null where none are run. */
      readonly tests: TipTests | null;
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
  | {
      readonly type: 'test_tip';
      readonly commit: string;
      readonly tests: TestPlan;
      readonly named: readonly string[];
    }
  | { readonly type: 'undo_landing'; readonly commit: string; readonly from: string }
  | { readonly type: 'finish' };

/** A state and what is to be done for it. */
export type Next = readonly [RunState, readonly Effect[]];
