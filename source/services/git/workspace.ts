import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import picomatch from 'picomatch';
import type { CommittedWork, Conflict, DiffStat, Place, StopSignal } from '../../core/agent.js';
import { type CheckResult, faulted } from '../../core/check.js';
import type { Failure } from '../../core/failure.js';
import { describe } from '../../core/failure.js';
import { type FenceRules, type Refusal, refuseChange } from '../../core/fence.js';
import type { Task } from '../../core/plan.js';
import type {
  Look,
  Merged,
  MergeItem,
  PrepareFrom,
  WorkProblem,
  Workspace,
} from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';
import type { Inspection, InspectionHints, Landing, Undone } from '../../core/run.js';
import type { RunConfig } from '../../core/run-config.js';
import { agentBranch, integrationBranch } from '../../core/summary.js';
import { problemOf, problemOfError } from '../../core/work-problem.js';
import { makePrivateFolder, writePrivate } from '../files/private-files.js';
import type { LogPaths } from '../logs/log-paths.js';
import { type Drift, findDrift, keepDrift, readDrift, untouchedOf } from './drift.js';
import { land } from './land.js';
import { LiveTree, LookBudget } from './live-tree.js';
import { markerSize, mergeCommits, mergeOnto, mergeWithMarkers, withMarkers } from './merge.js';
import { ObjectFolder } from './object-folder.js';
import { isPartial } from './repository.js';
import { git, gitText, splitNul } from './run-git.js';
import { readSetAside, setAside } from './set-aside.js';
import { SharedFiles } from './shared-files.js';
import {
  diffStat,
  mixTrees,
  peek,
  restore,
  showDiff,
  showPatch,
  snapshot,
  undoBeside,
  writePatch,
} from './snapshot.js';
import { emptied } from './trash.js';
import { isSubstantial, treeChanges } from './tree-changes.js';
import { undoLanding } from './undo.js';
import {
  addDetachedWorktree,
  addWorktree,
  type Content,
  contentOf,
  type OwnFolder,
  removeWorktree,
  settleIndex,
} from './worktree.js';
import { WorktreeGuard } from './worktree-guard.js';

/** A command that makes a fresh worktree ready, such as `npm ci`. */
export interface SetupCommand {
  /** Whether a command is set now. */
  isSet(): boolean;
  /**
   * The failure's detail is its last lines.
   * @param agent null for a worktree in which a commit is checked
   */
  run(agent: number | null, worktree: string): Promise<Result<void, WorkProblem>>;
  signal(agent: number | null, signal: StopSignal): void;
}

/** For the files of worktrees to be removed before the program ends; what is left then goes by itself. */
const patienceMs = 300;

/** Runs the project's tests in a worktree. */
export interface CheckRunner {
  run(cwd: string, log: string, signal: AbortSignal): Promise<CheckResult>;
}

export interface WorkspaceOptions {
  readonly config: RunConfig;
  readonly paths: LogPaths;
  /** Folder of this run's worktrees, outside the checkout. */
  readonly worktrees: string;
  /** The project's tests; null when they are not asked. */
  readonly check: CheckRunner | null;
  /** The set-up command, which a person can replace while the run goes; null where no worktree is made. */
  readonly setup: SetupCommand | null;
  /** The command that lands the work later. */
  readonly landLater: string;
  /** The PRD to name in commits, relative to the repository. */
  readonly prdPath: () => string | null;
  /** Told of what has changed in the person's own repository. */
  readonly warn?: (text: string) => void;
  /** Takes note of each worktree before it is made, so that a later start knows it as ours. */
  readonly record: WorktreeRecord;
}

