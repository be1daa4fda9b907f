import { appendFileSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rmdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Failure } from '../../core/policy/failure.js';
import { escapeIgnorePattern } from '../../core/policy/paths.js';
import { fileFailure } from '../../core/policy/work-problem.js';
import { err, ok, type Result } from '../../core/result.js';
import { roundBranch } from '../../core/run/branches.js';
import { unlessLater, unreadable } from '../files/private-files.js';
import { git, gitText, splitNul } from './run-git.js';
import { throwAway } from './trash.js';

/** One at a time for each repository: parallel `worktree add` races on git's own locks. */
const queues = new Map<string, LimitFunction>();

function oneAtATime<T>(repo: string, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(repo) ?? pLimit(1);
  queues.set(repo, queue);
  return queue(work);
}

const retries = 5;

/**
 * Makes a worktree on a new branch, alone in a private parent folder. Made one at a time and without
 * files (about 10 ms); filled afterwards, which many can do at once. Another run in the same
 * repository may hold git's lock for a moment, so a lost race is tried again.
 * @param round from 0; where the branch holds the work of the round before, that keeps it under the name
 *   `<branch>-round<N>`. Both happen at once, and only when there is a worktree: until then the branch
 *   is what it was.
 * @param files that have to be checked out, also where the checkout is sparse
 */
export async function addWorktree(
  repo: string,
  worktree: string,
  branch: string,
  commit: string,
  { round = 0, files = [] }: { readonly round?: number; readonly files?: readonly string[] } = {},
): Promise<Result<void, Failure>> {
  const made = await make(repo, worktree, commit);
  if (!made.ok) return made;
  const widened = widenSparse(worktree, files);
  if (!widened.ok) return widened;
  const ref = `refs/heads/${branch}`;
  const tip = await gitText(repo, ['rev-parse', '--verify', '--quiet', '--end-of-options', ref], {
    answers: [1],
  });
  if (!tip.ok) return tip;
  const keep = await toKeep(repo, ref, tip.value, round);
  if (!keep.ok) return keep;
  const begin =
    tip.value === '' ? `create ${ref} ${commit}` : `update ${ref} ${commit} ${tip.value}`;
  const moved = await git(repo, ['update-ref', '--stdin'], {
    input: [...keep.value, begin].map((line) => `${line}\n`).join(''),
  });
  if (!moved.ok) return moved;
  const led = await git(worktree, ['symbolic-ref', 'HEAD', ref]);
  return led.ok ? fill(worktree) : led;
}

/**
 * What keeps the work of the round before. Where that is kept already, the branch holds the beginning of a
 * worktree that never came to be, which is nobody's work.
 */
async function toKeep(
  repo: string,
  ref: string,
  tip: string,
  round: number,
): Promise<Result<string[], Failure>> {
  if (tip === '' || round === 0) return ok([]);
  const name = roundBranch(ref, round - 1);
  const kept = await gitText(repo, ['rev-parse', '--verify', '--quiet', '--end-of-options', name], {
    answers: [1],
  });
  if (!kept.ok) return kept;
  return ok(kept.value === '' ? [`create ${name} ${tip}`] : []);
}

/** The same without a branch: for looking only. */
export async function addDetachedWorktree(
  repo: string,
  worktree: string,
  commit: string,
): Promise<Result<void, Failure>> {
  const made = await make(repo, worktree, commit);
  return made.ok ? fill(worktree) : made;
}

/** An empty worktree without a branch. */
async function make(
  repo: string,
  worktree: string,
  commit: string,
): Promise<Result<void, Failure>> {
  try {
    await mkdir(path.dirname(worktree), { recursive: true, mode: 0o700 });
  } catch (error) {
    return err(fileFailure(error, path.dirname(worktree)));
  }
  const added = await oneAtATime(repo, async () => {
    for (let tries = 1; ; tries++) {
      const args = ['worktree', 'add', '--quiet', '--no-checkout', '--detach', worktree, commit];
      const answer = await git(repo, args);
      const raced =
        !answer.ok &&
        answer.failure.kind === 'git' &&
        /lock|File exists/i.test(answer.failure.detail);
      if (answer.ok || !raced || tries === retries) return answer;
    }
  });
  return added.ok ? ok(undefined) : added;
}

/** Fills a worktree by its index; what a filter of the repository lacks here is met, or told by its name. */
async function fill(worktree: string): Promise<Result<void, Failure>> {
  const linked = shareCryptKeys(worktree);
  if (!linked.ok) return linked;
  const filled = await git(worktree, ['reset', '--hard', '--quiet']);
  if (filled.ok) return ok(undefined);
  const { failure } = filled;
  if (failure.kind !== 'git') return filled;
  if (/smudge filter lfs failed/.test(failure.detail)) {
    // An object that nobody has: its pointer stays, as in a clone without it.
    const env = { GIT_LFS_SKIP_SMUDGE: '1' };
    const skipped = await git(worktree, ['reset', '--hard', '--quiet'], { env });
    if (skipped.ok) return ok(undefined);
  }
  const filter = /(?:smudge|clean) filter (\S+) failed/.exec(failure.detail)?.[1];
  if (filter === undefined) return filled;
  const detail = `the filter ${filter} of this repository does not work in a worktree: ${failure.detail.split('\n')[0]}`;
  return err({ kind: 'git', doing: failure.doing, detail });
}

