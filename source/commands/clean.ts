import { describe } from '../core/policy/failure.js';
import { branchSpace, refOf, runBranches } from '../core/run/branches.js';
import { printable } from '../core/text/printable.js';
import { holdsWork, ownershipOf, repairLink } from '../services/git/own-worktree.js';
import type { Repository } from '../services/git/repository.js';
import { git, gitText } from '../services/git/run-git.js';
import { removeWorktree } from '../services/git/worktree.js';
import {
  declareDead,
  forget,
  forgetJournal,
  isHere,
  type KnownRun,
  type RecordedWorktree,
  readRecords,
  releaseWorktrees,
} from '../services/records/run-records.js';
import type { Arguments } from './arguments.js';
import { leftOf, waitsForResume } from './find-left-run.js';
import { openForHistory } from './history.js';
import { endDeadRun, recoverRuns } from './recover.js';
import { askYesNo, reportFailure, type Stdio } from './stdio.js';

interface Branch {
  readonly name: string;
  readonly merged: boolean;
}

interface Leftover {
  readonly stamp: string;
  readonly run: KnownRun;
  readonly worktrees: readonly RecordedWorktree[];
  readonly branches: readonly Branch[];
}

/**
 * `clean`: lists what old runs left, removes what is merged, asks for the rest. A run that lives is
 * never touched, nor what our own records do not name. Without a terminal the rest stays, unless `--yes` was
 * given.
 */
export async function cleanCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const repo = await openForHistory(args, stdio);
  if (!repo) return 2;
  const named = args.flags.dead;
  if (named !== undefined && !(await bury(repo, named, stdio))) return 2;
  const { runs, copyOf } = readRecords(repo);
  if (copyOf !== null) {
    stdio.out(
      `This is a copy of ${printable(copyOf)}, to which the runs belong; nothing is removed here.\n`,
    );
    return 0;
  }
  const found = await findLeftovers(repo, runs);
  let left = 0;
  let kept = 0;
  for (const leftover of found) {
    const { stamp, run } = leftover;
    if (run.liveness === 'alive') {
      stdio.out(`${stamp}  is running (process ${run.pid}), not touched\n`);
    } else if (run.liveness === 'unknown') {
      stdio.out(
        `${stamp}  may be running on ${printable(run.host)} or in a container, not touched; if it is dead: clean --dead ${stamp}\n`,
      );
    } else if (leftover.worktrees.length + leftover.branches.length > 0 || waitsForResume(run)) {
      left += 1;
      kept += await cleanOne(repo, leftover, args, stdio);
    } else releaseWorktrees(run.worktrees);
  }
  if (left === 0) stdio.out('Nothing is left of old runs.\n');
  if (kept > 0) stdio.out(`${kept} kept; --yes removes them without asking.\n`);
  return 0;
}

/** A person says of a run that it is dead; not believed of one that is seen to live. */
async function bury(repo: Repository, stamp: string, stdio: Stdio): Promise<boolean> {
  const run = readRecords(repo).runs.find((one) => one.stamp === stamp);
  if (!run || run.liveness === 'alive') {
    const message = run
      ? `The run ${stamp} is still running (process ${run.pid}).`
      : `There is no run ${printable(stamp)} of yours in this repository.`;
    const hint = run
      ? `End it first: kill ${run.pid}`
      : 'aider-orchestrator runs lists those that there are.';
    reportFailure(stdio, { kind: 'usage', message, hint });
    return false;
  }
  declareDead(run);
  await recoverRuns(repo, (text) => stdio.error(`${text}\n`));
  return true;
}

