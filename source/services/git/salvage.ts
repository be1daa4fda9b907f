import { describe, type Failure } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import { branchesNow } from './branches-now.js';
import { ownershipOf, repairLink } from './own-worktree.js';
import type { Repository } from './repository.js';
import { git, gitText } from './run-git.js';
import { treeOf } from './snapshot.js';
import { removeWorktree } from './worktree.js';

/** A worktree as the run's record names it. */
export interface LeftWorktree {
  /** Absolute. */
  readonly path: string;
  readonly agent: number | null;
  readonly branch: string | null;
  /** What it started from. */
  readonly start: string;
  /** It may hold work. */
  readonly ready: boolean;
}

export interface Salvaged {
  /** Branches of the run that hold more than what they started from, as git has them now. */
  readonly branches: readonly string[];
  /** Worktrees that stay, as what is in them could not be committed. */
  readonly left: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Keeps what lies in the worktrees of a dead run of which nothing else is known: commits it, as unfinished,
 * to each agent's own branch, and takes the worktrees away.
 */
export async function salvage(
  repo: Repository,
  stamp: string,
  made: readonly LeftWorktree[],
): Promise<Salvaged> {
  const left: { path: string; why: string }[] = [];
  for (const worktree of made) {
    const ownership = ownershipOf(repo.commonDir, worktree.path);
    if (ownership === 'gone') continue;
    if (ownership === 'foreign') {
      left.push({ path: worktree.path, why: 'it is no worktree of this repository' });
      continue;
    }
    repairLink(repo.commonDir, worktree.path);
    const kept =
      worktree.agent === null || !worktree.ready || worktree.branch === null
        ? ok(undefined)
        : await keep(worktree, worktree.branch, stamp);
    if (kept.ok) await removeWorktree(repo.root, worktree.path);
    else left.push({ path: worktree.path, why: describe(kept.failure).message });
  }
  // One that stands where the run began, or where its own agent did, holds nothing of its own.
  const base = made[0]?.start;
  const startOf = new Map(made.map(({ branch, start }) => [branch, start]));
  const branches = branchesNow(repo.root, stamp) ?? new Map<string, readonly string[]>();
  const held = [...branches].flatMap(([commit, names]) =>
    names.filter((name) => commit !== base && commit !== startOf.get(name)),
  );
  return { branches: held.sort(), left };
}

async function keep(
  { path, start }: LeftWorktree,
  branch: string,
  stamp: string,
): Promise<Result<void, Failure>> {
  const tree = await treeOf(path);
  if (!tree.ok) return tree;
  const ref = `refs/heads/${branch}`;
  const [tip, before] = await Promise.all([
    gitText(path, ['rev-parse', '--verify', '--quiet', '--end-of-options', ref], { answers: [1] }),
    gitText(path, ['rev-parse', '--verify', '--end-of-options', `${start}^{tree}`]),
  ]);
  if (!tip.ok) return tip;
  if (!before.ok) return before;
  if (tree.value === before.value) return ok(undefined);
  // The program may have died between the commit and the end of the worktree.
  if (tip.value !== '' && tip.value !== start) {
    const committed = await gitText(path, ['rev-parse', '--verify', `${tip.value}^{tree}`]);
    if (committed.ok && committed.value === tree.value) return ok(undefined);
    const detail = `${branch} holds other work`;
    return err({ kind: 'git', doing: 'keeping what lies in the worktree', detail });
  }
  const commit = await gitText(path, ['commit-tree', tree.value, '-p', start, '-F', '-'], {
    input: `Unfinished work of ${branch}\n\nRun: ${stamp}\n`,
  });
  if (!commit.ok) return commit;
  const set = await git(path, ['update-ref', ref, commit.value]);
  return set.ok ? ok(undefined) : set;
}
