// Longer than 300 lines: one worktree, whose parts know each other.
import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Checkout, CommittedWork, PrepareFrom } from '../../core/agent/agent.js';
import type { Task } from '../../core/plan/plan.js';
import { describe, type Failure } from '../../core/policy/failure.js';
import type { Refusal, TreeChange } from '../../core/policy/fence.js';
import { faulted, type TestRun } from '../../core/policy/test-run.js';
import { problemOf, problemOfError } from '../../core/policy/work-problem.js';
import type { AgentToTest, ChangesSoFar, WorkProblem, WorkToCommit } from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';
import { agentBranch } from '../../core/run/branches.js';
import type { Inspection, InspectionHints } from '../../core/run/run.js';
import { makePrivateFolder, unless, unreadable, writePrivate } from '../files/private-files.js';
import type { CheckoutSite } from './checkout-site.js';
import { commitMessage } from './commit-message.js';
import type { ConflictRadar } from './conflict-radar.js';
import { type Drift, untouchedOf } from './drift.js';
import { forgetKept, type KeptCheckout, keepCheckout, readKept } from './kept-checkout.js';
import { LiveTree } from './live-tree.js';
import { markerSize, mergeOnto, mergeWithMarkers, withMarkers } from './merge.js';
import { git, gitText, splitNul } from './run-git.js';
import { setAside } from './set-aside.js';
import {
  diffStat,
  mixTrees,
  restore,
  showDiff,
  showPatch,
  treeBeside,
  treeOf,
  undoBeside,
  writePatch,
} from './snapshot.js';
import { isSubstantial, treeChanges } from './tree-changes.js';
import { addWorktree, type OwnFolder, removeWorktree, settleIndex } from './worktree.js';
import { type GuardMemory, WorktreeGuard } from './worktree-guard.js';

/** What outlives the worktree of one round of an agent. */
export class AgentRoom {
  /** The worktree that was made last. */
  checkout: AgentCheckout | null = null;
  /** Its preparation was told to end. */
  stopped = false;
  /** A removal that is under way or done. */
  removing = Promise.resolve();
  /** When our own indexes are free. */
  private indexes: Promise<unknown> = Promise.resolve();

  constructor(readonly index: number) {}

  /** Works with our own indexes, one after the other: git locks each while it writes it. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.indexes.then(work);
    // Whoever asked for it is told of its failure; the next one only waits for its end.
    this.indexes = next.then(
      () => {},
      () => {},
    );
    return next;
  }
}

/** What of a worktree is nobody's work. */
type NotWork = Pick<KeptCheckout, 'aside' | 'drift'>;

/** The worktree of one round of an agent, and what is known of it beside what lies in it. */
export class AgentCheckout {
  private readonly guard: WorktreeGuard | null;
  private readonly liveTree: LiveTree | null;
  private looking: Promise<ChangesSoFar | null> = Promise.resolve(null);
  /** It is being removed: a late look would put back what is just taken away. */
  private gone = false;
  private patches = 0;

  /** @param kept null where nothing is known but what lies in it: then less can be seen */
  private constructor(
    private readonly site: CheckoutSite,
    private readonly room: AgentRoom,
    private readonly radar: ConflictRadar,
    readonly checkout: Checkout,
    private kept: KeptCheckout | null,
    private readonly notWork: NotWork = kept ?? { aside: [], drift: null },
    guard: WorktreeGuard | null = null,
  ) {
    this.guard = kept && (guard ?? this.openGuard(kept));
    this.liveTree =
      kept &&
      new LiveTree({
        worktree: checkout.worktree,
        start: kept.checkpoint,
        count: kept.count,
        budget: site.budget,
        whole: () => this.treeBeside(),
      });
  }

  /** The worktree that a program before this one has made, as far as it has kept what it knew of it. */
  static reopen(
    site: CheckoutSite,
    room: AgentRoom,
    radar: ConflictRadar,
    checkout: Checkout,
  ): AgentCheckout {
    const kept = readKept(site.options.worktrees, room.index);
    if (kept?.worktree !== checkout.worktree || !existsSync(checkout.worktree)) {
      return new AgentCheckout(site, room, radar, checkout, null);
    }
    const guard = ledTo(kept.guard, site.options.commonDir);
    if (guard === null) return new AgentCheckout(site, room, radar, checkout, null);
    site.open(guard.commonDir);
    return new AgentCheckout(site, room, radar, checkout, { ...kept, guard });
  }

