import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/**
 * Files that only their owner can read, whatever the umask: what a model was told and has said, keys that a
 * provider echoes, where the work lies. A symbolic link in the place of a file is never followed, as a
 * repository can ship one.
 */

/** Of a file that only its owner can read. */
export const privateMode = 0o600;

const privateFolderMode = 0o700;

/** True for an error of the system with one of these codes: what a `catch` is meant for. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && codes.includes(code);
}

/** A file or folder is not there. */
export const absent = ['ENOENT', 'ENOTDIR'] as const;

/** It is not there, or not ours to read, or no file. */
export const unreadable = [
  ...absent,
  'EACCES',
  'EPERM',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EINVAL',
] as const;

/** What a call gives, or something else where it fails with one of these codes. Other errors pass. */
export function unless<T, U>(codes: readonly string[], otherwise: U, call: () => T): T | U {
  try {
    return call();
  } catch (error) {
    if (hasCode(error, ...codes)) return otherwise;
    throw error;
  }
}

/** The same for what is waited for. */
export async function unlessLater<T, U>(
  codes: readonly string[],
  otherwise: U,
  work: Promise<T>,
): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, ...codes)) return otherwise;
    throw error;
  }
}

/**
 * Makes a folder, and those above it that are not there. Throws like `fs`, also where a checkout is gone in which
 * it would lie: one that was moved away is not made anew.
 */
export function makePrivateFolder(folder: string): void {
  const ours = folder.indexOf(`${path.sep}.aider_logs`);
  if (ours > 0) statSync(folder.slice(0, ours));
  mkdirSync(folder, { recursive: true, mode: privateFolderMode });
}

/** Opens a file of ours to write. Throws like `fs`; `ELOOP` where a symbolic link stands in its place. */
export function openPrivate(file: string, how: 'append' | 'anew' | 'new' = 'anew'): number {
  const { O_CREAT, O_RDWR, O_APPEND, O_TRUNC, O_EXCL, O_NOFOLLOW } = constants;
  const more = { append: O_APPEND, anew: O_TRUNC, new: O_EXCL }[how];
  return openSync(file, O_CREAT | O_RDWR | O_NOFOLLOW | more, privateMode);
}

/** Writes a file of ours that nothing depends on being whole. Throws like `fs`. */
export function writePrivate(file: string, data: string | Uint8Array): void {
  makePrivateFolder(path.dirname(file));
  const fd = openPrivate(file);
  try {
    writeFileSync(fd, data);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes a file whole or not at all, and to the disk: beside it first, then renamed over it. Throws like `fs`. The
 * libraries for it (write-file-atomic, atomically) follow a link to where it leads, which a repository may ship.
 * @param mode of a new file; the umask counts where it is for others too
 */
export function writeWhole(file: string, text: string | Uint8Array, mode = privateMode): void {
  replaceWhole(file, text, mode, true);
}

/** The same without waiting for the disk: after a power cut it may be the file of before, or none. */
export function writeWholeSoon(file: string, text: string | Uint8Array): void {
  replaceWhole(file, text, privateMode, false);
}

function replaceWhole(
  file: string,
  text: string | Uint8Array,
  mode: number,
  toDisk: boolean,
): void {
  const folder = path.dirname(file);
  if (mode === privateMode) makePrivateFolder(folder);
  else mkdirSync(folder, { recursive: true });
  const beside = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const fd = openSync(beside, 'wx', mode);
    try {
      writeFileSync(fd, text);
      if (toDisk) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, file);
    if (toDisk) syncFolder(folder);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** Makes sure that what was made or renamed in a folder is still there after a power cut. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some file systems cannot sync a folder.
    if (!hasCode(error, 'EINVAL', 'ENOTSUP', 'EPERM')) throw error;
  } finally {
    closeSync(fd);
  }
}

/** Whether a symbolic link stands there, wherever it leads. */
export function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
