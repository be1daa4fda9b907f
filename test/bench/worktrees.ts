/**
 * Benchmark: making 8 worktrees at once, ready for an agent each, against a plain parallel checkout
 * (`xargs -P 8 git worktree add`); with many files, and with very many, whole and sparse.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { removeWorktree } from '../../source/services/git/worktree.js';
import { median, row } from './kit.js';
import { agents, fastFolder, fresh, makeLargeRepo, openWorkspace, taskFor } from './large-repo.js';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
/** Worktrees that are made without a measurement, to see whether one fails. */
const many = Number(process.env['BENCH_WORKTREES'] ?? 320);
const folder = fastFolder('worktrees');
let runs = 0;

function run(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
}

/** Makes 8 worktrees as a run does it; gives milliseconds and what failed. */
async function ours(repo: string): Promise<{ ms: number; failed: number; removeMs: number }> {
  runs += 1;
  const stamp = `20260101_${String(runs).padStart(6, '0')}`;
  const worktrees = path.join(folder, 'ours', stamp);
  const workspace = openWorkspace(repo, stamp, worktrees);
  const from = performance.now();
  const places = await Promise.all(
    Array.from({ length: agents }, (_, agent) =>
      workspace.prepare(agent, taskFor(agent), fresh, null),
    ),
  );
  const ms = performance.now() - from;
  const failed = places.filter((place) => !place.ok).length;
  const leaving = performance.now();
  await Promise.all(places.map((place) => place.ok && removeWorktree(repo, place.value.worktree)));
  const removeMs = performance.now() - leaving;
  for (const branch of run(repo, 'branch', '--list', 'aider/*').split('\n').filter(Boolean)) {
    run(repo, 'branch', '-q', '-D', branch.replace(/^[*+ ]+/, ''));
  }
  return { ms, failed, removeMs };
}

/** Makes 8 worktrees as a shell does it. */
function plain(repo: string, more = ''): { ms: number; failed: number } {
  const place = path.join(folder, 'plain');
  mkdirSync(place);
  const from = performance.now();
  const add = `git worktree add --quiet ${more} --detach "$0/{}" main`;
  spawnSync('xargs', ['-P', String(agents), '-I{}', 'sh', '-c', add, place], {
    cwd: repo,
    input: Array.from({ length: agents }, (_, agent) => `w${agent}\n`).join(''),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ms = performance.now() - from;
  const failed = agents - readdirSync(place).length;
  rmSync(place, { recursive: true });
  run(repo, 'worktree', 'prune');
  return { ms, failed };
}

const repo = path.join(folder, 'repo');
await makeLargeRepo(repo, 10_000);
const times: { ours: number; plain: number; remove: number }[] = [];
let failed = 0;
let plainFailed = 0;
for (let round = 0; round <= rounds; round++) {
  const own = await ours(repo);
  const other = plain(repo);
  failed += own.failed;
  plainFailed += other.failed;
  if (round > 0) times.push({ ours: own.ms, plain: other.ms, remove: own.removeMs });
}
const made = () => runs * agents;
while (made() < many) failed += (await ours(repo)).failed;
const of = (name: 'ours' | 'plain' | 'remove') => median(times.map((time) => time[name]));
row({
  part: 'Worktrees',
  what: '8 worktrees of 10,000 files',
  ours: `${(of('ours') / 1000).toFixed(2)} s`,
  beside: `xargs -P 8 git worktree add ${(of('plain') / 1000).toFixed(2)} s`,
  ratio: median(times.map((time) => time.ours / time.plain)).toFixed(2),
  target: 'ratio at most 1.1',
});
row({
  part: 'Worktrees',
  what: 'worktrees that failed',
  ours: `${failed} of ${made()}`,
  beside: `xargs -P 8 git worktree add ${plainFailed} of ${(rounds + 1) * agents}`,
  target: '0 of 320',
});
row({
  part: 'Worktrees',
  what: '8 worktrees taken away, until the program may end',
  ours: `${of('remove').toFixed(0)} ms`,
  target: 'does not hold up the exit',
});
rmSync(folder, { recursive: true, force: true });
