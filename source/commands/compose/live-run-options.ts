import type { Failure } from '../../core/policy/failure.js';
import type { Result } from '../../core/result.js';
import type { RunConfig } from '../../core/run/config.js';
import type { MadePlan, RunState } from '../../core/run/run.js';
import type { LogPaths } from '../../services/logs/log-paths.js';
import type { RunRecord } from '../../services/records/run-records.js';
import type { Observer } from '../../store/run-store.js';
import type { PreparedRun } from '../prepare-run.js';
import type { RunTelemetry } from './telemetry.js';

/** A run as a program before this one has left it. */
export interface LeftRun {
  readonly state: RunState;
  /** When its last message was written, epoch milliseconds. */
  readonly at: number;
  /** Nobody watches it from now on. */
  readonly unattended: boolean;
}

/** Everything a run is given, whether a screen shows it or not. */
export interface LiveRunOptions {
  readonly config: RunConfig;
  readonly run: PreparedRun;
  readonly paths: LogPaths;
  /** Our own record of the run, with the folder of its worktrees. */
  readonly record: RunRecord;
  /** The `--repo` flag, for the command that lands later. */
  readonly repoFlag: string | undefined;
  readonly plan: (signal: AbortSignal) => Promise<Result<MadePlan, Failure>>;
  readonly confirm: () => Promise<boolean>;
  readonly warn: (text: string) => void;
  /** Gemini's key as it is now, where a person can give another one. */
  readonly geminiKey?: () => string | null;
  /** Where a program before this one has left the run; null for a new one. */
  readonly from: LeftRun | null;
  /** Told of each message after it is on disk. */
  readonly observers: readonly Observer[];
  /** Tells the run elsewhere; null where nobody has asked for that. */
  readonly telemetry: RunTelemetry | null;
  /** Told each time the run has finished: a person may lead it on. */
  readonly onFinish: () => void;
}