/** What our records name of each run, as far as git bears it out. */
async function findLeftovers(repo: Repository, runs: readonly KnownRun[]): Promise<Leftover[]> {
  const list = async (...more: string[]): Promise<string[]> => {
    const format = '--format=%(refname:lstrip=2)';
    const refs = await gitText(repo.root, [
      'for-each-ref',
      format,
      ...more,
      `${refOf(branchSpace)}/`,
    ]);
    return refs.ok ? refs.value.split('\n').filter(Boolean) : [];
  };
  const [all, merged] = await Promise.all([list(), list(`--merged=${repo.head}`)]);
  return runs.map((run) => ({
    stamp: run.stamp,
    run,
    worktrees: run.made.filter(({ path }) => ownershipOf(repo.commonDir, path) === 'ours'),
    branches: all
      .filter((name) => name.startsWith(runBranches(run.stamp)))
      .map((name) => ({ name, merged: merged.includes(name) })),
  }));
}

/** Cleans one run; gives the number of things that stay. */
async function cleanOne(
  repo: Repository,
  leftover: Leftover,
  { flags }: Arguments,
  stdio: Stdio,
): Promise<number> {
  const { stamp, run } = leftover;
  const allowed = async (question: string) =>
    flags.yes === true || (stdio.interactive && (await askYesNo(question, false)));
  const later = `aider-orchestrator resume ${stamp}`;
  const isLeft = typeof leftOf(run) !== 'string';
  if (isLeft && !(await allowed(`${stamp} can be gone on with (${later}). Clean it up?`))) {
    stdio.out(`${stamp}  kept, as it can be gone on with: ${later}\n`);
    return Math.max(1, leftover.worktrees.length + leftover.branches.length);
  }
  if (!waitsForResume(run) || !isHere(run, repo.root)) {
    return removeLeft(repo, leftover, isLeft, allowed, stdio);
  }
  // What its agents had not committed is on branches first, which are asked about.
  await endDeadRun(repo, run, (text) => stdio.error(`${text}\n`));
  const ended = readRecords(repo).runs.filter((one) => one.stamp === stamp);
  const [now] = await findLeftovers(repo, ended);
  return now ? removeLeft(repo, now, isLeft, allowed, stdio) : 0;
}

/** @param isLeft it could be gone on with until now */
async function removeLeft(
  repo: Repository,
  { stamp, run, worktrees, branches }: Leftover,
  isLeft: boolean,
  allowed: (question: string) => Promise<boolean>,
  stdio: Stdio,
): Promise<number> {
  let kept = 0;
  for (const { path, agent, ready } of worktrees) {
    repairLink(repo.commonDir, path);
    // One that was being made when its run was killed holds nobody's work.
    const work = agent === null || !ready ? 'none' : await lookFor(path);
    const question = `${path} ${work === 'some' ? 'has uncommitted work' : `cannot be looked at (${work})`}. Remove it?`;
    if (work === 'none' || (await allowed(printable(question)))) {
      await removeWorktree(repo.root, path);
      stdio.out(`${stamp}  removed the worktree ${printable(path)}\n`);
    } else {
      kept += 1;
      const why = work === 'some' ? 'uncommitted work' : work;
      stdio.out(`${stamp}  kept the worktree ${printable(path)} (${printable(why)})\n`);
    }
  }
  releaseWorktrees(run.worktrees);
  for (const { name, merged } of branches) {
    const remove = merged || (await allowed(`${name} is not merged. Delete it?`));
    const done = remove
      ? await git(repo.root, ['branch', '-D', '--quiet', '--end-of-options', name])
      : null;
    if (done?.ok) {
      stdio.out(`${stamp}  deleted the branch ${name}${merged ? ' (merged)' : ''}\n`);
    } else {
      kept += 1;
      stdio.out(`${stamp}  kept the branch ${name} (${done ? 'in use' : 'not merged'})\n`);
    }
  }
  // What a run would be gone on with from is not whole any more.
  if (isLeft && kept < Math.max(1, worktrees.length + branches.length)) forgetJournal(run);
  // A map's record is of no use any more; that of a run is its history.
  if (kept === 0 && stamp.startsWith('map-')) forget(run);
  return kept;
}

/** Whether a worktree holds work: `none`, `some`, or why git cannot tell. */
async function lookFor(worktree: string): Promise<string> {
  const holds = await holdsWork(worktree);
  if (!holds.ok) return describe(holds.failure).message;
  return holds.value ? 'some' : 'none';
}
