import type { Failure } from '../../core/policy/failure.js';
import type { RunConfig } from '../../core/run/config.js';
import type { MadePlan } from '../../core/run/run.js';
import type { AiderCommand } from '../aider-command.js';
import type { Arguments } from '../arguments.js';
import type { OpenedRun } from '../open-run.js';

/**
 * What the program that starts a run and the process that hosts it say to each other before the run begins, over a
 * pipe between them: keys are among it, so that none is ever among arguments. Both are the same installed program.
 */

/** What was asked for, as JSON. */
export type OpenedParts = Omit<OpenedRun, 'repo'>;

/** What was asked for, without the repository, which a host reads itself. */
export function partsOf({ options, handed, focus, source, given }: OpenedRun): OpenedParts {
  return { options, handed, focus, source, given };
}

/** The environment as it is now: keys may have been typed since the host was started. */
export type Variables = Readonly<Record<string, string>>;

/** A run whose plan is made, to be begun. */
export interface BeginOrder {
  readonly config: RunConfig;
  readonly opened: OpenedParts;
  readonly agentArgs: readonly string[];
  readonly geminiKey: string | null;
  readonly aider: AiderCommand | null;
  readonly plan: MadePlan;
  /** Our record of the run, which becomes the host's. */
  readonly record: { readonly worktrees: string; readonly file: string };
  /** The `--repo` flag. */
  readonly repoFlag: string | undefined;
}

/** A run that is to be gone on with. */
export interface ResumeOrder {
  readonly run: string;
  readonly opened: OpenedParts;
  readonly geminiKey: string | null;
  readonly repoFlag: string | undefined;
}

export type Order =
  /** An Aider is to be warmed up, and the repository to be read, for a run that may come. */
  | {
      readonly type: 'prepare';
      readonly root: string;
      readonly opened: OpenedParts;
      readonly aider: AiderCommand | null;
      readonly variables: Variables;
    }
  /** What the planner is told of the repository. */
  | {
      readonly type: 'digest';
      readonly id: number;
      readonly change: string;
      readonly focus: readonly string[];
    }
  | { readonly type: 'begin'; readonly begin: BeginOrder; readonly variables: Variables }
  | {
      readonly type: 'resume';
      readonly root: string;
      readonly resume: ResumeOrder;
      readonly variables: Variables;
    }
  /** A run without a screen, from its arguments on. */
  | {
      readonly type: 'headless';
      readonly args: Arguments;
      readonly width: number;
      readonly variables: Variables;
    };

export type OrderAnswer =
  | { readonly type: 'digest'; readonly id: number; readonly text: string }
  | { readonly type: 'begun'; readonly run: string }
  | { readonly type: 'failed'; readonly failure: Failure }
  /** It ended before a run had begun, with this exit code. */
  | { readonly type: 'over'; readonly code: number }
  | { readonly type: 'said'; readonly to: 'out' | 'error'; readonly text: string };

/** File descriptors that a host is started with. */
export const hostDescriptors = { orders: 3, run: 4 } as const;

/** What a host's process is started with: no subcommand, as no person types it. */
export const hostArgument = '--host-process';
