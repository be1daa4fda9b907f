import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { unless, unreadable } from '../files/private-files.js';

/** How often it is looked, milliseconds. */
const lookMs = 50;

const quietLooks = 2;

/** Processes of others, and those that end meanwhile, tell nothing. */
const codes = [...unreadable, 'ESRCH'];

/** Processes that work in a folder: by their command line or their working folder (Linux; elsewhere none is known). */
export function processesBelow(folder: string): number[] {
  const names = unless(unreadable, [], () => readdirSync('/proc'));
  return names
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) =>
      unless(codes, false, () => {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return (
          command.includes(`${folder}/`) ||
          `${readlinkSync(`/proc/${name}/cwd`)}/`.startsWith(`${folder}/`)
        );
      }),
    )
    .map(Number);
}

/**
 * Waits until nothing works in a folder any more: the program that started it was killed, and what it had started,
 * such as git making a worktree, ends a moment later.
 * @param ms no longer than this, as somebody's shell may stand there
 */
export async function untilQuiet(folder: string, ms: number): Promise<void> {
  const until = performance.now() + ms;
  // One command follows another: quiet is what stays so.
  let quiet = processesBelow(folder).length === 0 ? quietLooks : 0;
  while (quiet < quietLooks && performance.now() < until) {
    await setTimeout(lookMs);
    quiet = processesBelow(folder).length === 0 ? quiet + 1 : 0;
  }
}
