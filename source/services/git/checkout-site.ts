import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import picomatch from 'picomatch';
import type { StopSignal } from '../../core/agent/agent.js';
import type { Task } from '../../core/plan/plan.js';
import type { Failure } from '../../core/policy/failure.js';
import { type FenceRules, type Refusal, refuseChange } from '../../core/policy/fence.js';
import type { TestCommand, TestRun } from '../../core/policy/test-run.js';
import { problemOf, problemOfError } from '../../core/policy/work-problem.js';
import type { WorkProblem } from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';
import type { RunConfig } from '../../core/run/config.js';
import type { LogPaths } from '../logs/log-paths.js';
import { type Drift, findDrift } from './drift.js';
import { LookBudget } from './live-tree.js';
import { ObjectFolder } from './object-folder.js';
import { isPartial } from './repository.js';
import { git, splitNul } from './run-git.js';
import { SharedFiles } from './shared-files.js';
import { type Content, contentOf, removeWorktree } from './worktree.js';

/** A command that makes a fresh worktree ready, such as `npm ci`. */
export interface SetupCommand {
  /**
   * The failure's detail is its last lines.
   * @param agent null for a worktree in which a commit is checked
   */
  run(command: string, agent: number | null, worktree: string): Promise<Result<void, WorkProblem>>;
  signal(agent: number | null, signal: StopSignal): void;
}

/** Runs the project's tests in a worktree. */
export interface RunsTests {
  run(plan: TestCommand, cwd: string, log: string, signal: AbortSignal): Promise<TestRun>;
}

export interface WorkspaceOptions {
  readonly config: RunConfig;
  readonly paths: LogPaths;
  /** The folder of git's that all worktrees share, absolute. */
  readonly commonDir: string;
  /** Folder of this run's worktrees, outside the checkout. */
  readonly worktrees: string;
  /** The project's tests; null when they are not asked. */
  readonly tests: RunsTests | null;
  /** Null where no worktree is made. */
  readonly setup: SetupCommand | null;
  /** The books of a run that died are closed: what is merged stays, also where nobody tells of it any more. */
  readonly isOver?: boolean;
  /** The command that lands the work later. */
  readonly landLater: string;
  /** Who made a commit together with the person, as a line of its message; null for nobody. */
  readonly coAuthor: (model: string) => string | null;
  /** Told of what has changed in the person's own repository. */
  readonly warn?: (text: string) => void;
  /** Takes note of each worktree before it is made, so that a later start knows it as ours. */
  readonly record: WorktreeRecord;
  readonly neighbours: Neighbours;
}

/** The other runs of the repository. */
export interface Neighbours {
  /** Lands while no other run does. */
  inTurn<T>(land: () => Promise<T>): Promise<T>;
  /** The runs that alone have led a branch from one commit to another; none where something else has moved it, too. */
  landedBetween(from: string, tip: string): string[];
}

/** Where worktrees are recorded; what it throws is of the disk. */
export interface WorktreeRecord {
  /** The branch was led from one commit to another. Throws like `fs`. */
  landed(commit: string, from: string): void;
  making(worktree: {
    /** Absolute. */
    readonly path: string;
    /** Null for one in which nobody works. */
    readonly agent: number | null;
    readonly branch: string | null;
    readonly start: string;
  }): void;
  /** From here on it may hold work. */
  ready(worktree: string): void;
}

/** What all checkouts of a run have in common. */
export class CheckoutSite {
  readonly budget = new LookBudget();
  private readonly rules: FenceRules;
  private readonly contents = new Map<string, Promise<Result<Content, Failure>>>();
  private readonly drifts = new Map<string, Promise<Result<Drift | null, Failure>>>();
  /** From the first worktree on, before any command runs in it. */
  private shared: SharedFiles | null = null;
  /** From the first worktree on; null also where looks write into the repository's own objects. */
  private objects: ObjectFolder | null = null;
  /** Removals of worktrees that are under way or done. */
  private readonly leaving: Promise<void>[] = [];
  private checks = 0;