  /** Makes the worktree on the agent's branch; one that was made for just this is given as it is. */
  // biome-ignore lint/complexity/noExcessiveLinesPerFunction: one sequence, each step of which can fail.
  static async make(
    site: CheckoutSite,
    room: AgentRoom,
    radar: ConflictRadar,
    task: Task,
    from: PrepareFrom,
    setupCommand: string | null,
  ): Promise<Result<AgentCheckout, WorkProblem>> {
    const agent = room.index;
    const { config, worktrees, record } = site.options;
    const setup = setupCommand === null ? null : site.options.setup;
    const branch = agentBranch(config.stamp, agent);
    const there = readKept(worktrees, agent);
    if (there && isDeepStrictEqual(there.from, from) && existsSync(there.worktree)) {
      const { worktree, start } = there;
      return ok(AgentCheckout.reopen(site, room, radar, { worktree, branch, start }));
    }
    const found = await findStart(site, from);
    if (!found.ok) return found;
    const { start, tip } = found.value;
    const checkout: Checkout = {
      // A name that no reply can guess: agents must not reach into each other's worktrees.
      worktree: path.join(
        worktrees,
        `agent${agent}-${randomBytes(4).toString('hex')}`,
        path.basename(config.repo),
      ),
      branch,
      start,
    };
    const { worktree } = checkout;
    try {
      record.making({ path: worktree, agent, branch, start });
    } catch (error) {
      return err(problemOfError(error, 'worktree_failed'));
    }
    const files = [...task.files, ...task.read];
    const { round } = from;
    const added = await addWorktree(config.repo, worktree, branch, tip, { round, files });
    if (!added.ok) {
      await removeWorktree(config.repo, worktree);
      return err(problemOf(added.failure, 'worktree_failed'));
    }
    const own = await settleIndex(worktree);
    if (!own.ok) return err(problemOf(own.failure, 'worktree_failed'));
    site.open(own.value.commonDir);
    const content = await site.contentOf(tip);
    if (!content.ok) return err(problemOf(content.failure, 'worktree_failed'));
    const drift = await findOwnDrift(site, room, worktree, tip, content.value.tree);
    if (!drift.ok) return drift;
    const filled = await site.fill(worktree, task.files);
    if (!filled.ok) return filled;
    const done =
      setup && setupCommand !== null && !room.stopped
        ? await setup.run(setupCommand, agent, worktree)
        : ok(undefined);
    if (!done.ok || room.stopped) {
      await removeWorktree(config.repo, worktree);
      if (room.stopped) return err({ reason: 'timeout', detail: 'while it was prepared' });
      if (!done.ok) return done;
    }
    if (setup) site.lookAtShared('the set-up command');
    const aside = setup ? await setAside(worktree, task.files) : ok([]);
    if (!aside.ok) return err(problemOf(aside.failure, 'setup_failed'));
    const notWork: NotWork = { aside: aside.value, drift: drift.value };
    const bare = new AgentCheckout(site, room, radar, checkout, null, notWork);
    if (from.rework !== null) {
      const brought = await bare.bringOver(task, from.rework);
      if (!brought.ok) return err(problemOf(brought.failure, 'worktree_failed'));
    }
    const asFilled = config.copy.length === 0 && !setup && from.rework === null;
    const tree = asFilled ? ok(content.value.tree) : await bare.ownTree();
    if (!tree.ok) return err(problemOf(tree.failure, 'worktree_failed'));
    return AgentCheckout.watch(site, room, radar, checkout, {
      from,
      checkpoint: tree.value,
      notWork,
      own: own.value,
      submodules: content.value.submodules,
    });
  }

