import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from '../config/folders.js';
import { unlessLater, unreadable } from '../files/private-files.js';
import { removeFromShell } from './run-git.js';

/** Removals that go on. */
const removals = new Set<Promise<void>>();

/** Where it was seen what earlier programs have left. */
const swept = new Set<string>();

/**
 * Takes a folder away at once, and removes what is in it in the background, by a process that goes on
 * when this program ends: many thousand files take seconds.
 */
export async function throwAway(folder: string): Promise<void> {
  const trash = path.join(cacheFolder(), 'trash');
  if (!swept.has(trash)) {
    swept.add(trash);
    // Of a removal that was killed, by a power cut.
    const left = await unlessLater(unreadable, [], readdir(trash));
    if (left.length > 0) removeInBackground(left.map((name) => path.join(trash, name)));
  }
  const place = path.join(trash, randomBytes(8).toString('hex'));
  try {
    await mkdir(trash, { recursive: true, mode: 0o700 });
    await rename(folder, place);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    // Another file system, or a full one. What cannot be removed stays, and `clean` finds it.
    const stays = [
      ...unreadable,
      'EBUSY',
      'ENOTEMPTY',
      'EROFS',
      'EIO',
      'ENOSPC',
      'EMFILE',
      'ENFILE',
    ];
    await unlessLater(stays, null, rm(folder, { recursive: true, force: true, maxRetries: 3 }));
    return;
  }
  removeInBackground([place]);
}

/** Folders gather for so long, as each process that is started holds up the screen, milliseconds. */
const gatherMs = 3000;

let waiting: string[] = [];
let timer: NodeJS.Timeout | null = null;

function removeInBackground(folders: readonly string[]): void {
  waiting.push(...folders);
  timer ??= setTimeout(removeWaiting, gatherMs).unref();
}

function removeWaiting(): void {
  if (timer) clearTimeout(timer);
  timer = null;
  const folders = waiting;
  if (folders.length === 0) return;
  waiting = [];
  const removed = removeFromShell(folders) ?? startRemoval(folders);
  const removal = removed
    .then(
      () => {},
      () => {},
    )
    .finally(() => removals.delete(removal));
  removals.add(removal);
}

function startRemoval(folders: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn('rm', ['-rf', '--', ...folders], { detached: true, stdio: 'ignore' });
    child.on('error', () => resolve());
    child.on('close', () => resolve());
    child.unref();
  });
}

/** Resolves when what was thrown away is gone, or after a while: then it goes on without us. */
export async function emptied(mostMs: number): Promise<void> {
  removeWaiting();
  if (removals.size === 0) return;
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    late = setTimeout(resolve, mostMs);
  });
  await Promise.race([Promise.all(removals), patience]);
  clearTimeout(late);
}
