/**
 * Benchmark: making 8 worktrees at once, ready for an agent each, against a plain parallel checkout
 * (`xargs -P 8 git worktree add`); with many files, and with very many, whole and sparse.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GitWorkspace } from '../../source/services/git/workspace.js';
import { removeWorktree } from '../../source/services/git/worktree.js';
import { logPaths } from '../../source/services/logs/log-paths.js';
import { median } from './kit.js';
import { makeLargeRepo, pathOf } from './large-repo.js';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
/** Worktrees that are made without a measurement, to see whether one fails. */
const many = Number(process.env.BENCH_WORKTREES ?? 320);
const agents = 8;
const folder = mkdtempSync(path.join(tmpdir(), 'ao-worktrees-'));
let runs = 0;

function run(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8' }).trim();
}

/** Makes 8 worktrees as a run does it; gives milliseconds and what failed. */
async function ours(repo: string): Promise<{ ms: number; failed: number; removeMs: number }> {
  runs += 1;
  const stamp = `20260101_${String(runs).padStart(6, '0')}`;
  const paths = logPaths(repo, stamp);
  mkdirSync(paths.raw, { recursive: true });
  const worktrees = path.join(folder, 'ours', stamp);
  mkdirSync(worktrees, { recursive: true });
  const workspace = new GitWorkspace({
    config: { repo, stamp, base: run(repo, 'rev-parse', 'main') } as never,
    paths,
    worktrees,
    copy: [],
    setup: null,
    check: null,
    protect: [],
    maxFileBytes: 1e9,
    landLater: '',
    prdPath: () => null,
  });
  const from = performance.now();
  const places = await Promise.all(
    Array.from({ length: agents }, (_, agent) => {
      const task = { title: '', description: '', files: [pathOf(agent)], read: [], dependsOn: [] };
      const fresh = { onto: [], round: 0, resume: null, rework: null };
      return workspace.prepare(agent, task as never, fresh as never);
    }),
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
console.log(
  `8 worktrees of 10,000 files: ${of('ours').toFixed(0)} ms, xargs ${of('plain').toFixed(0)} ms, ratio ${median(times.map((time) => time.ours / time.plain)).toFixed(2)}; ${failed} of ${made()} failed (xargs ${plainFailed} of ${(rounds + 1) * agents}); taking them away ${of('remove').toFixed(0)} ms`,
);
rmSync(folder, { recursive: true, force: true });