  /** Keeps in mind how a fresh worktree is, so that what changes in it can be told. */
  private static watch(
    site: CheckoutSite,
    room: AgentRoom,
    radar: ConflictRadar,
    checkout: Checkout,
    fresh: {
      readonly from: PrepareFrom;
      readonly checkpoint: string;
      readonly notWork: NotWork;
      readonly own: OwnFolder;
      readonly submodules: readonly string[];
    },
  ): Result<AgentCheckout, WorkProblem> {
    const { paths, worktrees, record } = site.options;
    const { worktree, start } = checkout;
    const { from, checkpoint, notWork, own, submodules } = fresh;
    const { commonDir, count } = own;
    try {
      const keep = paths.refused(room.index);
      const guard = new WorktreeGuard({ worktree, commonDir, keep, submodules });
      const kept: KeptCheckout = {
        worktree,
        start,
        from,
        checkpoint,
        guard: guard.memory,
        ...notWork,
        count,
        found: null,
        inspected: null,
      };
      keepCheckout(worktrees, room.index, kept);
      record.ready(worktree);
      return ok(new AgentCheckout(site, room, radar, checkout, kept, notWork, guard));
    } catch (error) {
      return err(problemOfError(error, 'worktree_failed'));
    }
  }

  private openGuard({ guard }: KeptCheckout): WorktreeGuard {
    const { paths } = this.site.options;
    const { worktree } = this.checkout;
    const { commonDir, inSubmodules } = guard;
    const submodules = Object.keys(inSubmodules);
    const keep = paths.refused(this.room.index);
    return new WorktreeGuard({ worktree, commonDir, keep, submodules }, guard);
  }

  /** The state before the attempt under way, a tree or commit. */
  private get checkpoint(): string {
    return this.kept?.checkpoint ?? this.checkout.start;
  }

  /** Throws like `fs`. */
  private keep(change: Partial<KeptCheckout>): void {
    if (this.kept === null) return;
    this.kept = { ...this.kept, ...change };
    keepCheckout(this.site.options.worktrees, this.room.index, this.kept);
  }

  /** Brings the agent's work onto a new start; what conflicts stands between markers. */
  private async bringOver(task: Task, work: string): Promise<Result<void, Failure>> {
    const { paths } = this.site.options;
    const { worktree, start } = this.checkout;
    const attributes = paths.attributes(this.room.index);
    writePrivate(attributes, `* conflict-marker-size=${markerSize}\n`);
    const tree = await mergeWithMarkers(worktree, start, work, attributes);
    if (!tree.ok) return tree;
    // Where a file meets a folder of its name, git moves one of them aside: not the agent's to do.
    const changes = await treeChanges(worktree, start, tree.value);
    if (!changes.ok) return changes;
    const others = this.site.refusals(task, changes.value).map((one) => one.path);
    const index = paths.mixIndex(this.room.index);
    const own = await mixTrees(worktree, start, tree.value, others, index);
    return own.ok ? restore(worktree, own.value) : own;
  }

