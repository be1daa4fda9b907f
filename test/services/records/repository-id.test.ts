import { cpSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { knowRepository } from '../../../source/services/records/repository-id.js';
import { foreignRuns, readRecords } from '../../../source/services/records/run-records.js';
import { makeRepo, tempFolder } from '../../rig.js';
import { claim, now, only, ownHome, placeOf } from './rig.js';

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
