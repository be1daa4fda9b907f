import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import * as z from 'zod';
import { hasCode } from '../files/private-files.js';
import { environment } from '../machine/environment.js';

/** A process, so that others can tell whether it lives: also after a start of the machine, or from a container. */
export const ownerSchema = z.object({
  pid: z.number().int().positive(),
  /** When it started, as the system tells it: tells it from a later process with its id. */
  process_started: z.string(),
  host: z.string(),
  /** The start of the machine; '' where the system does not tell. */
  boot: z.string(),
  /** The name space of process ids, as a container has its own; '' where there is none. */
  namespace: z.string(),
});

export type Owner = z.infer<typeof ownerSchema>;

/** `unknown`: it ran on another machine or in another container, of which nobody here can tell. */
export type Liveness = 'alive' | 'dead' | 'unknown';

function readTrimmed(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'EPERM', 'ESRCH', 'ENOTDIR')) return '';
    throw error;
  }
}

/** The output of a command of the system; '' where there is none. */
function ask(command: string, args: readonly string[]): string {
  // Not there, or it knows no such process: either way it tells nothing.
  try {
    return execFileSync(command, args, {
      cwd: '/',
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...environment(), LC_ALL: 'C' },
    }).trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES') || 'status' in (error as object)) return '';
    throw error;
  }
}

function bootId(): string {
  const linux = readTrimmed('/proc/sys/kernel/random/boot_id');
  if (linux !== '' || process.platform !== 'darwin') return linux;
  return ask('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']);
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'EPERM')) return '';
    throw error;
  }
}

/** When a process started; '' where there is none any more, or the system does not tell. */
export function processStart(pid: number): string {
  // Linux: the 22nd field, counted from behind the name, which may hold anything.
  const stat = readTrimmed(`/proc/${pid}/stat`);
  if (stat !== '') {
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // It has ended, and nobody has asked for its end yet.
    return state === 'Z' || state === 'X' ? '' : (fields[18] ?? '');
  }
  return process.platform === 'linux' ? '' : ask('ps', ['-o', 'lstart=', '-p', String(pid)]);
}

/** This very process. */
export function currentOwner(): Owner {
  return {
    pid: process.pid,
    process_started: processStart(process.pid),
    host: hostname(),
    boot: bootId(),
    namespace: pidNamespace(),
  };
}

/** After so long without a sign, a process that cannot be seen from here counts as dead; milliseconds. */
export const silenceMs = 10 * 60_000;

/** How often a run gives a sign, milliseconds. */
export const signMs = 60_000;

/**
 * Whether the process that owns something lives. The start of the machine and of the process decide, never
 * the name of the host: a laptop has another one in each network.
 * @param lastSignMs how long ago it gave a sign, milliseconds
 */
export function livenessOf(owner: Owner, lastSignMs: number, now = currentOwner()): Liveness {
  if (owner.boot === now.boot && owner.namespace === now.namespace) {
    return isRunning(owner.pid) && processStart(owner.pid) === owner.process_started
      ? 'alive'
      : 'dead';
  }
  // This machine was started anew, and took all with it.
  if (owner.boot !== now.boot && owner.host === now.host && owner.namespace === now.namespace) {
    return 'dead';
  }
  return lastSignMs > silenceMs ? 'dead' : 'unknown';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    if (hasCode(error, 'EPERM')) return true;
    throw error;
  }
}
