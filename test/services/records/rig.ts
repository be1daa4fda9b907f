import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import {
  claimRun,
  type KnownRun,
  type RunRecord,
  readRecords,
} from '../../../source/services/records/run-records.js';
import { tempFolder } from '../../rig.js';

export const now = new Date(2026, 0, 2, 3, 4, 5).getTime();

/** A home of its own for the records of a test. */
export function ownHome(): string {
  const home = tempFolder('home');
  for (const name of ['XDG_DATA_HOME', 'XDG_CACHE_HOME']) {
    const saved = process.env[name];
    process.env[name] = path.join(home, name);
    onTestFinished(() => {
      if (saved === undefined) delete process.env[name];
      else process.env[name] = saved;
    });
  }
  return home;
}

export const placeOf = (root: string) => ({ root, commonDir: path.join(root, '.git') });

export function claim(root: string, at = now): RunRecord {
  const claimed = claimRun(placeOf(root), at);
  if (!claimed.ok) throw new Error(JSON.stringify(claimed.failure));
  onTestFinished(() => claimed.value.letGo());
  return claimed.value;
}

/** The one run that is known of a repository. */
export function only(root: string): KnownRun {
  const { runs, problems } = readRecords(placeOf(root));
  expect(problems).toEqual([]);
  expect(runs).toHaveLength(1);
  return runs[0] as KnownRun;
}