/** Where worktrees are recorded; what it throws is of the disk. */
export interface WorktreeRecord {
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

/** The agents' work in git: worktrees, commits, merges, landing. */
export class GitWorkspace implements Workspace {
  /** State of each worktree before the attempt that runs, as a tree. */
  private readonly checkpoints = new Map<number, string>();
  /** What the set-up command made or changed in each worktree: nobody's work. */
  private readonly setUp = new Map<number, readonly string[]>();
  /** Files that git would commit otherwise than they are, untouched as they are. */
  private readonly drifts = new Map<number, Drift>();
  private readonly driftsOf = new Map<string, Promise<Result<Drift | null, Failure>>>();
  /** Removals of worktrees that are under way or done, by agent. */
  private readonly removing = new Map<number, Promise<void>>();
  /** Agents whose preparation was told to end. */
  private readonly stopped = new Set<number>();
  /** The state of each agent's work when it was last looked at. */
  private readonly states = new Map<number, WorkState>();
  /** When an agent's indexes are free. */
  private readonly indexes = new Map<number, Promise<void>>();
  private readonly looking = new Map<number, Promise<Look | null>>();
  /** Worktrees that are being removed: a late look would put back what is just taken away. */
  private readonly gone = new Set<string>();
  /** From the first worktree on, before any command runs in it. */
  private shared: SharedFiles | null = null;
  /** From the first worktree on; null also where looks write into the repository's own objects. */
  private objects: ObjectFolder | null = null;
  private readonly guards = new Map<number, WorktreeGuard>();
  private readonly liveTrees = new Map<number, LiveTree>();
  private readonly budget = new LookBudget();
  private readonly contents = new Map<string, Promise<Result<Content, Failure>>>();
  private readonly rules: FenceRules;
  /** Removals of worktrees that were for checks. */
  private readonly leaving: Promise<void>[] = [];
  private patches = 0;
  private checks = 0;

  constructor(private readonly options: WorkspaceOptions) {
    const { protect, maxFileBytes } = options.config;
    const isProtected = protect.length > 0 ? picomatch([...protect], { dot: true }) : () => false;
    this.rules = { maxFileBytes: maxFileBytes ?? Number.POSITIVE_INFINITY, isProtected };
  }

  async prepare(agent: number, task: Task, from: PrepareFrom): Promise<Result<Place, WorkProblem>> {
    const { config, worktrees, record } = this.options;
    const setup = this.options.setup?.isSet() ? this.options.setup : null;
    this.stopped.delete(agent);
    this.states.delete(agent);
    this.drifts.delete(agent);
    // The worktree of the round before may still be on its way out.
    await this.removing.get(agent);
    const branch = agentBranch(config.stamp, agent);
    const found = await this.findStart(from);
    if (!found.ok) return found;
    const { start } = found.value;
    const place: Place = {
      // A name that no reply can guess: agents must not reach into each other's worktrees.
      worktree: path.join(
        worktrees,
        `agent${agent}-${randomBytes(4).toString('hex')}`,
        path.basename(config.repo),
      ),
      branch,
      start,
    };
    try {
      record.making({ path: place.worktree, agent, branch, start });
    } catch (error) {
      return err(problemOfError(error, 'worktree_failed'));
    }
    const { tip } = found.value;
    const files = [...task.files, ...task.read];
    const { round } = from;
    const added = await addWorktree(config.repo, place.worktree, branch, tip, { round, files });
    if (!added.ok) {
      await removeWorktree(config.repo, place.worktree);
      return err(problemOf(added.failure, 'worktree_failed'));
    }
    const own = await settleIndex(place.worktree);
    if (!own.ok) return err(problemOf(own.failure, 'worktree_failed'));
    this.shared ??= new SharedFiles(own.value.commonDir);
    this.objects ??= this.objectFolder(own.value.commonDir);
    const content = await this.contentOf(found.value.tip);
    if (!content.ok) return err(problemOf(content.failure, 'worktree_failed'));
    const drift = await this.driftOf(agent, place.worktree, tip, content.value.tree);
    if (!drift.ok) return drift;
    const filled = await this.fill(place.worktree, task.files);
    if (!filled.ok) return filled;
    const done =
      setup && !this.stopped.has(agent) ? await setup.run(agent, place.worktree) : ok(undefined);
    if (!done.ok || this.stopped.has(agent)) {
      await removeWorktree(config.repo, place.worktree);
      if (this.stopped.has(agent))
        return err({ reason: 'timeout', detail: 'while it was prepared' });
      if (!done.ok) return done;
    }
    if (setup) {
      this.lookAtShared('the set-up command');
      try {
        const list = this.options.paths.setAside(agent);
        const aside = await setAside(place.worktree, task.files, list);
        if (!aside.ok) return err(problemOf(aside.failure, 'setup_failed'));
        this.setUp.set(agent, aside.value);
      } catch (error) {
        return err(problemOfError(error, 'setup_failed'));
      }
    }
    if (from.rework !== null) {
      const brought = await this.bringOver(agent, task, place, from.rework);
      if (!brought.ok) return err(problemOf(brought.failure, 'worktree_failed'));
    }
    const asFilled = this.options.config.copy.length === 0 && !setup && from.rework === null;
    const tree = asFilled ? ok(content.value.tree) : await this.snapshot(agent, place);
    if (!tree.ok) return err(problemOf(tree.failure, 'worktree_failed'));
    this.checkpoints.set(agent, tree.value);
    const watched = this.watch(agent, place, own.value, content.value.submodules, tree.value);
    if (!watched.ok) return err(problemOf(watched.failure, 'worktree_failed'));
    try {
      record.ready(place.worktree);
    } catch (error) {
      return err(problemOfError(error, 'worktree_failed'));
    }
    return ok(place);
  }

