import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { Failure } from '../../core/policy/failure.js';
import { ok, type Result } from '../../core/result.js';
import { unlessLater, unreadable } from '../files/private-files.js';
import { patchTree } from './patch-tree.js';

/** With fewer files than this a look at all of them takes no longer than one at a few, tens of milliseconds. */
const fewFiles = 5000;

/** Of one core, for looks at all files of large worktrees. */
const share = 0.005;

/** Shares the time for looks at whole worktrees among the agents of a run. */
export class LookBudget {
  private nextAt = 0;

  mayLook(): boolean {
    return performance.now() >= this.nextAt;
  }

  /** @param ms what a look took */
  spent(ms: number): void {
    this.nextAt = Math.max(this.nextAt, performance.now()) + ms / share;
  }
}

export interface LiveTreeOptions {
  readonly worktree: string;
  /** The tree or commit that the worktree was filled with. */
  readonly start: string;
  /** Files in it. */
  readonly count: number;
  readonly budget: LookBudget;
  /** Looks at the whole worktree. */
  readonly whole: () => Promise<Result<string, Failure>>;
}

/**
 * An agent's worktree as a tree, followed while the agent works. In a large one the files that are known
 * to be worked on are looked at each time; all others as often as a small share of a core allows, and in
 * any case, elsewhere, when an attempt has ended.
 */
export class LiveTree {
  private tree: string;
  private stamps = new Map<string, string>();

  constructor(private readonly options: LiveTreeOptions) {
    this.tree = options.start;
  }

  /** The whole worktree was looked at elsewhere. */
  found(tree: string): void {
    this.tree = tree;
    this.stamps.clear();
  }

  /** @param files those that may have changed, relative to the worktree */
  async treeNow(files: readonly string[]): Promise<Result<string, Failure>> {
    const { worktree, count, budget } = this.options;
    if (count < fewFiles) return this.options.whole();
    const stamps = new Map(
      await Promise.all(
        files.map(async (file) => [file, await stampOf(path.join(worktree, file))] as const),
      ),
    );
    if (budget.mayLook()) return this.lookAtAll(stamps);
    const changed = files.filter((file) => stamps.get(file) !== this.stamps.get(file));
    if (changed.length > 0) {
      const patched = await patchTree(worktree, this.tree, changed);
      if (!patched.ok) return patched;
      if (patched.value === null) return this.lookAtAll(stamps);
      this.tree = patched.value;
      this.stamps = stamps;
    }
    return ok(this.tree);
  }

  private async lookAtAll(stamps: Map<string, string>): Promise<Result<string, Failure>> {
    const from = performance.now();
    const tree = await this.options.whole();
    this.options.budget.spent(performance.now() - from);
    if (tree.ok) {
      this.tree = tree.value;
      this.stamps = stamps;
    }
    return tree;
  }
}

/** Differs when the file does. */
async function stampOf(file: string): Promise<string> {
  const stat = await unlessLater(unreadable, null, lstat(file, { bigint: true }));
  return stat === null
    ? ''
    : `${stat.mtimeNs} ${stat.ctimeNs} ${stat.size} ${stat.ino} ${stat.mode}`;
}
