/**
 * Benchmark: what it costs to follow the agents' work in a repository of 100,000 files. One worktree is
 * made and looked at after each change, as it is when Aider has edited; the time of git's processes is
 * counted too. Eight agents that each edit every 30 seconds are eight times that.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { git } from '../../source/services/git/run-git.js';
import { cpuTicks } from './cpu.js';
import { median, row } from './kit.js';
import { fastFolder, fresh, makeLargeRepo, openWorkspace, taskFor } from './large-repo.js';

const files = Number(process.env.BENCH_FILES ?? 100_000);
const looks = 20;
const agents = 8;
const everySeconds = 30;

const folder = fastFolder('looks');
const repo = path.join(folder, 'repo');
await makeLargeRepo(repo, files);
const workspace = openWorkspace(repo, '20260101_000000', path.join(folder, 'worktrees'));
const task = taskFor(0);
const from = performance.now();
const place = await workspace.prepare(0, task, fresh);
if (!place.ok) throw new Error(place.failure.detail);
const { value: filled } = place;
const made = (performance.now() - from) / 1000;

async function look(edited: readonly string[]): Promise<number> {
  const before = cpuTicks();
  const seen = await workspace.look(0, task, filled, { edited, since: 0 });
  if (!seen) throw new Error('could not look');
  return (cpuTicks() - before) / 100;
}

const [file = ''] = task.files;
const whole = await look([]);
const costs: number[] = [];
for (let at = 0; at < looks; at++) {
  const name = path.join(filled.worktree, file);
  writeFileSync(name, `${readFileSync(name, 'utf8')}// ${at}\n`);
  costs.push(await look([file]));
}
const each = costs.reduce((sum, cost) => sum + cost, 0) / looks;
const share = (agents * each * 100) / everySeconds + 0.5;
const part = 'Worktrees';
/** What git alone needs for a worktree of the task's folder, with all else left out. */
async function sparse(): Promise<number> {
  const place = path.join(folder, 'sparse');
  const begun = performance.now();
  for (const [cwd, ...args] of [
    [repo, 'worktree', 'add', '--quiet', '--detach', '--no-checkout', place],
    [place, 'sparse-checkout', 'set', path.dirname(file)],
    [place, 'reset', '--hard', '--quiet'],
  ] as const) {
    const done = await git(cwd, args);
    if (!done.ok) throw new Error(JSON.stringify(done.failure));
  }
  return (performance.now() - begun) / 1000;
}

row({
  part,
  what: `a worktree of ${files} files`,
  ours: `${made.toFixed(1)} s`,
  beside: `by git alone, sparse, with the task's folder only ${(await sparse()).toFixed(1)} s`,
  target: 'measured',
});
row({
  part,
  what: `a look at an edit in ${files} files (mean of ${looks}), CPU of git included`,
  ours: `${(each * 1000).toFixed(0)} ms`,
  beside: `at all files ${(whole * 1000).toFixed(0)} ms (median of looks ${(median(costs) * 1000).toFixed(0)} ms)`,
  target: 'measured',
});
row({
  part,
  what: `${agents} agents that edit every ${everySeconds} s, and 0.5 % for looks at all files; computed`,
  ours: `${share.toFixed(1)} % of a core`,
  target: 'under 2 %',
});
await workspace.settled();
rmSync(folder, { recursive: true, force: true });