  /** What the agent has changed so far, while it works; null when git cannot tell. One look at a time. */
  changesSoFar(
    task: Task,
    hints: Pick<InspectionHints, 'edited' | 'since'>,
  ): Promise<ChangesSoFar | null> {
    this.looking = this.looking
      .then(() => (this.gone ? null : this.site.beside(() => this.lookNow(task, hints))))
      // What lies there may vanish under our eyes, whoever takes it away.
      .catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
        return null;
      });
    return this.looking;
  }

  private async lookNow(
    task: Task,
    hints: Pick<InspectionHints, 'edited' | 'since'>,
  ): Promise<ChangesSoFar | null> {
    const hidden = this.guard?.refusalsNow(task, hints) ?? [];
    const known = new Set([...task.files, ...hints.edited]);
    const tree = await (this.liveTree?.treeNow([...known]) ?? this.treeBeside());
    if (!tree.ok) return null;
    const { worktree, start } = this.checkout;
    const [diff, changes] = await Promise.all([
      diffStat(worktree, start, tree.value),
      treeChanges(worktree, this.checkpoint, tree.value),
    ]);
    if (!diff.ok || !changes.ok) return null;
    const seen = this.site.refusals(task, changes.value);
    const dangers = [...hidden, ...seen].filter(({ why }) => why === 'runs_code');
    const files = new Set(diff.value.files.map((file) => file.path));
    const { index } = this.room;
    this.radar.seen(index, { tree: tree.value, start, files });
    const conflicts = await this.radar.conflicts(index);
    return { files: diff.value.files, dangers, conflicts };
  }

  /** The change so far as a patch with its stat before it, for people. */
  diff(): Promise<Result<string, Failure>> {
    return this.show(showDiff);
  }

  patch(): Promise<Result<string, Failure>> {
    return this.show(showPatch);
  }

  private show(by: typeof showDiff): Promise<Result<string, Failure>> {
    return this.site.beside(async () => {
      const tree = await this.treeBeside();
      return tree.ok ? by(this.checkout.worktree, this.checkout.start, tree.value) : tree;
    });
  }

  /** Its tree while the agent works: by an index of our own, as it may hold the lock of its. */
  private treeBeside(): Promise<Result<string, Failure>> {
    return this.room.alone(async () => {
      const { worktree } = this.checkout;
      try {
        if (!this.gone) this.guard?.mendLink();
      } catch (error) {
        return err({ kind: 'file', path: worktree, detail: (error as Error).message });
      }
      const index = this.site.options.paths.besideIndex(this.room.index);
      const tree = await treeBeside(worktree, this.notWork.aside, index);
      return tree.ok ? this.withoutDrift(tree.value) : tree;
    });
  }

  private async ownTree(): Promise<Result<string, Failure>> {
    const tree = await treeOf(this.checkout.worktree, this.notWork.aside);
    if (!tree.ok) return tree;
    return this.room.alone(() => this.withoutDrift(tree.value));
  }

  /** The tree with what nobody has touched as it was committed, also where git would commit it otherwise. */
  private async withoutDrift(tree: string): Promise<Result<string, Failure>> {
    const { drift } = this.notWork;
    if (drift === null) return ok(tree);
    const { worktree } = this.checkout;
    const untouched = await untouchedOf(worktree, drift);
    const index = this.site.options.paths.mixIndex(this.room.index);
    return mixTrees(worktree, drift.commit, tree, untouched, index);
  }

  /**
   * What an attempt changed; puts back what it must not have changed. Asked once more for the same attempt, it
   * gives the same.
   */
  async inspect(
    attempt: number,
    task: Task,
    rollBack: boolean,
    hints: InspectionHints,
  ): Promise<Inspection> {
    const before = this.kept?.inspected;
    if (before?.attempt === attempt) return before.inspection;
    const empty = {
      diff: { files: [] },
      changed: false,
      substantial: false,
      refused: [],
      tree: '',
      named: [],
      unresolved: [],
    };
    const result = await this.examine(attempt, task, rollBack, hints);
    if (!result.ok) return { ...empty, failure: problemOf(result.failure, 'worktree_failed') };
    const inspection = { ...result.value, failure: null };
    try {
      const { tree } = inspection;
      this.keep({ checkpoint: tree, found: null, inspected: { attempt, inspection } });
    } catch (error) {
      return { ...empty, failure: problemOfError(error, 'worktree_failed') };
    }
    this.liveTree?.found(inspection.tree);
    return inspection;
  }

  private async examine(
    attempt: number,
    task: Task,
    rollBack: boolean,
    hints: InspectionHints,
  ): Promise<Result<Omit<Inspection, 'failure'>, Failure>> {
    const { worktree, start } = this.checkout;
    const { guard, site, room } = this;
    // Found before this program, which may have been ended while it was taken back.
    const known = this.kept?.found?.attempt === attempt ? this.kept.found.refused : [];
    const hidden = guard?.check(task, hints) ?? [];
    site.lookAtShared(`agent${room.index}, or somebody while it worked,`);
    const before = this.checkpoint;
    const now = await this.ownTree();
    if (!now.ok) return now;
    const change = await treeChanges(worktree, before, now.value);
    if (!change.ok) return change;
    const seen = await this.refusedIn(task, now.value, change.value);
    if (!seen.ok) return seen;
    const outside = seen.value.map((one) => one.path);
    const paths = new Set([...hidden, ...seen.value].map((one) => one.path));
    const refused = [...known.filter((one) => !paths.has(one.path)), ...hidden, ...seen.value];
    if (refused.length > known.length) {
      try {
        this.keep({ found: { attempt, refused } });
      } catch (error) {
        return err({ kind: 'file', path: worktree, detail: (error as Error).message });
      }
    }
    // The edit was for another file, none other was changed: so it went into one of the agent's.
    const strayed = hints.misnamed !== null && refused.length === 0;
    if ((rollBack || strayed) && change.value.length > 0) {
      const kept = await this.keepPatch('rolled-back', before, now.value, []);
      if (!kept.ok) return kept;
      const restored = await restore(worktree, before);
      if (!restored.ok) return restored;
    } else if (outside.length > 0) {
      const kept = await this.keepPatch('outside', before, now.value, outside);
      if (!kept.ok) return kept;
      for (const { path: name, why } of seen.value) {
        // A repository in the repository: git itself would leave its folder behind.
        if (why === 'submodule') guard?.takeAway(path.join(worktree, name));
      }
      const index = site.options.paths.mixIndex(room.index);
      const mixed = await room.alone(() => mixTrees(worktree, before, now.value, outside, index));
      if (!mixed.ok) return mixed;
      const restored = await restore(worktree, mixed.value);
      if (!restored.ok) return restored;
    }
    const after = await this.ownTree();
    if (!after.ok) return after;
    const diff = await diffStat(worktree, start, after.value);
    if (!diff.ok) return diff;
    const substantial = await isSubstantial(worktree, start, after.value);
    if (!substantial.ok) return substantial;
    const unresolved = await withMarkers(worktree, after.value, hints.conflicted);
    if (!unresolved.ok) return unresolved;
    const named = await tracked(worktree, task, hints.named);
    if (!named.ok) return named;
    return ok({
      unresolved: unresolved.value,
      diff: diff.value,
      changed: after.value !== before,
      substantial: substantial.value,
      refused,
      tree: after.value,
      named: named.value,
    });
  }

  /**
   * What an attempt must not have changed: against the state before it and, as that is what is committed in the end,
   * against the start. A file that an earlier attempt took away and this one made anew is an old one there.
   */
  private async refusedIn(
    task: Task,
    now: string,
    changes: readonly TreeChange[],
  ): Promise<Result<Refusal[], Failure>> {
    const { site, checkout } = this;
    const own = site.refusals(task, changes);
    const isFirst = this.kept === null || this.kept.inspected === null;
    if (isFirst || changes.length === 0) return ok(own);
    const whole = await treeChanges(checkout.worktree, checkout.start, now);
    if (!whole.ok) return whole;
    const fresh = new Set(changes.map(({ path: name }) => name));
    const told = new Set(own.map(({ path: name }) => name));
    const more = whole.value.filter((one) => fresh.has(one.path) && !told.has(one.path));
    return ok([...own, ...site.refusals(task, more)]);
  }

  /** Nothing is thrown away: what is taken back stays as a patch beside the logs, or is not taken back. */
  private keepPatch(
    name: string,
    from: string,
    to: string,
    files: readonly string[],
  ): Promise<Result<void, Failure>> {
    this.patches += 1;
    const file = this.site.options.paths.patch(this.room.index, `${name}${this.patches}`);
    return writePatch(this.checkout.worktree, from, to, files, file);
  }

  /** Runs the project's tests, after which the worktree is as it was before. */
  async test({ task, command: plan }: AgentToTest, signal: AbortSignal): Promise<TestRun> {
    const { tests: check, paths } = this.site.options;
    if (!check) throw new Error('no check was asked for');
    const { worktree } = this.checkout;
    const { index } = this.room;
    const log = paths.checkLog(index, this.site.nextCheck());
    const result = await check.run(plan, worktree, log, signal);
    this.site.lookAtShared('the tests');
    // What the tests leave behind is nobody's work, and no offence of the agent.
    this.guard?.check(task, { edited: [], since: 0 });
    if (this.kept === null) return result;
    const { checkpoint } = this.kept;
    const restored = await this.room.alone(() =>
      undoBeside(worktree, checkpoint, this.notWork.aside, paths.besideIndex(index)),
    );
    if (restored.ok) return result;
    const { failure } = restored;
    const doing = 'bringing the worktree back to what it was before the tests';
    return failure.kind === 'machine'
      ? faulted(failure.fault, doing, result.ms)
      : faulted(null, `${doing}: ${describe(failure).message}`, result.ms);
  }

  /** Commits the work on the agent's branch and removes the worktree. What is committed already is given as it is. */
  async commit(work: WorkToCommit): Promise<Result<CommittedWork, WorkProblem>> {
    const kept = existsSync(this.checkout.worktree) ? null : await this.committedBefore(work);
    const done = kept ?? (await this.commitTree(work));
    // What could not be committed stays where it is, for the person to rescue.
    if (!done.ok) return err(problemOf(done.failure, 'commit_failed'));
    this.gone = true;
    forgetKept(this.site.options.worktrees, this.room.index);
    this.room.removing = this.site.leave(this.checkout.worktree, this.looking);
    return done;
  }

  /**
   * What was committed before, where the worktree is gone: a commit may be made, and nothing could be written of
   * it, as on a full disk. Null where none was made: then somebody else has taken the worktree away.
   */
  private async committedBefore({
    finished,
  }: WorkToCommit): Promise<Result<CommittedWork, Failure> | null> {
    const { config, worktrees } = this.site.options;
    const { repo } = config;
    const { branch, start } = this.checkout;
    const ref = `refs/heads/${branch}`;
    const asked = ['rev-parse', '--verify', '--quiet', '--end-of-options', ref];
    const tip = await gitText(repo, asked, { answers: [1] });
    if (!tip.ok) return null;
    if (tip.value === '' || tip.value === start) {
      // There was nothing to commit. What is kept of a worktree goes before it does; work that was judged good is
      // on its branch.
      const isDone = !finished && readKept(worktrees, this.room.index) === null;
      return isDone ? ok({ commit: null, diff: { files: [] } }) : null;
    }
    const diff = await diffStat(repo, start, tip.value);
    return diff.ok ? ok({ commit: tip.value, diff: diff.value }) : diff;
  }

  private async commitTree(work: WorkToCommit): Promise<Result<CommittedWork, Failure>> {
    const { worktree, start, branch } = this.checkout;
    const { task, finished } = work;
    this.guard?.mendLink();
    this.guard?.unlock();
    const tree = await this.ownTree();
    if (!tree.ok) return tree;
    const diff = await diffStat(worktree, start, tree.value);
    if (!diff.ok) return diff;
    if (diff.value.files.length === 0) return ok({ commit: null, diff: diff.value });
    if (finished) {
      // The last gate: whatever came into the worktree since it was judged is not merged.
      const changes = await treeChanges(worktree, start, tree.value);
      if (!changes.ok) return changes;
      const refused = this.site.refusals(task, changes.value);
      if (refused.length > 0) {
        const detail = `changed since it was judged: ${refused.map((one) => one.path).join(', ')}.`;
        return err({ kind: 'git', doing: 'commit', detail });
      }
    }
    const commit = await gitText(worktree, ['commit-tree', tree.value, '-p', start, '-F', '-'], {
      input: commitMessage(this.site.options, work),
    });
    if (!commit.ok) return commit;
    const set = await git(worktree, ['update-ref', `refs/heads/${branch}`, commit.value]);
    return set.ok ? ok({ commit: commit.value, diff: diff.value }) : set;
  }

  /** Resolves when no look is under way. */
  async settled(): Promise<void> {
    await this.looking;
  }
}

