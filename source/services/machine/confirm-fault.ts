import { existsSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { faultOfText, type MachineFault } from '../../core/policy/machine-fault.js';
import { unless, unreadable } from '../files/private-files.js';

/** With less than this a disk is as good as full, bytes. */
const fewBytes = 1024 * 1024;
const fewInodes = 16;

/** Whether nothing more can be written below a folder. */
export function isFull(folder: string): boolean {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    return bavail * bsize < fewBytes || (files > 0 && ffree < fewInodes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * The fault of the machine that a program of the project told of, where the machine bears it out: a test may
 * print "No space left on device" as it likes.
 * @param folder where it worked
 */
export function confirmedFault(output: string, folder: string): MachineFault | null {
  if (!existsSync(folder)) return 'folder_gone';
  const fault = faultOfText(output);
  if (fault === 'disk_full') return isFull(folder) || isFull('/tmp') ? fault : null;
  // The other ones pass by the time that one looks; tests that provoke them are rare.
  return fault === 'descriptors' || fault === 'processes' ? fault : null;
}

/**
 * The fault of the machine behind what git says: by its words, or where it could not write and keeps to itself
 * why, by the disks that it names.
 * @param folder where it worked
 */
export function faultOfGit(text: string, folder: string): MachineFault | null {
  const told = faultOfText(text);
  // A worktree names the folder of its repository.
  const lost = /not a git repository: (\/[^\n]+)/.exec(text)?.[1];
  if (lost !== undefined && !existsSync(lost)) return 'folder_gone';
  if (told !== null || !/(?:write|create|open|lock|store|append)/.test(text)) return told;
  const named = [...text.matchAll(/'(\/[^'\n]{1,4096})'/g)].map((match) => match[1] ?? '');
  const folders = named.map((file) => path.dirname(file)).filter((one) => existsSync(one));
  return [folder, ...folders].some(isFull) ? 'disk_full' : null;
}

/** Of a limit of this process (`/proc/self/limits`), the soft one; null where there is none or nobody tells. */
export function softLimit(name: 'Max open files' | 'Max processes'): number | null {
  // Linux only.
  const text = unless(unreadable, null, () => readFileSync('/proc/self/limits', 'utf8'));
  const row = text?.split('\n').find((line) => line.startsWith(name));
  const value = Number(row?.slice(name.length).trim().split(/\s+/, 1)[0]);
  return Number.isFinite(value) ? value : null;
}
