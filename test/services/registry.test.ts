import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { logPaths } from '../../source/services/logs/log-paths.js';
import {
  adoptRun,
  claimStamp,
  listRuns,
  ownsLiveRun,
  releaseWorktrees,
} from '../../source/services/logs/run-registry.js';
import { writeWhole } from '../../source/services/logs/write-whole.js';
import { tempFolder } from '../rig.js';

const now = new Date(2026, 0, 2, 3, 4, 5).getTime();

test('no two runs have the same stamp, also not from two checkouts of one repository', () => {
  const [one, two, worktrees] = [tempFolder(), tempFolder(), tempFolder()];
  const stamps = [one, two, one].map((repo) => {
    const claimed = claimStamp(repo, worktrees, now);
    return claimed.ok ? claimed.value : null;
  });
  expect(stamps).toEqual(['20260102_030405', '20260102_030406', '20260102_030407']);
  expect(readFileSync(path.join(one, '.aider_logs/.gitignore'), 'utf8')).toBe('*\n');
});

test('a run lives as long as the very process that owns it', async () => {
  const [repo, worktrees] = [tempFolder(), tempFolder()];
  claimStamp(repo, worktrees, now);
  const folder = path.join(worktrees, '20260102_030405');
  expect(listRuns(repo)).toMatchObject([{ stamp: '20260102_030405', alive: true, summary: null }]);
  expect(ownsLiveRun(folder)).toBe(true);
  const file = logPaths(repo, '20260102_030405').run;
  const owner = JSON.parse(readFileSync(file, 'utf8'));
  const dead = spawn('true');
  await new Promise((resolve) => dead.on('close', resolve));
  for (const change of [{ pid: dead.pid }, { process_started: 'another time' }]) {
    writeFileSync(file, JSON.stringify({ ...owner, ...change }));
    expect(listRuns(repo)[0]?.alive).toBe(false);
  }
  writeFileSync(file, JSON.stringify({ ...owner, pid: dead.pid, host: 'elsewhere' }));
  expect(listRuns(repo)[0]?.alive).toBe(true);
});

test('the books of a dead run are closed by one process', () => {
  const [repo, worktrees] = [tempFolder(), tempFolder()];
  claimStamp(repo, worktrees, now);
  const run = listRuns(repo)[0];
  if (!run) throw new Error('no run');
  expect([adoptRun(repo, run), adoptRun(repo, run)]).toEqual([true, false]);
  releaseWorktrees(path.join(worktrees, run.stamp));
  expect(existsSync(path.join(worktrees, run.stamp))).toBe(false);
});

test('a file is written whole or not at all', () => {
  const folder = tempFolder();
  const file = path.join(folder, 'x.json');
  writeWhole(file, 'one');
  expect(() => writeWhole(path.join(file, 'below'), 'two')).toThrow();
  expect(readFileSync(file, 'utf8')).toBe('one');
});