/** Git's own folder of a worktree, by the link that lies in it. */
function ownFolderOf(worktree: string): string {
  const link = readFileSync(path.join(worktree, '.git'), 'utf8');
  return path.resolve(worktree, link.replace(/^gitdir: /, '').trimEnd());
}

/** git-crypt looks for its keys in the worktree's own folder of git, where they are not. */
function shareCryptKeys(worktree: string): Result<void, Failure> {
  try {
    const own = ownFolderOf(worktree);
    const keys = path.resolve(own, '..', '..', 'git-crypt');
    const link = path.join(own, 'git-crypt');
    if (existsSync(keys) && !existsSync(link))
      symlinkSync(path.join('..', '..', 'git-crypt'), link);
    return ok(undefined);
  } catch (error) {
    return err(fileFailure(error, worktree));
  }
}

/** Checks files out in this worktree alone that the sparse checkout leaves out. */
function widenSparse(worktree: string, files: readonly string[]): Result<void, Failure> {
  try {
    const patterns = path.join(ownFolderOf(worktree), 'info', 'sparse-checkout');
    if (files.length === 0 || !existsSync(patterns)) return ok(undefined);
    const lines = files.map((file) => escapeIgnorePattern(file));
    appendFileSync(patterns, `\n${lines.join('\n')}\n`);
    return ok(undefined);
  } catch (error) {
    return err(fileFailure(error, worktree));
  }
}

/** What a worktree was filled with. */
export interface Content {
  readonly tree: string;
  /** Paths of submodules. */
  readonly submodules: readonly string[];
}

/** What a commit holds. */
export async function contentOf(repo: string, commit: string): Promise<Result<Content, Failure>> {
  const [tree, folders] = await Promise.all([
    gitText(repo, ['rev-parse', '--verify', `${commit}^{tree}`]),
    // Folders and submodules.
    git(repo, ['ls-tree', '-r', '-d', '-z', '--full-tree', commit]),
  ]);
  if (!tree.ok) return tree;
  if (!folders.ok) return folders;
  const submodules = splitNul(folders.value.stdout).flatMap((line) =>
    line.startsWith('160000 ') ? [line.slice(line.indexOf('\t') + 1)] : [],
  );
  return ok({ tree: tree.value, submodules });
}

/** What a fresh worktree has in git's own folder. */
export interface OwnFolder {
  /** The folder that all worktrees of the repository share, absolute. */
  readonly commonDir: string;
  /** Entries of its index. */
  readonly count: number;
}

/**
 * Makes the index of a worktree that was just filled younger than its files: of those that are no older,
 * git does not trust the times, and would read them again each time.
 */
export async function settleIndex(worktree: string): Promise<Result<OwnFolder, Failure>> {
  try {
    const link = await readFile(path.join(worktree, '.git'), 'utf8');
    const own = path.resolve(worktree, link.replace(/^gitdir: /, '').trimEnd());
    const common = await readFile(path.join(own, 'commondir'), 'utf8');
    const index = path.join(own, 'index');
    const younger = new Date(Date.now() + 1);
    await utimes(index, younger, younger);
    return ok({ commonDir: path.resolve(own, common.trimEnd()), count: await entriesOf(index) });
  } catch (error) {
    return err({ kind: 'file', path: worktree, detail: (error as Error).message });
  }
}

/** The number of entries of an index, which stands in its header (gitformat-index). */
async function entriesOf(index: string): Promise<number> {
  const file = await open(index);
  try {
    const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 0);
    return buffer.readUInt32BE(8);
  } finally {
    await file.close();
  }
}

/** Removes a worktree and its private parent folder; the branch stays. Its files may go later. */
export async function removeWorktree(repo: string, worktree: string): Promise<void> {
  await throwAway(worktree);
  // Not `prune`, which would take other worktrees too whose folder is away for a while.
  await oneAtATime(repo, () => git(repo, ['worktree', 'remove', '--force', worktree]));
  await removeEmptyParents(path.dirname(worktree), 2);
}

async function removeEmptyParents(folder: string, levels: number): Promise<void> {
  if (levels === 0) return;
  const left = await unlessLater(unreadable, null, readdir(folder));
  if (left === null || left.length > 0) return;
  await unlessLater(
    ['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'EACCES', 'EPERM'],
    null,
    rmdir(folder),
  );
  await removeEmptyParents(path.dirname(folder), levels - 1);
}
