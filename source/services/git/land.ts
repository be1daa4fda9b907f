import { accessSync, constants, existsSync, lstatSync, statfsSync } from 'node:fs';
import { lstat, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import type { Failure } from '../../core/policy/failure.js';
import { describe } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import type { Landing } from '../../core/run/run.js';
import { shellWord } from '../../core/text/shell-word.js';
import { hasCode } from '../files/private-files.js';
import { changedTrackedFiles } from './repository.js';
import { git, gitText, splitNul } from './run-git.js';
import { treeChanges } from './tree-changes.js';

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

/** One path that a landing changes. */
interface Change {
  readonly path: string;
  /** Null where it is not there. */
  readonly before: 'there' | null;
  readonly after: 'there' | null;
  /** Bytes of the new content. */
  readonly size: number;
}

/** A lock that another git holds is waited for so long, milliseconds. */
const patienceMs = 5000;
const waitMs = 150;

/**
 * Fast-forwards the branch to the merged work: only when no tracked file is changed, no untracked
 * file would be overwritten and the branch has not moved. Otherwise nothing is touched. A landing that fails
 * half-way is taken back; what cannot be is named, with the command that does it.
 */
export async function land(request: LandRequest): Promise<Landing> {
  const { repo, base, commit, branch } = request;
  const moved = await whetherMoved(request);
  // It has been landed before, and nobody could be told.
  if (moved?.tip === commit && branch !== null) return { state: 'landed', commit, branch };
  // It can never be a fast-forward again, so git's own merge is the way.
  if (moved !== null) {
    const { reason, tip } = moved;
    const how = `git merge ${request.merged}`;
    return { state: 'refused', reason, how, ...(tip === null ? {} : { tip }) };
  }
  const changes = await changesOf(repo, base, commit);
  if (!changes.ok) {
    return { state: 'refused', reason: describe(changes.failure).message, how: request.later };
  }
  const refusal = await whyNot(request, changes.value);
  if (refusal !== null) return { state: 'refused', reason: refusal, how: request.later };
  const merged = await whenUnlocked(() =>
    git(repo, ['merge', '--ff-only', '--no-stat', '--quiet', '--end-of-options', commit]),
  );
  if (merged.ok) return { state: 'landed', commit, branch: branch ?? 'HEAD' };
  const reason = reasonOf(merged.failure);
  const left = await takeBack(request, changes.value);
  if (left.length === 0) return { state: 'refused', reason, how: request.later };
  const files = left.map((file) => shellWord(file)).join(' ');
  return {
    state: 'refused',
    reason: `${reason}; not all of it could be taken back, ${left.join(', ')} ${left.length === 1 ? 'is' : 'are'} as the landing left ${left.length === 1 ? 'it' : 'them'}`,
    how: `git checkout ${base.slice(0, 12)} -- ${files}`,
  };
}

function reasonOf(failure: Failure): string {
  if (failure.kind === 'machine') return describe(failure).message.replace(/\.$/, '');
  return failure.kind === 'git' ? (failure.detail.split('\n')[0] ?? 'git refused') : 'git refused';
}

/** Runs a command again while another git, such as an editor's `git status`, holds the index. */
export async function whenUnlocked<T>(
  run: () => Promise<Result<T, Failure>>,
): Promise<Result<T, Failure>> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const answer = await run();
    const isLocked =
      !answer.ok &&
      answer.failure.kind === 'git' &&
      /index\.lock|\.lock': File exists/.test(answer.failure.detail);
    if (!isLocked || performance.now() > until) return answer;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

async function changesOf(
  repo: string,
  base: string,
  commit: string,
): Promise<Result<Change[], Failure>> {
  const changed = await treeChanges(repo, base, commit);
  if (!changed.ok) return changed;
  const there = (mode: string) => (/^0+$/.test(mode) ? null : 'there');
  return ok(
    changed.value.map(({ path: name, oldMode, newMode, size }) => ({
      path: name,
      before: there(oldMode),
      after: there(newMode),
      size,
    })),
  );
}

/** Why the branch is not where the run left it, and where it is instead. */
async function whetherMoved({
  repo,
  base,
  branch,
}: LandRequest): Promise<{ readonly reason: string; readonly tip: string | null } | null> {
  if (branch === null) return null;
  const head = await gitText(
    repo,
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${branch}`],
    { answers: [1] },
  );
  if (!head.ok) return { reason: describe(head.failure).message.replace(/\.$/, ''), tip: null };
  if (head.value === base) return null;
  return head.value === ''
    ? { reason: `there is no branch ${branch} any more`, tip: null }
    : { reason: `the branch ${branch} has moved since the run started`, tip: head.value };
}

/** The branch that is checked out; '' when HEAD is detached. */
export async function currentBranch(repo: string): Promise<Result<string, Failure>> {
  // The whole name: a tag of the same name would lengthen the short one.
  const head = await gitText(repo, ['symbolic-ref', '--quiet', 'HEAD'], { answers: [1] });
  return head.ok ? ok(head.value.replace(/^refs\/heads\//, '')) : err(head.failure);
}

async function whyNot(
  { repo, branch }: LandRequest,
  changes: readonly Change[],
): Promise<string | null> {
  const current = await currentBranch(repo);
  if (!current.ok)
    return `git cannot tell the current branch (${describe(current.failure).message})`;
  if (branch === null || current.value === '')
    return 'HEAD is detached, there is no branch to land on';
  if (current.value !== branch)
    return `the current branch is ${current.value}, the run started on ${branch}`;
  const changed = await changedTrackedFiles(repo);
  if (!changed.ok) {
    return `git cannot tell whether files are changed (${describe(changed.failure).message})`;
  }
  if (changed.value.length > 0) return `tracked files are changed: ${listing(changed.value)}`;
  const overwritten = await untrackedInTheWay(repo, changes);
  if (!overwritten.ok) return describe(overwritten.failure).message;
  if (overwritten.value.length > 0)
    return `untracked files would be overwritten: ${listing(overwritten.value)}`;
  const closed = changes.map(({ path: name }) => name).filter((name) => !canWrite(repo, name));
  if (closed.length > 0) return `files cannot be written: ${listing(closed)}`;
  const needed = changes.reduce((sum, { size }) => sum + size, 0);
  const { bavail, bsize } = statfsSync(repo);
  return bavail * bsize > needed + 64 * 1024 ? null : 'the disk is full';
}

/** Whether git can put another file in the place of one: by the folder that it lies in, or is to lie in. */
function canWrite(repo: string, name: string): boolean {
  let folder = path.dirname(path.join(repo, name));
  while (!existsSync(folder)) folder = path.dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) return false;
    throw error;
  }
}

/** Files that the landing adds and that already lie there untracked, ignored ones included. */
async function untrackedInTheWay(
  repo: string,
  changes: readonly Change[],
): Promise<Result<string[], Failure>> {
  const known = await git(repo, ['ls-files', '-z']);
  if (!known.ok) return known;
  const tracked = new Set(splitNul(known.value.stdout));
  const setting = await gitText(repo, ['config', '--bool', 'core.ignorecase'], { answers: [1] });
  if (!setting.ok) return setting;
  // On a file system without case, a case-only rename finds its own old file in its way.
  const ignoreCase = setting.value === 'true';
  const lower = new Set(ignoreCase ? [...tracked].map((name) => name.toLowerCase()) : []);
  const inTheWay: string[] = [];
  for (const { path: name, before } of changes) {
    if (before !== null || tracked.has(name) || lower.has(name.toLowerCase())) continue;
    if (lstatSync(path.join(repo, name), { throwIfNoEntry: false })) inTheWay.push(name);
  }
  return ok(inTheWay);
}

function listing(files: readonly string[]): string {
  const shown = files.slice(0, 5).join(', ');
  return files.length > 5 ? `${shown} and ${files.length - 5} more` : shown;
}

/**
 * Brings the checkout back to where it was before a landing that failed half-way. It was clean then, so what
 * differs now on the paths of the landing is the landing's.
 * @returns the paths that could not be brought back
 */
async function takeBack(
  { repo, base, commit }: LandRequest,
  changes: readonly Change[],
): Promise<string[]> {
  const head = await gitText(repo, ['rev-parse', '--verify', 'HEAD']);
  // Another git was at work meanwhile; what it did is not ours to take back.
  if (!head.ok || head.value !== base) return [];
  const ahead = await git(repo, ['diff-index', '--cached', '--quiet', commit, '--'], {
    answers: [1],
  });
  if (ahead.ok && ahead.value.code === 0) {
    // Only the branch could not be moved.
    await git(repo, ['read-tree', '-m', '-u', commit, base]);
  } else {
    const added = changes.filter(({ before }) => before === null).map((one) => one.path);
    // First, as that frees space.
    for (const name of added) await removeLanded(repo, name);
    const others = changes.filter(({ before }) => before !== null).map((one) => one.path);
    if (others.length > 0) {
      await git(repo, ['checkout-index', '-f', '-u', '-z', '--stdin'], {
        input: others.map((name) => `${name}\0`).join(''),
      });
    }
  }
  const names = new Set(changes.map((one) => one.path));
  const status = await changedTrackedFiles(repo);
  const still = status.ok ? status.value.filter((name) => names.has(name)) : [...names];
  const stays = changes.flatMap(({ path: name, before }) =>
    before === null && lstatSync(path.join(repo, name), { throwIfNoEntry: false }) ? [name] : [],
  );
  return [...new Set([...still, ...stays])];
}

/** Removes a file that the landing has brought, and the folders that are empty then. */
async function removeLanded(repo: string, name: string): Promise<void> {
  const file = path.join(repo, name);
  const stats = await lstat(file).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  });
  if (stats === null || stats.isDirectory()) return;
  try {
    await rm(file);
    for (let folder = path.dirname(name); folder !== '.'; folder = path.dirname(folder)) {
      await rmdir(path.join(repo, folder));
    }
  } catch (error) {
    // It stays, and is told; or the folder holds more.
    if (!hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}