  /** Looked for once for all agents that start from the same commit. */
  private async driftOf(
    agent: number,
    worktree: string,
    commit: string,
    tree: string,
  ): Promise<Result<void, WorkProblem>> {
    const { paths } = this.options;
    try {
      makePrivateFolder(paths.agentFolder(agent));
    } catch (error) {
      return err(problemOfError(error, 'worktree_failed'));
    }
    const known = this.driftsOf.get(commit);
    const asked = known ?? findDrift(worktree, commit, tree, paths.mixIndex(agent));
    this.driftsOf.set(commit, asked);
    const drift = await asked;
    if (!drift.ok) {
      this.driftsOf.delete(commit);
      return err(problemOf(drift.failure, 'worktree_failed'));
    }
    try {
      keepDrift(paths.drift(agent), drift.value);
    } catch (error) {
      return err(problemOfError(error, 'worktree_failed'));
    }
    if (drift.value !== null) this.drifts.set(agent, drift.value);
    return ok(undefined);
  }

  /** Says what has changed in git's own folder, which all worktrees share. */
  private lookAtShared(who: string): void {
    const changed = this.shared?.changed() ?? [];
    if (changed.length === 0) return;
    this.options.warn?.(
      `${who} changed ${changed.join(', ')} of your repository's own .git, which all worktrees share. Look at it: git config --local --list --show-origin`,
    );
  }

  /** Asked once for all agents that start from the same commit. */
  private contentOf(commit: string): Promise<Result<Content, Failure>> {
    const known = this.contents.get(commit);
    if (known) return known;
    const asked = contentOf(this.options.config.repo, commit).then((content) => {
      if (!content.ok) this.contents.delete(commit);
      return content;
    });
    this.contents.set(commit, asked);
    return asked;
  }

  /** Brings an agent's work onto a new start; what conflicts stands between markers. */
  private async bringOver(
    agent: number,
    task: Task,
    { worktree, start }: Place,
    work: string,
  ): Promise<Result<void, Failure>> {
    const attributes = this.options.paths.attributes(agent);
    writePrivate(attributes, `* conflict-marker-size=${markerSize}\n`);
    const tree = await mergeWithMarkers(worktree, start, work, attributes);
    if (!tree.ok) return tree;
    // Where a file meets a folder of its name, git moves one of them aside: not the agent's to do.
    const changes = await treeChanges(worktree, start, tree.value);
    if (!changes.ok) return changes;
    const others = this.refusals(task, changes.value).map((one) => one.path);
    const index = this.options.paths.mixIndex(agent);
    const own = await mixTrees(worktree, start, tree.value, others, index);
    return own.ok ? restore(worktree, own.value) : own;
  }

  /** Where a round begins: its content, and the commit that its own work is measured from. */
  private async findStart({
    onto,
    resume,
  }: PrepareFrom): Promise<Result<{ tip: string; start: string }, WorkProblem>> {
    const { config } = this.options;
    if (resume !== null) {
      // Our commits have one parent: what the round before started from.
      const parent = await gitText(config.repo, ['rev-parse', '--verify', `${resume}^`]);
      if (!parent.ok) return err(problemOf(parent.failure, 'worktree_failed'));
      return ok({ tip: resume, start: parent.value });
    }
    const merged = await mergeOnto(config.repo, config.base, onto);
    if (!merged.ok) return err(problemOf(merged.failure, 'worktree_failed'));
    if (!merged.value.clean) {
      return err({ reason: 'dependency_conflict', detail: merged.value.files.join(', ') });
    }
    return ok({ tip: merged.value.commit, start: merged.value.commit });
  }

