import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { parseJson } from '../../core/text/parse-json.js';
import { repositoryFolder } from '../config/folders.js';
import { hasCode, openPrivate, writeWhole } from '../files/private-files.js';

/**
 * A repository is known again wherever it was moved: by a random name in its own git folder (which no clone
 * brings along), and by where that folder was last. A copy has the same name in another place, while the
 * first one is still there: it is a repository of its own, and gets a name of its own.
 */

/** In the folder that all worktrees of a repository share. */
const idName = 'aider-orchestrator-id';

const idPattern = /^[0-9a-f]{32}$/;

const placeSchema = z.object({ version: z.literal(1), common_dir: z.string() });

export type Known =
  /** No run was ever started here. */
  | { readonly state: 'new' }
  | { readonly state: 'known'; readonly id: string; readonly movedFrom: string | null }
  /** A copy of the repository at that place, which is still there. */
  | { readonly state: 'copy'; readonly of: string };

function readId(commonDir: string): string | null {
  try {
    const text = readFileSync(path.join(commonDir, idName), 'utf8').trim();
    return idPattern.test(text) ? text : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP')) return null;
    throw error;
  }
}

function placeFile(id: string): string {
  return path.join(repositoryFolder(id), 'repository.json');
}

/** Where the git folder of a repository was last; null when nothing is recorded of it here. */
function lastPlace(id: string): string | null {
  let text: string;
  try {
    text = readFileSync(placeFile(id), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  const parsed = placeSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data.common_dir : null;
}

/** The same folder by another path, such as a mount. */
function isSameFolder(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [one, other].map((file) => statSync(file, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/**
 * What is known of a repository. Nothing is written.
 * @param commonDir the folder shared by all its worktrees, absolute
 */
export function knowRepository(commonDir: string): Known {
  const id = readId(commonDir);
  if (id === null) return { state: 'new' };
  const place = lastPlace(id);
  // A name without a record: another user's, or another computer's.
  if (place === null) return { state: 'new' };
  if (isSameFolder(place, commonDir)) return { state: 'known', id, movedFrom: null };
  if (existsSync(place) && readId(place) === id) return { state: 'copy', of: path.dirname(place) };
  return { state: 'known', id, movedFrom: place };
}

/**
 * The name of a repository; made, or its new place recorded, where need be. Throws like `fs`.
 */
export function claimRepository(commonDir: string): string {
  const known = knowRepository(commonDir);
  if (known.state === 'known') {
    if (known.movedFrom !== null) writePlace(known.id, commonDir);
    return known.id;
  }
  const old = readId(commonDir);
  // A copy takes a name of its own; one that is not recorded here is taken up as it is.
  const id = known.state === 'copy' || old === null ? randomBytes(16).toString('hex') : old;
  writePlace(id, commonDir);
  if (id === old) return id;
  const file = path.join(commonDir, idName);
  if (known.state === 'copy') {
    writeWhole(file, `${id}\n`);
    return id;
  }
  try {
    const fd = openPrivate(file, 'new');
    writeFileSync(fd, `${id}\n`);
    closeSync(fd);
    return id;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  // Another start was first, or what lies there is no name of ours.
  const theirs = readId(commonDir);
  if (theirs !== null) {
    writePlace(theirs, commonDir);
    return theirs;
  }
  writeWhole(file, `${id}\n`);
  return id;
}

function writePlace(id: string, commonDir: string): void {
  writeWhole(placeFile(id), `${JSON.stringify({ version: 1, common_dir: commonDir })}\n`);
}
