import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { currentOwner, livenessOf, silenceMs } from '../../../source/services/records/liveness.js';
import {
  adoptRun,
  claimRun,
  declareDead,
  diedEarly,
  readRecords,
} from '../../../source/services/records/run-records.js';
import { git, makeRepo, tempFolder } from '../../rig.js';
import { claim, now, only, ownHome, placeOf } from './rig.js';

test('no two runs have the same stamp, also not from two checkouts of one repository', () => {
  ownHome();
  const one = makeRepo({ 'a.txt': '1\n' });
  const two = path.join(tempFolder(), 'linked');
  git(one, 'worktree', 'add', '-q', two);
  const common = path.join(one, '.git');
  const stamps = [one, two, one].map((root) => {
    const claimed = claimRun({ root, commonDir: common }, now);
    if (!claimed.ok) throw new Error('not claimed');
    claimed.value.letGo();
    return claimed.value.stamp;
  });
  expect(stamps).toEqual(['20260102_030405', '20260102_030406', '20260102_030407']);
  expect(readFileSync(path.join(one, '.aider_logs/.gitignore'), 'utf8')).toBe('*\n');
});

test('a run lives as long as the very process that owns it; the start of the machine decides, not its name', async () => {
  const dead = spawn('true');
  await new Promise((resolve) => dead.on('close', resolve));
  const here = currentOwner();
  const silent = silenceMs + 1;
  const cases = [
    [{}, 0, 'alive'],
    // In another network.
    [{ host: 'elsewhere' }, silent, 'alive'],
    [{ pid: dead.pid as number }, 0, 'dead'],
    [{ process_started: 'another time' }, 0, 'dead'],
    // Started anew since.
    [{ boot: 'before' }, 0, 'dead'],
    // A container that was made anew, and one that may still live.
    [{ namespace: 'pid:[1]', host: 'c0ffee' }, silent, 'dead'],
    [{ namespace: 'pid:[1]', host: 'c0ffee' }, 0, 'unknown'],
    // Another machine, over a shared disk.
    [{ boot: 'other', host: 'other' }, 0, 'unknown'],
    [{ boot: 'other', host: 'other' }, silent, 'dead'],
  ] as const;
  for (const [change, silence, expected] of cases) {
    expect(livenessOf({ ...here, ...change }, silence, here), JSON.stringify(change)).toBe(
      expected,
    );
  }
});

test('a record tells what its run has made; one that may live elsewhere can be said to be dead', () => {
  ownHome();
  const root = makeRepo({ 'a.txt': '1\n' });
  const record = claim(root);
  const worktree = path.join(record.worktrees, 'agent0-1', 'repo');
  const start = 'a'.repeat(40);
  record.making({ path: worktree, agent: 0, branch: 'aider/x/agent0', start });
  record.making({ path: '/etc', agent: 1, branch: null, start });
  record.making({ path: `${record.worktrees}/../../../..`, agent: 1, branch: null, start });
  expect(only(root)).toMatchObject({ liveness: 'alive', closed: null, root });
  // What is not below our own folder is never ours, whatever a record says.
  expect(only(root).made).toEqual([
    { path: worktree, agent: 0, branch: 'aider/x/agent0', start, ready: false },
  ]);
  record.ready(worktree);
  expect(only(root).made[0]?.ready).toBe(true);
  declareDead(only(root));
  expect(diedEarly(only(root))).toBe(true);
  const first = adoptRun(only(root));
  expect(first).not.toBeNull();
  expect(adoptRun(only(root))).toBeNull();
  first?.close('recovered');
  expect(diedEarly(only(root))).toBe(false);
  expect(statSync(only(root).file).mode & 0o077).toBe(0);
});

test('a record that is foreign, newer or damaged is named and left alone; half a last line is none', () => {
  ownHome();
  const root = makeRepo({ 'a.txt': '1\n' });
  const record = claim(root);
  const { file } = only(root);
  record.letGo();
  const whole = readFileSync(file, 'utf8');
  const damaged: readonly (readonly [text: string, words: RegExp])[] = [
    [whole.replace('"version":1', '"version":2'), /newer version/],
    [whole.replace('"record":"run"', '"record":"dance"'), /line 1 cannot be read/],
    [`null\n${whole}`, /line 1/],
    ['\0\x01\x02\n', /line 1/],
    [whole.replace('20260102', '20260103'), /not what its name says/],
    [`${whole}${whole}`, /not what its name says/],
    [`{"record":"ready","path":"/x"}\n${whole}`, /does not begin/],
  ];
  for (const [text, words] of damaged) {
    writeFileSync(file, text);
    const { runs, problems } = readRecords(placeOf(root));
    expect(runs, text).toEqual([]);
    expect(problems.join()).toMatch(words);
  }
  for (const half of [`${whole}{"record":"wor`, `${whole}null`]) {
    writeFileSync(file, half);
    expect(only(root).stamp).toBe(record.stamp);
  }
  rmSync(file);
  mkdirSync(file);
  expect(readRecords(placeOf(root)).problems.join()).toMatch(/cannot be read/);
  rmdirSync(file);
  writeFileSync(file, '{"record":"ru');
  expect(readRecords(placeOf(root))).toMatchObject({ runs: [], problems: [] });
});
