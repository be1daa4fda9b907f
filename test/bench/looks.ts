/**
 * Benchmark: what it costs to follow the agents' work in a repository of 100,000 files. Eight worktrees are
 * looked at as the agents edit, one of them every few seconds, and for three minutes all CPU is counted, that of
 * git's processes too. Before that, what one look takes.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { git, startFromShells } from '../../source/services/git/run-git.js';
import { cpuTicks } from './cpu.js';
import { median, row } from './kit.js';
import { agents, fastFolder, fresh, makeLargeRepo, openWorkspace, taskFor } from './large-repo.js';
import { sleep } from './panes/client.js';

const files = Number(process.env['BENCH_FILES'] ?? 100_000);
const looks = 20;
const everySeconds = 30;
const seconds = Number(process.env['BENCH_SECONDS'] ?? 180);

const folder = fastFolder('looks');
const repo = path.join(folder, 'repo');
await makeLargeRepo(repo, files);
// As in a run.
const stop = startFromShells();
const workspace = openWorkspace(repo, '20260101_000000', path.join(folder, 'worktrees'));
const from = performance.now();
const places = await Promise.all(
  Array.from({ length: agents }, async (_, agent) => {
    const place = await workspace.prepare(agent, taskFor(agent), fresh, null);
    if (!place.ok) throw new Error(place.failure.detail);
    return place.value;
  }),
);
const made = (performance.now() - from) / 1000;

async function look(agent: number, edited: readonly string[]): Promise<void> {
  const place = places[agent];
  if (!place) throw new Error('no such agent');
  const seen = await workspace.changesSoFar(agent, taskFor(agent), place, { edited, since: 0 });
  if (!seen) throw new Error('could not look');
}

/** Changes an agent's file, and looks at it, as it is done when Aider has edited. */
async function edit(agent: number): Promise<void> {
  const [file = ''] = taskFor(agent).files;
  const name = path.join(places[agent]?.worktree ?? '', file);
  writeFileSync(name, `${readFileSync(name, 'utf8')}// more\n`);
  await look(agent, [file]);
}

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = cpuTicks();
  await work();
  return (cpuTicks() - before) * 10;
}

const whole = await cpuOf(() => look(0, []));
const costs: number[] = [];
for (let at = 0; at < looks; at++) costs.push(await cpuOf(() => edit(0)));

const begun = performance.now();
const busy = await cpuOf(async () => {
  const count = (agents * seconds) / everySeconds;
  for (let at = 0; at < count; at++) {
    const next = begun + ((at + 1) * everySeconds * 1000) / agents;
    await edit(at % agents);
    await sleep(next - performance.now());
  }
});
const share = busy / 10 / ((performance.now() - begun) / 1000);
const part = 'Worktrees';
const file = taskFor(0).files[0] ?? '';
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
  what: `8 worktrees of ${files} files`,
  ours: `${made.toFixed(1)} s`,
  beside: `one by git alone, sparse, with the task's folder only ${(await sparse()).toFixed(1)} s`,
  target: 'measured',
});
row({
  part,
  what: `a look at an edit in ${files} files (median of ${looks}), CPU of git included`,
  ours: `${median(costs).toFixed(0)} ms`,
  beside: `at all files ${whole.toFixed(0)} ms`,
  target: 'measured',
});
row({
  part,
  what: `following ${agents} agents in ${files} files for ${seconds} s, each of which edits every ${everySeconds} s`,
  ours: `${share.toFixed(1)} % of a core`,
  target: 'under 2 %',
});
await workspace.settled();
stop();
rmSync(folder, { recursive: true, force: true });
