import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import type { Failure } from '../../core/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import { type Summary, summarySchema } from '../../core/summary.js';
import { logPaths } from './log-paths.js';
import { writeWhole } from './write-whole.js';

const ownerName = 'owner.json';

/** `run.json`: who runs a run, so that others can tell whether it lives. */
const runFileSchema = z.object({
  pid: z.number().int(),
  host: z.string(),
  process_started: z.string(),
  worktrees: z.string(),
});

export interface KnownRun {
  readonly stamp: string;
  readonly alive: boolean;
  readonly summary: Summary | null;
  /** The folder of its worktrees; null when it never got that far. */
  readonly worktrees: string | null;
}

/**
 * When a process started, as the system tells it: tells a process from a later one with its id. ''
 * where the system does not tell.
 */
function processStart(pid: number): string {
  try {
    // Linux: the 22nd field, counted from behind the name, which may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return processStartByPs(pid);
  }
}

function processStartByPs(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    }).trim();
  } catch {
    return '';
  }
}

/** Formats a time as `YYYYMMDD_HHMMSS`, local time. */
export function formatStamp(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}_${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

/**
 * Takes a stamp that no other run in this repository has, also none that starts at the same moment,
 * and notes that we run it. Makes `.aider_logs`, which ignores itself in git.
 */
export function claimStamp(
  repo: string,
  worktrees: string,
  now = Date.now(),
): Result<string, Failure> {
  const { logs, ignore } = logPaths(repo, '');
  try {
    mkdirSync(path.join(logs, 'runs'), { recursive: true });
    mkdirSync(worktrees, { recursive: true, mode: 0o700 });
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
    for (let second = 0; ; second++) {
      const stamp = formatStamp(new Date(now + second * 1000));
      // The folder of worktrees is shared by all checkouts of the repository, as the branches are.
      if (!makeFolder(path.join(worktrees, stamp))) continue;
      if (!makeFolder(logPaths(repo, stamp).raw)) continue;
      writeOwner(repo, stamp, path.join(worktrees, stamp));
      return ok(stamp);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC') return err({ kind: 'disk_full', doing: 'making .aider_logs' });
    return err({ kind: 'file', path: logs, detail: message });
  }
}

/** True when this call has made the folder. */
function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Gives a run's folder of worktrees back; one that still holds work stays. */
export function releaseWorktrees(folder: string): void {
  rmSync(path.join(folder, ownerName), { force: true });
  try {
    rmdirSync(folder);
  } catch {
    // Work that could not be committed is still there.
  }
}

/** Whether the run that owns a folder of worktrees lives, from whichever checkout it was started. */
export function ownsLiveRun(folder: string): boolean {
  const owner = readOwner(path.join(folder, ownerName));
  return owner !== null && isAlive(owner);
}

function currentOwner(worktrees: string): Owner {
  return {
    pid: process.pid,
    host: hostname(),
    process_started: processStart(process.pid),
    worktrees,
  };
}

function writeOwner(repo: string, stamp: string, worktrees: string): void {
  const owner = currentOwner(worktrees);
  const text = `${JSON.stringify(owner)}\n`;
  writeWhole(logPaths(repo, stamp).run, text);
  if (worktrees !== '') writeWhole(path.join(worktrees, ownerName), text);
}

/**
 * Makes this process the one that closes a dead run's books; false when another one does.
 */
export function adoptRun(repo: string, run: KnownRun): boolean {
  const lock = path.join(logPaths(repo, run.stamp).raw, 'adopted-by.json');
  const owner = readOwner(lock);
  if (owner !== null && isAlive(owner)) return false;
  try {
    // One that died while it did this counts no more.
    rmSync(lock, { force: true });
    const file = openSync(lock, 'wx');
    writeSync(file, JSON.stringify(currentOwner(run.worktrees ?? '')));
    closeSync(file);
    return true;
  } catch {
    return false;
  }
}

/** Reads a summary; null when there is none or it is not one of ours. */
export function readSummary(repo: string, stamp: string): Summary | null {
  try {
    const parsed = summarySchema.safeParse(
      JSON.parse(readFileSync(logPaths(repo, stamp).summary, 'utf8')),
    );
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** All runs that this repository's logs know, oldest first. */
export function listRuns(repo: string): KnownRun[] {
  const { logs } = logPaths(repo, '');
  let stamps: string[];
  try {
    stamps = readdirSync(path.join(logs, 'runs'));
  } catch {
    return [];
  }
  return stamps
    .filter((name) => /^\d{8}_\d{6}$/.test(name))
    .sort()
    .map((stamp) => {
      const owner = readOwner(logPaths(repo, stamp).run);
      return {
        stamp,
        alive: owner !== null && isAlive(owner),
        summary: readSummary(repo, stamp),
        worktrees: owner?.worktrees ?? null,
      };
    });
}

/** Whether a run's program died before its end, so that its books are still open. */
export function diedEarly(run: KnownRun): boolean {
  return !run.alive && !run.summary;
}

type Owner = z.infer<typeof runFileSchema>;

function readOwner(file: string): Owner | null {
  try {
    return runFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/** A run on another host, over a shared disk, counts as alive: nobody here can tell. */
function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  if (owner.pid === process.pid) return owner.process_started === processStart(process.pid);
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return processStart(owner.pid) === owner.process_started;
}
