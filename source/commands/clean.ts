import { rm } from 'node:fs/promises';
import path from 'node:path';
import { printable } from '../core/printable.js';
import { worktreesFolder } from '../services/config/folders.js';
import type { Repository } from '../services/git/repository.js';
import { git, gitText } from '../services/git/run-git.js';
import { notAidersOwn } from '../services/git/snapshot.js';
import { leftWorktrees } from '../services/git/workspace.js';
import { removeWorktree } from '../services/git/worktree.js';
import { listRuns, ownsLiveRun, releaseWorktrees } from '../services/logs/run-registry.js';
import type { Arguments } from './arguments.js';
import { openForHistory } from './history.js';
import { askYesNo, type Terminal } from './terminal.js';

interface Leftover {
  readonly stamp: string;
  readonly worktrees: readonly string[];
  readonly branches: readonly { readonly name: string; readonly merged: boolean }[];
}

/**
 * `clean`: lists what old runs left, removes what is merged, asks for the rest. A run that lives is
 * never touched. Without a terminal the rest stays, unless `--yes` was given.
 */
export async function cleanCommand(args: Arguments, terminal: Terminal): Promise<number> {
  const repo = await openForHistory(args, terminal);
  if (!repo) return 2;
  const alive = new Set(
    listRuns(repo.root)
      .filter((run) => run.alive)
      .map((run) => run.stamp),
  );
  const root = worktreesFolder(repo.commonDir);
  const found = await findLeftovers(repo);
  // A run may live in another checkout of the same repository.
  for (const { stamp } of found) if (ownsLiveRun(path.join(root, stamp))) alive.add(stamp);
  const leftovers = found.filter((left) => !alive.has(left.stamp));
  for (const stamp of alive) terminal.out(`${stamp}  runs, not touched\n`);
  if (leftovers.length === 0) terminal.out('Nothing is left of old runs.\n');
  let kept = 0;
  for (const left of leftovers) kept += await cleanOne(repo, left, args, terminal);
  if (kept > 0) terminal.out(`${kept} kept; --yes removes them without asking.\n`);
  return 0;
}

async function findLeftovers(repo: Repository): Promise<Leftover[]> {
  const refs = await gitText(repo.root, [
    'for-each-ref',
    '--format=%(refname:short)',
    'refs/heads/aider/',
  ]);
  const merged = await gitText(repo.root, [
    'for-each-ref',
    '--format=%(refname:short)',
    `--merged=${repo.head}`,
    'refs/heads/aider/',
  ]);
  const isMerged = new Set(merged.ok ? merged.value.split('\n') : []);
  const byStamp = new Map<
    string,
    { worktrees: string[]; branches: { name: string; merged: boolean }[] }
  >();
  const entry = (stamp: string) => {
    const known = byStamp.get(stamp) ?? { worktrees: [], branches: [] };
    byStamp.set(stamp, known);
    return known;
  };
  for (const name of refs.ok ? refs.value.split('\n').filter(Boolean) : []) {
    const stamp = /^aider\/(\d{8}_\d{6})\//.exec(name)?.[1];
    if (stamp) entry(stamp).branches.push({ name, merged: isMerged.has(name) });
  }
  const root = worktreesFolder(repo.commonDir);
  const listed = await gitText(repo.root, ['worktree', 'list', '--porcelain']);
  const registered = (listed.ok ? listed.value.split('\n') : [])
    .filter((line) => line.startsWith(`worktree ${root}${path.sep}`))
    .map((line) => line.slice('worktree '.length));
  for (const run of new Set([
    ...registered.map((file) => path.relative(root, file).split(path.sep)[0] as string),
    ...byStamp.keys(),
  ])) {
    const folder = path.join(root, run);
    const worktrees = new Set([
      ...(await leftWorktrees(folder)),
      ...registered.filter((file) => file.startsWith(`${folder}${path.sep}`)),
    ]);
    if (worktrees.size > 0) entry(run).worktrees.push(...worktrees);
  }
  return [...byStamp]
    .map(([stamp, left]) => ({ stamp, ...left }))
    .sort((a, b) => a.stamp.localeCompare(b.stamp));
}

/** Cleans one run; gives the number of things that stay. */
async function cleanOne(
  repo: Repository,
  left: Leftover,
  { flags }: Arguments,
  terminal: Terminal,
): Promise<number> {
  let kept = 0;
  const allowed = async (question: string) =>
    flags.yes === true || (terminal.interactive && (await askYesNo(question, false)));
  for (const worktree of left.worktrees) {
    const status = await git(worktree, ['status', '--porcelain', '--', ...notAidersOwn]);
    const clean = status.ok && status.value.stdout === '';
    if (clean || (await allowed(`${worktree} has uncommitted work. Remove it?`))) {
      await removeWorktree(repo.root, worktree);
      await rm(path.dirname(worktree), { recursive: true, force: true });
      terminal.out(`${left.stamp}  removed the worktree ${printable(worktree)}\n`);
    } else {
      kept += 1;
      terminal.out(`${left.stamp}  kept the worktree ${printable(worktree)} (uncommitted work)\n`);
    }
  }
  releaseWorktrees(path.join(worktreesFolder(repo.commonDir), left.stamp));
  for (const { name, merged } of left.branches) {
    const remove = merged || (await allowed(`${name} is not merged. Delete it?`));
    const done = remove ? await git(repo.root, ['branch', '-D', '--quiet', name]) : null;
    if (done?.ok) {
      terminal.out(`${left.stamp}  deleted the branch ${name}${merged ? ' (merged)' : ''}\n`);
    } else {
      kept += 1;
      terminal.out(`${left.stamp}  kept the branch ${name} (${done ? 'in use' : 'not merged'})\n`);
    }
  }
  return kept;
}
