import type { RunPort } from '../../app/ports.js';
import type { Failure } from '../../core/policy/failure.js';
import type { Result } from '../../core/result.js';
import type { Repository } from '../../services/git/repository.js';
import type { AiderCommand } from '../aider-command.js';
import type { LeftRunHere } from '../find-left-run.js';
import type { OpenedRun } from '../open-run.js';
import type { BeginOrder, ResumeOrder } from './orders.js';

/** A run as the program that shows it holds it. */
export interface HeldRun {
  readonly port: RunPort;
  /** Resolves when the run cannot be heard of any more; never for one of this process. */
  readonly lost: Promise<void>;
  /** A person has left it running. */
  isLeft(): boolean;
  /** It cannot be heard of any more. */
  isLost(): boolean;
  /** Whether the process that runs it has this variable; null where that is this one. */
  hasKey(variable: string): boolean | null;
  /** Gives the process that runs it an API key. */
  setKey(variable: string, key: string): void;
  /** A person does something here: terminals get the sizes that suit this screen. */
  used(): void;
  /** Lets go of it: one that has finished is closed, another one goes on where it can. */
  close(): Promise<void>;
}

/** Runs one run: in this process, or in one of its own that outlives this one. */
export interface RunHost {
  /** Begins what takes its time: an Aider is warmed up, the repository is read. */
  prepare(repo: Repository, opened: OpenedRun, aider: AiderCommand | null): void;
  /** What the planner is told of the repository. */
  digest(change: string, focus: readonly string[]): Promise<string>;
  begin(order: BeginOrder, repo: Repository): Promise<Result<HeldRun, Failure>>;
  resume(
    order: ResumeOrder,
    left: LeftRunHere,
    repo: Repository,
  ): Promise<Result<HeldRun, Failure>>;
  /** Ends it where no run has begun. */
  close(): Promise<void>;
}
