import type {
  Checkout,
  CommittedWork,
  Conflict,
  DiffStat,
  FailReason,
  Usage,
} from '../agent/agent.js';
import type { AttemptExit } from '../agent/evidence.js';
import type { Failure } from '../policy/failure.js';
import type { Refusal } from '../policy/fence.js';
import type { Review } from '../policy/review.js';
import type { RedBase } from '../policy/test-report.js';
import type { TestRun } from '../policy/test-run.js';
import type { RunConfig } from './config.js';
import type { Timer } from './effect.js';
import type {
  Inspection,
  IntegrationStep,
  Landing,
  MadePlan,
  RateState,
  TipMerge,
  Undone,
} from './run.js';

/** All that can happen to a run. Plain JSON: written down one by one, they are enough to rebuild its state. */
export type MessageBody =
  | { readonly type: 'run_started'; readonly config: RunConfig }
  | { readonly type: 'plan_made'; readonly plan: MadePlan }
  | { readonly type: 'plan_failed'; readonly failure: Failure }
  | { readonly type: 'plan_confirmed' }
  | { readonly type: 'plan_declined' }
  | { readonly type: 'agent_prepared'; readonly agent: number; readonly checkout: Checkout }
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
  /** A message went to the model. */
  | { readonly type: 'turn_started'; readonly agent: number }
  /** Its answer came whole. */
  | {
      readonly type: 'turn_ended';
      readonly agent: number;
      /** Null where the agent does not tell it. */
      readonly usage: Usage | null;
    }
  | { readonly type: 'turn_failed'; readonly agent: number; readonly cause: string | null }
  /** Paths that the agent says it has edited. */
  | { readonly type: 'agent_edited'; readonly agent: number; readonly files: readonly string[] }
  | { readonly type: 'agent_asks'; readonly agent: number; readonly question: string }
  | { readonly type: 'agent_goes_on'; readonly agent: number }
  | { readonly type: 'attempt_exited'; readonly agent: number; readonly exit: AttemptExit }
  /** Its process ended with the program that ran it, and nobody saw how. */
  | { readonly type: 'attempt_lost'; readonly agent: number }
  | { readonly type: 'attempt_inspected'; readonly agent: number; readonly inspection: Inspection }
  | { readonly type: 'base_tested'; readonly testRun: TestRun }
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
  | { readonly type: 'agent_tested'; readonly agent: number; readonly testRun: TestRun }
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
  | { readonly type: 'tip_tested'; readonly testRun: TestRun }
  /** Takes back what has landed. */
  | { readonly type: 'undo_landing' }
  | { readonly type: 'landing_undone'; readonly undone: Undone }
  /** A person has named another set-up command for the worktrees that are made from now on; null for none. */
  | { readonly type: 'setup_named'; readonly command: string | null }
  /** A person has named another model for what starts from now on. */
  | { readonly type: 'model_named'; readonly model: string }
  /** Another run in the same repository changes files that this one changes. */
  | {
      readonly type: 'files_shared';
      /** Its stamp. */
      readonly run: string;
      readonly files: readonly string[];
    }
  | { readonly type: 'interrupt'; readonly signal: string }
  | { readonly type: 'orphaned'; readonly detail: string }
  /** A later program goes on with the run. */
  | {
      readonly type: 'resumed';
      /** Since its last message, milliseconds. */
      readonly idleMs: number;
      /** Nobody watches it. */
      readonly unattended: boolean;
    }
  | { readonly type: 'integrated'; readonly step: IntegrationStep }
  | { readonly type: 'integration_failed'; readonly failure: Failure }
  | { readonly type: 'landing_done'; readonly landing: Landing };

/** The messages by which a person has a run do something; all others tell what has happened. */
export const personMessages = [
  'red_base_decided',
  'tests_named',
  'kill_agent',
  'kill_all',
  'restart_agent',
  'restart_failed',
  'remark',
  'take_over',
  'pause',
  'set_budget',
  'set_slots',
  'leave_out',
  'land_now',
  'undo_landing',
  'setup_named',
  'model_named',
  'interrupt',
] as const satisfies readonly MessageBody['type'][];

export type PersonMessage = Extract<
  MessageBody,
  { readonly type: (typeof personMessages)[number] }
>;

/** A message with the time it was dispatched, epoch milliseconds: `update` has no clock. */
export type Message = MessageBody & { readonly at: number };