  /** Keeps in mind how a fresh worktree is, so that what changes in it can be told. */
  private watch(
    agent: number,
    place: Place,
    { commonDir, count }: OwnFolder,
    submodules: readonly string[],
    start: string,
  ): Result<void, Failure> {
    const { worktree } = place;
    const keep = this.options.paths.refused(agent);
    try {
      const guard = new WorktreeGuard({ worktree, commonDir, keep, submodules });
      this.guards.set(agent, guard);
    } catch (error) {
      return err({ kind: 'file', path: worktree, detail: (error as Error).message });
    }
    this.liveTrees.set(
      agent,
      new LiveTree({
        worktree,
        start,
        count,
        budget: this.budget,
        whole: () => this.peek(agent, place),
      }),
    );
    return ok(undefined);
  }

  /** Works with an agent's indexes of ours, one after the other: git locks each while it writes it. */
  private alone<T>(agent: number, work: () => Promise<T>): Promise<T> {
    const next = (this.indexes.get(agent) ?? Promise.resolve()).then(work);
    this.indexes.set(
      agent,
      next.then(
        () => {},
        () => {},
      ),
    );
    return next;
  }

  /** None in a partial clone: git fetches what is not there into the folder that it is given. */
  private objectFolder(commonDir: string): ObjectFolder | null {
    if (isPartial(commonDir)) return null;
    return new ObjectFolder(this.options.paths.objects, path.join(commonDir, 'objects'));
  }

  /** Does what looks at worktrees; its objects are nobody's later. */
  private beside<T>(work: () => Promise<T>): Promise<T> {
    return this.objects === null ? work() : this.objects.use(work);
  }

