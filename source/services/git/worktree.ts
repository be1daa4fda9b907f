import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import type { Failure } from '../../core/failure.js';
import { ok, type Result } from '../../core/result.js';
import { git, gitText } from './run-git.js';

/** One at a time in this process: parallel `worktree add` races on git's own locks. */
let chain: Promise<unknown> = Promise.resolve();

function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const next = chain.then(work, work);
  chain = next.catch(() => {});
  return next;
}

const retries = 5;

/**
 * Makes a worktree on a new branch, alone in a private parent folder. Made one at a time and without
 * files (about 10 ms); filled afterwards, which many can do at once. Another run in the same
 * repository may hold git's lock for a moment, so a lost race is tried again.
 */
export function addWorktree(
  repo: string,
  worktree: string,
  branch: string,
  commit: string,
): Promise<Result<void, Failure>> {
  return add(repo, worktree, ['--no-track', '-b', branch], commit);
}

/** The same without a branch: for looking only. */
export function addDetachedWorktree(
  repo: string,
  worktree: string,
  commit: string,
): Promise<Result<void, Failure>> {
  return add(repo, worktree, ['--detach'], commit);
}

async function add(
  repo: string,
  worktree: string,
  how: readonly string[],
  commit: string,
): Promise<Result<void, Failure>> {
  await mkdir(path.dirname(worktree), { recursive: true, mode: 0o700 });
  const added = await oneAtATime(async () => {
    for (let tries = 1; ; tries++) {
      const args = ['worktree', 'add', '--quiet', '--no-checkout', ...how, worktree, commit];
      const answer = await git(repo, args);
      const raced =
        !answer.ok &&
        answer.failure.kind === 'git' &&
        /lock|File exists/i.test(answer.failure.detail);
      if (answer.ok || !raced || tries === retries) return answer;
    }
  });
  if (!added.ok) return added;
  const filled = await git(worktree, [
    '-c',
    'submodule.recurse=false',
    'reset',
    '--hard',
    '--quiet',
  ]);
  return filled.ok ? ok(undefined) : filled;
}

/** Keeps an agent's branch of an earlier round under the name `<branch>-round<N>`, if there is one. */
export async function keepBranch(
  repo: string,
  branch: string,
  round: number,
): Promise<Result<void, Failure>> {
  const tip = await gitText(repo, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`], {
    answers: [1],
  });
  if (!tip.ok) return tip;
  if (tip.value === '') return ok(undefined);
  const kept = await git(repo, ['update-ref', `refs/heads/${branch}-round${round - 1}`, tip.value]);
  if (!kept.ok) return kept;
  const gone = await git(repo, ['update-ref', '-d', `refs/heads/${branch}`]);
  return gone.ok ? ok(undefined) : gone;
}

/** Removes a worktree and its private parent folder; the branch stays. */
export async function removeWorktree(repo: string, worktree: string): Promise<void> {
  await rm(worktree, { recursive: true, force: true, maxRetries: 3 });
  // Not `prune`, which would take other worktrees too whose folder is away for a while.
  await oneAtATime(() => git(repo, ['worktree', 'remove', '--force', worktree]));
  await removeEmptyParents(path.dirname(worktree), 2);
}

async function removeEmptyParents(folder: string, levels: number): Promise<void> {
  if (levels === 0) return;
  const left = await readdir(folder).catch(() => null);
  if (left === null || left.length > 0) return;
  await rmdir(folder).catch(() => {});
  await removeEmptyParents(path.dirname(folder), levels - 1);
}
