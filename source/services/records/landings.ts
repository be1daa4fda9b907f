import { closeSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseJson } from '../../core/text/parse-json.js';
import { hasCode, openPrivate, unless } from '../files/private-files.js';
import { currentOwner, livenessOf, ownerSchema } from './liveness.js';
import { readRecordsIn } from './run-records.js';

/** What the runs of one repository know of each other's landings, by our own records. */

/** Between two looks whether it is one's turn, milliseconds; and how long it is waited for, at most. */
const lookMs = 50;
const mostWaitMs = 60_000;

/**
 * Lands while no other run of the repository does: each one sees what the one before it has landed.
 * @param folder of the repository's records
 */
export async function inTurn<T>(folder: string, land: () => Promise<T>): Promise<T> {
  const lock = path.join(folder, 'landing.json');
  const until = performance.now() + mostWaitMs;
  let isOurs = take(lock);
  // git itself keeps two from landing at once: what waits too long for its turn is told by it.
  while (!isOurs && performance.now() < until) {
    await pause(lookMs);
    isOurs = take(lock);
  }
  try {
    return await land();
  } finally {
    if (isOurs) rmSync(lock, { force: true });
  }
}

/** @returns whether it is our turn now */
function take(lock: string): boolean {
  if (isFree(lock)) rmSync(lock, { force: true });
  try {
    const fd = openPrivate(lock, 'new');
    writeFileSync(fd, JSON.stringify(currentOwner()));
    closeSync(fd);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    // Without a disk it lands out of turn, or not at all, which is told then.
    if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EIO', 'ENOENT')) return false;
    throw error;
  }
}

/** So long a lock may be without a name, while its holder writes it, milliseconds. */
const unnamedMs = 2000;

/** Whether the one that held it is dead. */
function isFree(lock: string): boolean {
  const text = unless(['ENOENT'], null, () => readFileSync(lock, 'utf8'));
  const stats = statSync(lock, { throwIfNoEntry: false });
  if (text === null || !stats) return false;
  const held = ownerSchema.safeParse(parseJson(text));
  const age = Date.now() - stats.mtimeMs;
  return held.success ? livenessOf(held.data, age) === 'dead' : age > unnamedMs;
}

/**
 * The runs whose landings have led a branch from one commit to another, the first one first; none where anything
 * else has moved it, too.
 * @param folder of the repository's records
 */
export function landedBetween(folder: string, from: string, tip: string): string[] {
  const landings = readRecordsIn(folder).flatMap(({ stamp, landings }) =>
    landings.map((landing) => ({ stamp, ...landing })),
  );
  const runs: string[] = [];
  for (let at = tip; at !== from; ) {
    const last = landings.findLast(({ commit }) => commit === at);
    if (!last || runs.length > landings.length) return [];
    runs.unshift(last.stamp);
    at = last.from;
  }
  return runs;
}

/** The other runs in the repository of a run. @param record the run's own record */
export function neighboursOf(record: string) {
  const folder = path.dirname(record);
  return {
    inTurn: <T>(land: () => Promise<T>) => inTurn(folder, land),
    landedBetween: (from: string, tip: string) => landedBetween(folder, from, tip),
  };
}
