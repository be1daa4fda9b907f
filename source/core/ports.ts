import type {
  Checkout,
  CommittedWork,
  Conflict,
  DiffStat,
  FailReason,
  PrepareFrom,
  StopSignal,
  Usage,
} from './agent/agent.js';
import type { AttemptExit } from './agent/evidence.js';
import type { Task } from './plan/plan.js';
import type { Failure, PlannerProblem } from './policy/failure.js';
import type { Refusal } from './policy/fence.js';
import type { MachineFault } from './policy/machine-fault.js';
import type { TestRun } from './policy/test-run.js';
import type { Result } from './result.js';
import type { Effect, MergeItem, TestPlan } from './run/effect.js';
import type { Inspection, InspectionHints, Landing, Undone } from './run/run.js';

/**
 * What the core needs from the world, shaped by who calls it. Services implement these; tests and
 * other services can replace any of them with a few lines.
 */

/** Writes a PRD and splits the work. Gemini is one. */
export interface Planner {
  makePlan(request: PlanRequest): Promise<Result<PlannerAnswer, Failure>>;
}

export interface PlanRequest {
  readonly change: string;
  /** What the planner may know of the repository, as text; says itself when it is only a part. */
  readonly digest: string;
  readonly focus: readonly string[];
  readonly maxAgents: number;
  readonly signal: AbortSignal;
  /** A PRD that does not do, and what a person wants to be different; null for the first try. */
  readonly again: { readonly prd: string; readonly remark: string } | null;
  /** Called with the PRD as far as it has arrived. */
  readonly onText?: (prd: string) => void;
  /** Called before an attempt that waits. */
  readonly onWait?: (wait: PlanWait) => void;
}

/** Why a planner's next attempt waits, and how long. */
export interface PlanWait {
  readonly problem: PlannerProblem;
  readonly detail: string;
  /** When it is made, epoch milliseconds. */
  readonly until: number;
  /** Which one that is, from 1, of how many. */
  readonly attempt: number;
  readonly attempts: number;
}

export interface PlannerAnswer {
  /** The PRD as Markdown, without the tasks. */
  readonly prd: string;
  readonly tasks: readonly Task[];
  /** False when the planner says that the work must not be split. */
  readonly parallel: boolean;
  readonly model: string;
  readonly warnings: readonly string[];
}

/** Reads a change against criteria. Gemini is one, any model of Aider's another. */
export interface Reviewer {
  /** @returns the model's answer as it is; `readReview` makes sense of it */
  review(prompt: string, signal: AbortSignal): Promise<Result<ReviewerAnswer, Failure>>;
}

export interface ReviewerAnswer {
  readonly text: string;
  readonly model: string;
  /** Null where no price is told. */
  readonly usage: Usage | null;
}

/** Worktrees, commits and merges: where the agents' work lives. */
export interface Workspace {
  /** Makes an agent's worktree on its branch, from the base or from the commits it builds on. */
  prepare(
    agent: number,
    task: Task,
    from: PrepareFrom,
    setup: string | null,
  ): Promise<Result<Checkout, WorkProblem>>;
  /** Ends a preparation: no set-up command is started any more, one that runs gets the signal. */
  interruptPrepare(agent: number, signal: StopSignal): void;
  /** What an agent at work has changed so far; touches nothing, and gives null when git cannot tell. */
  changesSoFar(
    agent: number,
    task: Task,
    checkout: Checkout,
    hints: Pick<InspectionHints, 'edited' | 'since'>,
  ): Promise<ChangesSoFar | null>;
  /** What an attempt changed; puts back what it must not have changed. */
  inspect(
    agent: number,
    attempt: number,
    task: Task,
    checkout: Checkout,
    rollBack: boolean,
    hints: InspectionHints,
  ): Promise<Inspection>;
  /** Commits the work on the agent's branch and removes the worktree. */
  commit(work: WorkToCommit): Promise<Result<CommittedWork, WorkProblem>>;
  /** An agent's change so far, or a commit's against the base, as a patch. */
  patch(agent: number, checkout: Checkout): Promise<Result<string, Failure>>;
  patchOf(commit: string): Promise<Result<string, Failure>>;
  /** Runs the project's tests on a commit, in a fresh checkout; never throws. */
  testCommit(commit: string, tests: TestPlan, signal: AbortSignal): Promise<TestRun>;
  /** Runs them in an agent's worktree, which is afterwards as it was before. */
  testAgent(agent: AgentToTest, signal: AbortSignal): Promise<TestRun>;
  /** Merges one piece of work onto a commit, without a checkout. */
  merge(onto: string, item: MergeItem): Promise<Result<Merged, Failure>>;
  /** Sets the integration branch; gives the whole change from the base. */
  advance(commit: string): Promise<Result<DiffStat, Failure>>;
  /** @param from where the branch has to be */
  land(commit: string, from: string): Promise<Landing>;
  /** Merges the merged work onto the tip of a branch that has moved, without a checkout. */
  mergeOntoTip(tip: string, commit: string): Promise<Result<Merged, Failure>>;
  /** Brings the branch back to where it was, from the commit that has landed. */
  undoLanding(commit: string, from: string): Promise<Undone>;
}

/** What is to be committed, and what its message tells. */
export type WorkToCommit = Omit<Effect & { readonly type: 'commit_agent' }, 'type'>;

export type AgentToTest = Omit<Effect & { readonly type: 'test_agent' }, 'type'>;

/** What an agent at work has changed. */
export interface ChangesSoFar {
  readonly files: DiffStat['files'];
  /** What must end it at once. */
  readonly dangers: readonly Refusal[];
  /** With which agents its change cannot be merged, as both stand now. */
  readonly conflicts: readonly Conflict[];
}

export type Merged =
  | { readonly clean: true; readonly commit: string }
  | { readonly clean: false; readonly files: readonly string[] };

export interface WorkProblem {
  readonly reason: FailReason;
  readonly detail: string;
  /** Of the machine, where it is that. */
  readonly fault?: MachineFault;
}

/** Runs an agent's processes, one for each attempt. Aider is one. */
export interface AgentBackend {
  /**
   * Starts an attempt. One that has been begun before (`told`) is gone on with, as far as it is still there: what has
   * not been told of it is told now, and where its process ended with the program that ran it, that.
   * @returns null where nothing of it runs any more, and all has been told
   * @param signal gives the start up; what came of it is ended
   */
  start(
    request: AttemptRequest,
    events: AttemptEvents,
    signal: AbortSignal,
  ): Promise<Result<AttemptHandle | null, WorkProblem>>;
}

export type AttemptRequest = Omit<Effect & { readonly type: 'start_attempt' }, 'type'>;

/** Facts from a running attempt, in the order in which they happened; `exited` or `lost` is the last. */
export interface AttemptEvents {
  /** A message goes to the model. */
  turnStarted(): void;
  /** Its answer came whole. @param usage null where that is not told */
  turnEnded(usage: Usage | null): void;
  turnFailed(cause: string | null): void;
  /** Paths that it says it has edited. */
  edited(files: readonly string[]): void;
  asks(question: string): void;
  goesOn(): void;
  exited(exit: AttemptExit): void;
  /** In the place of `exited`: its process ended with the program that ran it, and nobody saw how. */
  lost(): void;
}

export interface AttemptHandle {
  readonly pid: number;
  /** To the whole process group. */
  signal(signal: StopSignal): void;
}

export type { DiffStat };