/**
 * How a worktree was, for a repository that may have been moved, to which its worktrees are led again. Null where it
 * tells of another repository.
 */
function ledTo(guard: GuardMemory, commonDir: string): GuardMemory | null {
  const rest = guard.gitLink.startsWith(`gitdir: ${guard.commonDir}/worktrees/`)
    ? guard.gitLink.slice(`gitdir: ${guard.commonDir}`.length)
    : null;
  if (rest === null) return null;
  const isHere = unless(unreadable, false, () => sameFolder(guard.commonDir, commonDir));
  if (isHere) return guard;
  return existsSync(guard.commonDir)
    ? null
    : { ...guard, commonDir, gitLink: `gitdir: ${commonDir}${rest}` };
}

function sameFolder(one: string, other: string): boolean {
  return realpathSync(one) === realpathSync(other);
}

/** Where a round begins: its content, and the commit that its own work is measured from. */
async function findStart(
  { options: { config } }: CheckoutSite,
  { onto, resume }: PrepareFrom,
): Promise<Result<{ tip: string; start: string }, WorkProblem>> {
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

/** Looks for what git would commit otherwise than it is. */
async function findOwnDrift(
  site: CheckoutSite,
  { index: agent }: AgentRoom,
  worktree: string,
  commit: string,
  tree: string,
): Promise<Result<Drift | null, WorkProblem>> {
  const { paths } = site.options;
  try {
    makePrivateFolder(paths.agentFolder(agent));
    const drift = await site.driftOf(worktree, commit, tree, paths.mixIndex(agent));
    return drift.ok ? drift : err(problemOf(drift.failure, 'worktree_failed'));
  } catch (error) {
    return err(problemOfError(error, 'worktree_failed'));
  }
}

/** Of what reads like paths, the tracked files that the agent cannot see. */
async function tracked(
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