  /** One at a time for an agent, as they share an index of our own. */
  look(
    agent: number,
    task: Task,
    place: Place,
    hints: Pick<InspectionHints, 'edited' | 'since'>,
  ): Promise<Look | null> {
    const before = this.looking.get(agent) ?? Promise.resolve(null);
    const next = before
      .then(() =>
        this.gone.has(place.worktree)
          ? null
          : this.beside(() => this.lookNow(agent, task, place, hints)),
      )
      // What lies there may vanish under our eyes, whoever takes it away.
      .catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
        return null;
      });
    this.looking.set(agent, next);
    return next;
  }

  private async lookNow(
    agent: number,
    task: Task,
    place: Place,
    hints: Pick<InspectionHints, 'edited' | 'since'>,
  ): Promise<Look | null> {
    const hidden = this.guards.get(agent)?.look(task, hints) ?? [];
    const known = new Set([...task.files, ...hints.edited]);
    const tree = await (this.liveTrees.get(agent)?.look([...known]) ?? this.peek(agent, place));
    if (!tree.ok) return null;
    const { worktree, start } = place;
    const [diff, changes] = await Promise.all([
      diffStat(worktree, start, tree.value),
      treeChanges(worktree, this.checkpoints.get(agent) ?? start, tree.value),
    ]);
    if (!diff.ok || !changes.ok) return null;
    const seen = this.refusals(task, changes.value);
    const dangers = [...hidden, ...seen].filter(({ why }) => why === 'runs_code');
    const files = new Set(diff.value.files.map((file) => file.path));
    this.states.set(agent, { tree: tree.value, start, files });
    return { files: diff.value.files, dangers, conflicts: await this.conflicts(agent) };
  }

  /** Merges an agent's state with that of each other one that has changed the same files. */
  private async conflicts(agent: number): Promise<readonly Conflict[]> {
    const own = this.states.get(agent);
    if (!own) return [];
    const found: Conflict[] = [];
    for (const [other, state] of this.states) {
      if (other === agent || ![...own.files].some((file) => state.files.has(file))) continue;
      const { repo } = this.options.config;
      const [ours, theirs] = [await asCommit(repo, own), await asCommit(repo, state)];
      if (!ours.ok || !theirs.ok) continue;
      const merged = await mergeCommits(repo, ours.value, theirs.value, 'What if');
      if (merged.ok && !merged.value.clean) {
        found.push({ agent: other, files: merged.value.files });
      }
    }
    return found;
  }

  private refusals(task: Task, changes: Parameters<typeof refuseChange>[1][]): Refusal[] {
    return changes.flatMap((change) => {
      const why = refuseChange(task, change, this.rules);
      return why === null ? [] : [{ path: change.path, why, undone: true }];
    });
  }

  /** The agent's change so far as a patch with its stat before it, for people. */
  async diff(agent: number, place: Place): Promise<Result<string, Failure>> {
    return this.beside(async () => {
      const tree = await this.peek(agent, place);
      return tree.ok ? showDiff(place.worktree, place.start, tree.value) : tree;
    });
  }

  async patch(agent: number, place: Place): Promise<Result<string, Failure>> {
    return this.beside(async () => {
      const tree = await this.peek(agent, place);
      return tree.ok ? showPatch(place.worktree, place.start, tree.value) : tree;
    });
  }

  patchOf(commit: string): Promise<Result<string, Failure>> {
    const { repo, base } = this.options.config;
    return showPatch(repo, base, commit);
  }

  /** What a committed agent has changed, as a patch with its stat before it, for people. */
  committedDiff(commit: string): Promise<Result<string, Failure>> {
    return showDiff(this.options.config.repo, `${commit}^`, commit);
  }

  /** A snapshot while the agent works: by an index of our own, as Aider may hold the lock of its. */
  private peek(agent: number, place: Place): Promise<Result<string, Failure>> {
    return this.alone(agent, () => this.peekNow(agent, place));
  }

  private async peekNow(agent: number, { worktree }: Place): Promise<Result<string, Failure>> {
    const { paths } = this.options;
    try {
      if (!this.gone.has(worktree)) this.guards.get(agent)?.mendLink();
    } catch (error) {
      return err({ kind: 'file', path: worktree, detail: (error as Error).message });
    }
    const without = this.setUp.get(agent) ?? readSetAside(paths.setAside(agent));
    const tree = await peek(worktree, without, paths.peekIndex(agent));
    return tree.ok ? this.withoutDrift(agent, worktree, tree.value) : tree;
  }

  /** The tree with what nobody has touched as it was committed, also where git would commit it otherwise. */
  private async withoutDrift(
    agent: number,
    worktree: string,
    tree: string,
  ): Promise<Result<string, Failure>> {
    const { paths } = this.options;
    const drift = this.drifts.get(agent) ?? readDrift(paths.drift(agent));
    if (drift === null) return ok(tree);
    const untouched = await untouchedOf(worktree, drift);
    return mixTrees(worktree, drift.commit, tree, untouched, paths.mixIndex(agent));
  }

  private async snapshot(agent: number, { worktree }: Place): Promise<Result<string, Failure>> {
    const { paths } = this.options;
    const without = this.setUp.get(agent) ?? readSetAside(paths.setAside(agent));
    const tree = await snapshot(worktree, without);
    if (!tree.ok) return tree;
    return this.alone(agent, () => this.withoutDrift(agent, worktree, tree.value));
  }

  interruptPrepare(agent: number, signal: StopSignal): void {
    this.stopped.add(agent);
    this.options.setup?.signal(agent, signal);
  }

  /** Copies ignored files that were asked for, and makes the folders of files that are to be new. */
  private async fill(
    worktree: string,
    files: readonly string[],
  ): Promise<Result<void, WorkProblem>> {
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

  async inspect(
    agent: number,
    task: Task,
    place: Place,
    rollBack: boolean,
    hints: InspectionHints,
  ): Promise<Inspection> {
    const empty = {
      diff: { files: [] },
      changed: false,
      substantial: false,
      refused: [],
      tree: '',
      named: [],
      unresolved: [],
    };
    const result = await this.examine(agent, task, place, rollBack, hints);
    if (result.ok) return { ...result.value, failure: null };
    return { ...empty, failure: problemOf(result.failure, 'worktree_failed') };
  }

  private async examine(
    agent: number,
    task: Task,
    place: Place,
    rollBack: boolean,
    hints: InspectionHints,
  ): Promise<Result<Omit<Inspection, 'failure'>, Failure>> {
    const { worktree, start } = place;
    const guard = this.guards.get(agent);
    const hidden = guard?.check(task, hints) ?? [];
    this.lookAtShared(`agent${agent}, or somebody while it worked,`);
    const before = this.checkpoints.get(agent) ?? start;
    const now = await this.snapshot(agent, place);
    if (!now.ok) return now;
    const change = await treeChanges(worktree, before, now.value);
    if (!change.ok) return change;
    const seen = this.refusals(task, change.value);
    const outside = seen.map((one) => one.path);
    // The edit was for another file, none other was changed: so it went into one of the agent's.
    const strayed = hints.misnamed !== null && seen.length === 0 && hidden.length === 0;
    if ((rollBack || strayed) && change.value.length > 0) {
      const kept = await this.keepPatch(agent, 'rolled-back', worktree, before, now.value, []);
      if (!kept.ok) return kept;
      const restored = await restore(worktree, before);
      if (!restored.ok) return restored;
    } else if (outside.length > 0) {
      const kept = await this.keepPatch(agent, 'outside', worktree, before, now.value, outside);
      if (!kept.ok) return kept;
      for (const { path: name, why } of seen) {
        // A repository in the repository: git itself would leave its folder behind.
        if (why === 'submodule') guard?.takeAway(path.join(worktree, name));
      }
      const index = this.options.paths.mixIndex(agent);
      const mixed = await this.alone(agent, () =>
        mixTrees(worktree, before, now.value, outside, index),
      );
      if (!mixed.ok) return mixed;
      const restored = await restore(worktree, mixed.value);
      if (!restored.ok) return restored;
    }
    const after = await this.snapshot(agent, place);
    if (!after.ok) return after;
    this.checkpoints.set(agent, after.value);
    this.liveTrees.get(agent)?.found(after.value);
    const diff = await diffStat(worktree, start, after.value);
    if (!diff.ok) return diff;
    const substantial = await isSubstantial(worktree, start, after.value);
    if (!substantial.ok) return substantial;
    const unresolved = await withMarkers(worktree, after.value, hints.conflicted);
    if (!unresolved.ok) return unresolved;
    const named = await this.tracked(worktree, task, hints.named);
    if (!named.ok) return named;
    return ok({
      unresolved: unresolved.value,
      diff: diff.value,
      changed: after.value !== before,
      substantial: substantial.value,
      refused: [...hidden, ...seen],
      tree: after.value,
      named: named.value,
    });
  }

  /** Of what reads like paths, the tracked files that the agent cannot see. */
  private async tracked(
    worktree: string,
    task: Task,
    names: readonly string[],
  ): Promise<Result<readonly string[], Failure>> {
    if (names.length === 0 || task.files.length === 0) return ok([]);
    const literal = names.map((name) => `:(top,literal)${name}`);
    const listed = await git(worktree, ['ls-files', '-z', '--', ...literal]);
    if (!listed.ok) return listed;
    const found = splitNul(listed.value.stdout);
    // A folder's name lists all that is in it.
    const known = new Set([...task.files, ...task.read]);
    return ok(found.filter((name) => names.includes(name) && !known.has(name)));
  }

  /** Nothing is thrown away: what is taken back stays as a patch beside the logs, or is not taken back. */
  private keepPatch(
    agent: number,
    name: string,
    worktree: string,
    from: string,
    to: string,
    files: readonly string[],
  ): Promise<Result<void, Failure>> {
    this.patches += 1;
    const file = this.options.paths.patch(agent, `${name}${this.patches}`);
    return writePatch(worktree, from, to, files, file);
  }

  async commit(
    agent: number,
    task: Task,
    place: Place,
    finished: boolean,
  ): Promise<Result<CommittedWork, WorkProblem>> {
    const { config } = this.options;
    const kept = existsSync(place.worktree) ? null : await this.keptOnBranch(place);
    const done = kept ?? (await this.commitTree(agent, task, place, finished));
    // What could not be committed stays where it is, for the person to rescue.
    if (!done.ok) return err(problemOf(done.failure, 'commit_failed'));
    this.checkpoints.delete(agent);
    this.gone.add(place.worktree);
    const looked = this.looking.get(agent) ?? Promise.resolve(null);
    // Nobody needs to wait for it but the end of the program.
    this.removing.set(
      agent,
      looked.then(() => removeWorktree(config.repo, place.worktree)),
    );
    return done;
  }

  /**
   * What was committed before, where the worktree is gone: a commit may be made, and nothing could be written of
   * it, as on a full disk. Null where the branch holds nothing of its own.
   */
  private async keptOnBranch({
    branch,
    start,
  }: Place): Promise<Result<CommittedWork, Failure> | null> {
    const { repo } = this.options.config;
    const ref = `refs/heads/${branch}`;
    const asked = ['rev-parse', '--verify', '--quiet', '--end-of-options', ref];
    const tip = await gitText(repo, asked, { answers: [1] });
    if (!tip.ok || tip.value === '' || tip.value === start) return null;
    const diff = await diffStat(repo, start, tip.value);
    return diff.ok ? ok({ commit: tip.value, diff: diff.value }) : diff;
  }

  private async commitTree(
    agent: number,
    task: Task,
    place: Place,
    finished: boolean,
  ): Promise<Result<CommittedWork, Failure>> {
    const { worktree, start, branch } = place;
    this.guards.get(agent)?.mendLink();
    this.guards.get(agent)?.unlock();
    const tree = await this.snapshot(agent, place);
    if (!tree.ok) return tree;
    const diff = await diffStat(worktree, start, tree.value);
    if (!diff.ok) return diff;
    if (diff.value.files.length === 0) return ok({ commit: null, diff: diff.value });
    if (finished) {
      // The last gate: whatever came into the worktree since it was judged is not merged.
      const changes = await treeChanges(worktree, start, tree.value);
      if (!changes.ok) return changes;
      const refused = this.refusals(task, changes.value);
      if (refused.length > 0) {
        const detail = `changed since it was judged: ${refused.map((one) => one.path).join(', ')}.`;
        return err({ kind: 'git', doing: 'commit', detail });
      }
    }
    const commit = await gitText(worktree, ['commit-tree', tree.value, '-p', start, '-F', '-'], {
      input: this.commitMessage(task, finished),
    });
    if (!commit.ok) return commit;
    const set = await git(worktree, ['update-ref', `refs/heads/${branch}`, commit.value]);
    return set.ok ? ok({ commit: commit.value, diff: diff.value }) : set;
  }

  private commitMessage(task: Task, finished: boolean): string {
    const { config, prdPath } = this.options;
    const prd = prdPath();
    const subject = finished ? task.title : `Unfinished: ${task.title}`;
    const body = [`Task: ${task.id}`, ...(prd ? [`PRD: ${prd}`] : []), `Run: ${config.stamp}`];
    const simulated = config.simulated ? ['Made by a simulated agent.', ''] : [];
    return `${subject}\n\n${[...simulated, ...body].join('\n')}\nCo-authored-by: aider (${config.model}) <aider@aider.chat>\n`;
  }

  /** Resolves when all worktrees that are done with are gone; files of large ones may take longer. */
  async settled(): Promise<void> {
    await Promise.all([...this.removing.values(), ...this.leaving]);
    await Promise.all(this.looking.values());
    this.objects?.remove();
    await emptied(patienceMs);
  }

  async merge(onto: string, { agent, title, commit }: MergeItem): Promise<Result<Merged, Failure>> {
    const message = `Merge agent ${agent}: ${title}\n`;
    return mergeCommits(this.options.config.repo, onto, commit, message);
  }

  async advance(commit: string): Promise<Result<DiffStat, Failure>> {
    const { repo, base, stamp } = this.options.config;
    const branch = `refs/heads/${integrationBranch(stamp)}`;
    const set = await git(repo, ['update-ref', branch, commit]);
    return set.ok ? diffStat(repo, base, commit) : set;
  }

  async checkCommit(commit: string, signal: AbortSignal): Promise<CheckResult> {
    const { config, worktrees, check, paths, record } = this.options;
    const setup = this.options.setup?.isSet() ? this.options.setup : null;
    if (!check) throw new Error('no check was asked for');
    this.checks += 1;
    const name = `check${this.checks}-${randomBytes(4).toString('hex')}`;
    const worktree = path.join(worktrees, name, path.basename(config.repo));
    const ended = (state: CheckResult['state'], words: string): CheckResult => ({
      state: signal.aborted ? 'stopped' : state,
      words,
      output: '',
      ms: 0,
      flaky: false,
    });
    // Where the tests did not run they have not failed.
    const couldNot = ({ fault, detail }: WorkProblem): CheckResult =>
      signal.aborted ? ended('stopped', detail) : faulted(fault ?? null, detail);
    const stopSetup = () => setup?.signal(null, 'SIGTERM');
    signal.addEventListener('abort', stopSetup, { once: true });
    try {
      try {
        record.making({ path: worktree, agent: null, branch: null, start: commit });
      } catch (error) {
        return couldNot(problemOfError(error, 'worktree_failed'));
      }
      const added = await addDetachedWorktree(config.repo, worktree, commit);
      if (!added.ok) return couldNot(problemOf(added.failure, 'worktree_failed'));
      const filled = await this.fill(worktree, []);
      if (!filled.ok) return couldNot(filled.failure);
      const ready = setup && !signal.aborted ? await setup.run(null, worktree) : ok(undefined);
      if (!ready.ok) {
        const { fault, detail } = ready.failure;
        if (fault !== undefined || signal.aborted) return couldNot(ready.failure);
        return { ...ended('failed', detail), lacksSetup: true };
      }
      const result = await check.run(worktree, paths.checkLog(null, this.checks), signal);
      this.lookAtShared('the tests or the set-up command');
      return result;
    } finally {
      signal.removeEventListener('abort', stopSetup);
      this.leaving.push(removeWorktree(config.repo, worktree));
    }
  }

  async checkAgent(
    agent: number,
    task: Task,
    place: Place,
    signal: AbortSignal,
  ): Promise<CheckResult> {
    const { check, paths } = this.options;
    if (!check) throw new Error('no check was asked for');
    this.checks += 1;
    const { worktree } = place;
    const result = await check.run(worktree, paths.checkLog(agent, this.checks), signal);
    this.lookAtShared('the tests');
    // What the tests leave behind is nobody's work, and no offence of the agent.
    const guard = this.guards.get(agent);
    guard?.check(task, { edited: [], since: 0 });
    const before = this.checkpoints.get(agent);
    if (before === undefined) return result;
    const without = this.setUp.get(agent) ?? readSetAside(paths.setAside(agent));
    const restored = await this.alone(agent, () =>
      undoBeside(worktree, before, without, paths.peekIndex(agent)),
    );
    if (restored.ok) return result;
    const { failure } = restored;
    const doing = 'bringing the worktree back to what it was before the tests';
    return failure.kind === 'machine'
      ? faulted(failure.fault, doing, result.ms)
      : faulted(null, `${doing}: ${describe(failure).message}`, result.ms);
  }

  land(commit: string, from: string): Promise<Landing> {
    const { config } = this.options;
    return land({
      repo: config.repo,
      base: from,
      branch: config.branch,
      commit,
      merged: integrationBranch(config.stamp),
      later: this.options.landLater,
    });
  }

  mergeOntoTip(tip: string, commit: string): Promise<Result<Merged, Failure>> {
    const { repo, stamp, branch } = this.options.config;
    const message = `Merge ${integrationBranch(stamp)} into ${branch ?? 'HEAD'}\n`;
    return mergeCommits(repo, tip, commit, message);
  }

  async undoLanding(commit: string, from: string): Promise<Undone> {
    const { repo, stamp, branch } = this.options.config;
    if (branch === null) return { state: 'refused', reason: 'HEAD was detached', how: '' };
    return undoLanding({ repo, stamp, base: from, branch, commit });
  }
}

/** A state as a commit that no branch has; git's own clean-up takes it away later. */
function asCommit(repo: string, { tree, start }: WorkState): Promise<Result<string, Failure>> {
  return gitText(repo, ['commit-tree', tree, '-p', start, '-m', 'As it is now']);
}

interface WorkState {
  readonly tree: string;
  readonly start: string;
  readonly files: ReadonlySet<string>;
}