  constructor(readonly options: WorkspaceOptions) {
    const { protect, maxFileBytes } = options.config;
    const isProtected = protect.length > 0 ? picomatch([...protect], { dot: true }) : () => false;
    this.rules = { maxFileBytes: maxFileBytes ?? Number.POSITIVE_INFINITY, isProtected };
  }

  /** Takes note of how the folder is that all worktrees share. */
  open(commonDir: string): void {
    this.shared ??= new SharedFiles(commonDir);
    // None in a partial clone: git fetches what is not there into the folder that it is given.
    if (!isPartial(commonDir)) {
      this.objects ??= new ObjectFolder(
        this.options.paths.objects,
        path.join(commonDir, 'objects'),
      );
    }
  }

  /** Says what has changed in git's own folder, which all worktrees share. */
  lookAtShared(who: string): void {
    const changed = this.shared?.changed() ?? [];
    if (changed.length === 0) return;
    this.options.warn?.(
      `${who} changed ${changed.join(', ')} of your repository's own .git, which all worktrees share. Look at it: git config --local --list --show-origin`,
    );
  }

  /** Does what looks at worktrees; its objects are nobody's later. */
  beside<T>(work: () => Promise<T>): Promise<T> {
    return this.objects === null ? work() : this.objects.use(work);
  }

  /** Asked once for all agents that start from the same commit. */
  contentOf(commit: string): Promise<Result<Content, Failure>> {
    return once(this.contents, commit, () => contentOf(this.options.config.repo, commit));
  }

  /** Looked for once for all agents that start from the same commit. */
  driftOf(
    worktree: string,
    commit: string,
    tree: string,
    index: string,
  ): Promise<Result<Drift | null, Failure>> {
    return once(this.drifts, commit, () => findDrift(worktree, commit, tree, index));
  }

  /** What of a change an agent must not have made. */
  refusals(task: Task, changes: readonly Parameters<typeof refuseChange>[1][]): Refusal[] {
    return changes.flatMap((change) => {
      const why = refuseChange(task, change, this.rules);
      return why === null ? [] : [{ path: change.path, why, undone: true }];
    });
  }

  /** Copies ignored files that were asked for, and makes the folders of files that are to be new. */
  async fill(worktree: string, files: readonly string[]): Promise<Result<void, WorkProblem>> {
    const { config } = this.options;
    const { copy } = config;
    try {
      for (const file of files)
        await mkdir(path.dirname(path.join(worktree, file)), { recursive: true });
      if (copy.length === 0) return ok(undefined);
      const listed = await git(config.repo, [
        'ls-files',
        '-z',
        '--others',
        '--ignored',
        '--exclude-standard',
      ]);
      if (!listed.ok) return err(problemOf(listed.failure, 'worktree_failed'));
      const matches = picomatch([...copy], { dot: true });
      for (const file of splitNul(listed.value.stdout).filter((name) => matches(name))) {
        await mkdir(path.dirname(path.join(worktree, file)), { recursive: true });
        await copyFile(path.join(config.repo, file), path.join(worktree, file));
      }
      return ok(undefined);
    } catch (error) {
      return err(problemOfError(error, 'worktree_failed'));
    }
  }

  /** The number of the next check, for its log. */
  nextCheck(): number {
    this.checks += 1;
    return this.checks;
  }

  /** Nobody needs to wait for it but the end of the program. */
  leave(worktree: string, after: Promise<unknown> = Promise.resolve()): Promise<void> {
    const left = after.then(() => removeWorktree(this.options.config.repo, worktree));
    this.leaving.push(left);
    return left;
  }

  /** Resolves when all worktrees that were left are gone. */
  async left(): Promise<void> {
    await Promise.all(this.leaving);
  }

  removeObjects(): void {
    this.objects?.remove();
  }
}

/** What is asked for by name is asked once; a failure is asked for again. */
function once<T>(
  known: Map<string, Promise<Result<T, Failure>>>,
  name: string,
  ask: () => Promise<Result<T, Failure>>,
): Promise<Result<T, Failure>> {
  const before = known.get(name);
  if (before) return before;
  const asked = ask().then((answer) => {
    if (!answer.ok) known.delete(name);
    return answer;
  });
  known.set(name, asked);
  return asked;
}
