import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { completeLogs } from '../../source/commands/complete-logs.js';
import { journalHead } from '../../source/core/run/journal.js';
import { logPaths } from '../../source/services/logs/log-paths.js';
import type { RunRecord } from '../../source/services/records/run-records.js';
import { tempFolder } from '../rig.js';

const stamp = '20260102_030405';
const whole = `${JSON.stringify(journalHead(stamp))}\n`;

/** A run of which our own journal has one line, and half of another. */
function ended() {
  const folder = tempFolder();
  const journal = path.join(folder, 'own.jsonl');
  writeFileSync(journal, `${whole}{"type":"pl`);
  const paths = logPaths(path.join(folder, 'repo'), stamp);
  mkdirSync(path.dirname(paths.raw), { recursive: true });
  const said: string[] = [];
  const record = { journal, stamp } as RunRecord;
  return { folder, paths, said, complete: () => completeLogs(paths, record, (t) => said.push(t)) };
}

test.each([
  ['is not there', () => {}],
  ['is behind', (copy: string) => writeFileSync(copy, '{"jour')],
  ['has more', (copy: string) => writeFileSync(copy, `${whole}of somebody\n`)],
  ['is a pipe that nobody writes to', (copy: string) => execFileSync('mkfifo', [copy])],
  ['is a link', (copy: string) => symlinkSync('/nowhere', copy)],
])('the copy of the journal that %s becomes what our own one is', (_, make) => {
  const { paths, said, complete } = ended();
  mkdirSync(paths.raw);
  make(paths.journal);
  complete();
  expect(readFileSync(paths.journal, 'utf8')).toBe(whole);
  expect(said).toEqual([]);
});

test('a folder of the run that leads elsewhere is not written into', () => {
  const { folder, paths, complete } = ended();
  const elsewhere = path.join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, paths.raw);
  complete();
  expect(existsSync(path.join(elsewhere, 'journal.jsonl'))).toBe(false);
});

test('where it cannot be written, that is said, and is not the end', () => {
  const { paths, said, complete } = ended();
  mkdirSync(paths.journal, { recursive: true });
  complete();
  expect(said).toHaveLength(1);
});
