import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Failure } from '../../core/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import { type Summary, summarySchema } from '../../core/summary.js';
import { logPaths } from './log-paths.js';
import { writeWhole } from './write-whole.js';

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

/** When a process started, as the system tells it: tells a process from a later one with its id. */
function processStart(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    }).trim();
  } catch {
    return null;
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
  worktreesOf: (stamp: string) => string,
  now = Date.now(),
): Result<string, Failure> {
  const { logs, ignore } = logPaths(repo, '');
  try {
    mkdirSync(path.join(logs, 'runs'), { recursive: true });
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
    for (let second = 0; ; second++) {
      const stamp = formatStamp(new Date(now + second * 1000));
      try {
        mkdirSync(logPaths(repo, stamp).raw);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      writeOwner(repo, stamp, worktreesOf(stamp));
      return ok(stamp);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC') return err({ kind: 'disk_full', doing: 'making .aider_logs' });
    return err({ kind: 'file', path: logs, detail: message });
  }
}

function writeOwner(repo: string, stamp: string, worktrees: string): void {
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    process_started: processStart(process.pid) ?? '',
    worktrees,
  };
  writeWhole(logPaths(repo, stamp).run, `${JSON.stringify(owner)}\n`);
}

/** Makes this process the one that runs a dead run, so that no other closes its books too. */
export function adoptRun(repo: string, run: KnownRun): boolean {
  try {
    writeOwner(repo, run.stamp, run.worktrees ?? '');
    return readOwner(repo, run.stamp)?.pid === process.pid;
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
      const owner = readOwner(repo, stamp);
      return {
        stamp,
        alive: owner !== null && isAlive(owner),
        summary: readSummary(repo, stamp),
        worktrees: owner?.worktrees ?? null,
      };
    });
}

type Owner = z.infer<typeof runFileSchema>;

function readOwner(repo: string, stamp: string): Owner | null {
  try {
    return runFileSchema.parse(JSON.parse(readFileSync(logPaths(repo, stamp).run, 'utf8')));
  } catch {
    return null;
  }
}

/** A run on another host, over a shared disk, counts as alive: nobody here can tell. */
function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  if (owner.pid === process.pid) return owner.process_started === (processStart(process.pid) ?? '');
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return processStart(owner.pid) === owner.process_started;
}
