import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { Failure } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import { hasCode } from '../files/private-files.js';
import { git } from './run-git.js';
import { notAidersOwn } from './snapshot.js';

/**
 * Whether a folder that our records name is really a worktree of this repository: git has to say so from both
 * sides. Of a repository that was moved, the worktrees still point to where it was; those are led back.
 */

/** `gone`: the folder is not there. `foreign`: it is no worktree of this repository. */
export type Ownership = 'ours' | 'gone' | 'foreign';

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP')) return null;
    throw error;
  }
}

function real(file: string): string | null {
  try {
    return realpathSync(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) return null;
    throw error;
  }
}

/** Git's own folder of the worktree at a path, by what the repository has recorded; null when it knows none. */
function entryFor(commonDir: string, worktree: string): string | null {
  const folder = path.join(commonDir, 'worktrees');
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
  const link = path.join(worktree, '.git');
  const found = names.filter((name) => read(path.join(folder, name, 'gitdir')) === link);
  return found.length === 1 ? path.join(folder, found[0] ?? '') : null;
}

/**
 * @param commonDir the folder that all worktrees of this repository share, absolute
 * @param worktree absolute and real, as it was recorded
 */
export function ownershipOf(commonDir: string, worktree: string): Ownership {
  const stats = statSync(worktree, { throwIfNoEntry: false });
  if (!stats) return 'gone';
  // A link on the way would lead to another folder.
  if (!stats.isDirectory() || real(worktree) !== worktree) return 'foreign';
  const entry = entryFor(commonDir, worktree);
  const target = /^gitdir: (.+)$/.exec(read(path.join(worktree, '.git')) ?? '')?.[1];
  if (entry === null) return 'foreign';
  // Half made, or its link was taken away: git's own side still tells whose it is.
  if (target === undefined) return existsSync(path.join(worktree, '.git')) ? 'foreign' : 'ours';
  const place = path.resolve(worktree, target);
  if (real(place) === real(entry)) return 'ours';
  // The repository that it points to is gone: this one is that, moved. A copy's original is still there.
  return existsSync(path.dirname(path.dirname(place))) ? 'foreign' : 'ours';
}

/** Leads a worktree of ours back to where its repository is now. No-op where it points there. */
export function repairLink(commonDir: string, worktree: string): void {
  const entry = entryFor(commonDir, worktree);
  const link = path.join(worktree, '.git');
  if (entry === null || read(link) === `gitdir: ${entry}`) return;
  writeFileSync(link, `gitdir: ${entry}\n`);
}

/** Whether a worktree of ours holds anything that is not committed. */
export async function holdsWork(worktree: string): Promise<Result<boolean, Failure>> {
  const status = await git(worktree, [
    'status',
    '--porcelain',
    '--untracked-files=normal',
    '--',
    ...notAidersOwn,
  ]);
  return status.ok ? ok(status.value.stdout !== '') : err(status.failure);
}
