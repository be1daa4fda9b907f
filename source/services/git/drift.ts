import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import type { Failure } from '../../core/policy/failure.js';
import { fileFailure } from '../../core/policy/work-problem.js';
import { err, ok, type Result } from '../../core/result.js';
import { unless, unlessLater, unreadable } from '../files/private-files.js';
import { git, gitText } from './run-git.js';
import { treeChanges } from './tree-changes.js';

/**
 * Files of a fresh worktree that git would commit otherwise than they were committed: their line ends were never
 * normalised, or a filter gives something else now (`*.bat text`, `filter=lfs` on what is no pointer). Git
 * calls them modified for ever, though nobody has touched them, and so they are nobody's work.
 */
export interface Drift {
  /** The commit that the worktree was filled with. */
  readonly commit: string;
  /** What each file holds, untouched: a digest of its bytes. */
  readonly files: Readonly<Record<string, string>>;
}

export const driftSchema = z.object({
  commit: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/),
  files: z.record(z.string(), z.string()),
});

/**
 * Looks for such files in a worktree that was just filled; nothing is looked at where no rule can make any.
 * @param tree the commit's
 * @param index a file of ours for an index
 */
export async function findDrift(
  worktree: string,
  commit: string,
  tree: string,
  index: string,
): Promise<Result<Drift | null, Failure>> {
  const ruled = await hasRules(worktree);
  if (!ruled.ok) return ruled;
  if (!ruled.value) return ok(null);
  // Without the times of files in it, so that each one is read.
  const env = { GIT_INDEX_FILE: index };
  rmSync(index, { force: true });
  const read = await git(worktree, ['read-tree', commit], { env });
  if (!read.ok) return read;
  const added = await git(worktree, ['add', '--all', '--sparse', '--', '.'], { env });
  if (!added.ok) return added;
  const now = await gitText(worktree, ['write-tree', '--missing-ok'], { env });
  if (!now.ok) return now;
  if (now.value === tree) return ok(null);
  const changes = await treeChanges(worktree, tree, now.value);
  if (!changes.ok) return changes;
  try {
    const files: Record<string, string> = {};
    for (const change of changes.value) {
      const digest = await digestOf(path.join(worktree, change.path));
      if (digest !== null && change.oldMode === change.newMode) files[change.path] = digest;
    }
    return ok(Object.keys(files).length > 0 ? { commit, files } : null);
  } catch (error) {
    return err(fileFailure(error, worktree));
  }
}

/** Whether a rule of the repository or of the user changes files on their way into git. */
async function hasRules(worktree: string): Promise<Result<boolean, Failure>> {
  const [attributes, settings] = await Promise.all([
    git(worktree, ['ls-files', '-z', '--', ':(top,glob)**/.gitattributes']),
    gitText(worktree, ['config', '--get-regexp', '^core\\.(autocrlf|eol|attributesfile)$'], {
      answers: [1],
    }),
  ]);
  if (!attributes.ok) return attributes;
  if (!settings.ok) return settings;
  if (attributes.value.stdout !== '' || settings.value !== '') return ok(true);
  const info = await gitText(worktree, [
    'rev-parse',
    '--path-format=absolute',
    '--git-path',
    'info/attributes',
  ]);
  if (!info.ok) return info;
  return ok(unless(unreadable, '', () => readFileSync(info.value, 'utf8')).trim() !== '');
}

async function digestOf(file: string): Promise<string | null> {
  const bytes = await unlessLater(unreadable, null, readFile(file));
  return bytes && createHash('sha256').update(bytes).digest('hex');
}

/** Of such files those that are still as they were. */
export async function untouchedOf(worktree: string, { files }: Drift): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(files).map(async ([name, digest]) =>
      (await digestOf(path.join(worktree, name))) === digest ? [name] : [],
    ),
  );
  return found.flat();
}
