import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { Landing } from '../../core/run.js';
import { changedTrackedFiles } from './repository.js';
import { git, gitText, splitNul } from './run-git.js';
import { diffStat } from './snapshot.js';

export interface LandRequest {
  readonly repo: string;
  /** The commit the run started from. */
  readonly base: string;
  /** The branch the run started on. */
  readonly branch: string | null;
  /** The commit to land. */
  readonly commit: string;
  /** The integration branch. */
  readonly merged: string;
  /** The command that lands it later. */
  readonly later: string;
}

/**
 * Fast-forwards the branch to the merged work: only when no tracked file is changed, no untracked
 * file would be overwritten and the branch has not moved. Otherwise nothing is touched.
 */
export async function land(request: LandRequest): Promise<Landing> {
  const { repo, commit, branch } = request;
  const moved = await whetherMoved(request);
  // It can never be a fast-forward again, so git's own merge is the way.
  if (moved !== null)
    return { state: 'refused', reason: moved, how: `git merge ${request.merged}` };
  const refusal = await whyNot(request);
  if (refusal !== null) return { state: 'refused', reason: refusal, how: request.later };
  const merged = await git(repo, [
    '-c',
    'merge.verifySignatures=false',
    'merge',
    '--ff-only',
    '--no-stat',
    '--quiet',
    commit,
  ]);
  if (!merged.ok) {
    const reason =
      merged.failure.kind === 'git' ? merged.failure.detail.split('\n')[0] : 'the disk is full';
    return { state: 'refused', reason: reason ?? 'git refused', how: request.later };
  }
  return { state: 'landed', commit, branch: branch ?? 'HEAD' };
}

async function whetherMoved({ repo, base, branch }: LandRequest): Promise<string | null> {
  if (branch === null) return null;
  const head = await gitText(repo, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`]);
  if (head.ok && head.value === base) return null;
  return `the branch ${branch} has moved since the run started`;
}

async function whyNot({ repo, base, branch, commit }: LandRequest): Promise<string | null> {
  const current = await gitText(repo, ['symbolic-ref', '--quiet', '--short', 'HEAD'], {
    answers: [1],
  });
  if (!current.ok) return 'git cannot tell the current branch';
  if (branch === null || current.value === '')
    return 'HEAD is detached, there is no branch to land on';
  if (current.value !== branch)
    return `the current branch is ${current.value}, the run started on ${branch}`;
  const changed = await changedTrackedFiles(repo);
  if (!changed.ok) return 'git cannot tell whether files are changed';
  if (changed.value.length > 0) return `tracked files are changed: ${listing(changed.value)}`;
  const overwritten = await untrackedInTheWay(repo, base, commit);
  if (overwritten.length > 0)
    return `untracked files would be overwritten: ${listing(overwritten)}`;
  return null;
}

/** Files that the landing adds and that already lie there untracked, ignored ones included. */
async function untrackedInTheWay(repo: string, base: string, commit: string): Promise<string[]> {
  const diff = await diffStat(repo, base, commit);
  if (!diff.ok) return [];
  const known = await git(repo, ['ls-files', '-z']);
  const tracked = new Set(known.ok ? splitNul(known.value.stdout) : []);
  const setting = await gitText(repo, ['config', '--bool', 'core.ignorecase'], { answers: [1] });
  // On a file system without case, a case-only rename finds its own old file in its way.
  const ignoreCase = setting.ok && setting.value === 'true';
  const lower = new Set(ignoreCase ? [...tracked].map((name) => name.toLowerCase()) : []);
  const inTheWay: string[] = [];
  for (const file of diff.value.files) {
    if (file.status !== 'A' || tracked.has(file.path) || lower.has(file.path.toLowerCase()))
      continue;
    const there = await lstat(path.join(repo, file.path)).catch(() => null);
    if (there) inTheWay.push(file.path);
  }
  return inTheWay;
}

function listing(files: readonly string[]): string {
  const shown = files.slice(0, 5).join(', ');
  return files.length > 5 ? `${shown} and ${files.length - 5} more` : shown;
}
