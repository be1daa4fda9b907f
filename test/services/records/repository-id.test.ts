import { cpSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { knowRepository } from '../../../source/services/records/repository-id.js';
import {
  claimRun,
  foreignRuns,
  type KnownRun,
  type RunRecord,
  readRecords,
} from '../../../source/services/records/run-records.js';
import { makeRepo, tempFolder } from '../../rig.js';

const now = new Date(2026, 0, 2, 3, 4, 5).getTime();

/** A home of its own for the records of a test. */
function ownHome(): string {
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

const placeOf = (root: string) => ({ root, commonDir: path.join(root, '.git') });

function claim(root: string, at = now): RunRecord {
  const claimed = claimRun(placeOf(root), at);
  if (!claimed.ok) throw new Error(JSON.stringify(claimed.failure));
  onTestFinished(() => claimed.value.letGo());
  return claimed.value;
}

function only(root: string): KnownRun {
  const { runs, problems } = readRecords(placeOf(root));
  expect(problems).toEqual([]);
  expect(runs).toHaveLength(1);
  return runs[0] as KnownRun;
}

test('a repository is known again where it was moved to; a copy is another one', () => {
  ownHome();
  const first = makeRepo({ 'a.txt': '1\n' });
  claim(first);
  const moved = path.join(tempFolder(), 'moved');
  renameSync(first, moved);
  expect(knowRepository(path.join(moved, '.git'))).toMatchObject({
    state: 'known',
    movedFrom: path.join(first, '.git'),
  });
  expect(only(moved).root).toBe(moved);
  claim(moved, now + 60_000);
  const copy = path.join(tempFolder(), 'copy');
  cpSync(moved, copy, { recursive: true });
  expect(readRecords(placeOf(copy))).toMatchObject({ runs: [], copyOf: moved });
  // Empty folders are nobody's runs.
  expect(foreignRuns(copy, [])).toEqual([]);
  for (const stamp of ['20260102_030405', '20260102_030505']) {
    writeFileSync(path.join(copy, '.aider_logs/runs', stamp, 'journal.jsonl'), '');
  }
  expect(foreignRuns(copy, [])).toEqual(['20260102_030405', '20260102_030505']);
  // A run in the copy gives it a name of its own.
  claim(copy, now);
  expect(readRecords(placeOf(copy)).runs.map(({ root }) => root)).toEqual([copy]);
  expect(readRecords(placeOf(moved)).runs).toHaveLength(2);
});
