// Longer than 300 lines: one sequence, from the record to the summary.
import { existsSync, rmSync } from 'node:fs';
import type { CommittedWork } from '../core/agent/agent.js';
import { describe } from '../core/policy/failure.js';
import type { RunConfig } from '../core/run/config.js';
import type { Landing, RunState } from '../core/run/run.js';
import { printable } from '../core/text/printable.js';
import { reasonWords } from '../core/text/words.js';
import { isLink } from '../services/files/private-files.js';
import { readKept } from '../services/git/kept-checkout.js';
import { ownershipOf, repairLink } from '../services/git/own-worktree.js';
import type { Repository } from '../services/git/repository.js';
import { gitText } from '../services/git/run-git.js';
import { salvage } from '../services/git/salvage.js';
import { removeWorktree } from '../services/git/worktree.js';
import { forgetSocket } from '../services/host/socket.js';
import { readJournalFile } from '../services/logs/journal-file.js';
import { ensureLogs, type LogPaths, logPaths, outputProblem } from '../services/logs/log-paths.js';
import { untilQuiet } from '../services/machine/processes-below.js';
import {
  adoptRun,
  diedEarly,
  forget,
  isHere,
  type KnownRun,
  type RunRecord,
  readRecords,
  releaseWorktrees,
} from '../services/records/run-records.js';
import { forgetTouched } from '../services/records/touched-files.js';
import { completeLogs } from './complete-logs.js';
import { composeRun, composeWorkspace, type WorkspaceParts } from './compose/compose-run.js';
import { landCommand } from './compose/config.js';
import { type LeftRunHere, resumeLater, waitsForResume } from './find-left-run.js';
import { type Rescued, writeSummary } from './write-summary.js';

/** What a run that died is said to be interrupted by. */
const cause = 'the end of aider-orchestrator';

/** For what a dead run has left running, milliseconds. */
export const patienceMs = 3000;

export type Say = (text: string) => void;

/**
 * Closes the books of runs whose program died (SIGKILL, power) and that cannot be gone on with: the state is
 * rebuilt from the journal, the agents' work is committed to their branches as unfinished, the summary is written.
 * Which runs there are, what they did and which worktrees are theirs, is told by our own records alone.
 * @returns those that can be gone on with, oldest first; they are left as they are
 */
export async function recoverRuns(repo: Repository, say: Say): Promise<LeftRunHere[]> {
  const { runs, problems, copyOf } = readRecords(repo);
  for (const problem of problems) say(`The record of a run is ignored: ${problem}.`);
  const waiting: LeftRunHere[] = [];
  if (copyOf !== null) return waiting;
  for (const run of runs) {
    if (!diedEarly(run) || !isHere(run, repo.root)) continue;
    const left = waitsForResume(run);
    if (left !== null) waiting.push(left);
    else await endDeadRun(repo, run, say);
  }
  return waiting;
}

/**
 * Closes the books of a run that died.
 * @returns false where another program is at it
 */
export async function endDeadRun(repo: Repository, run: KnownRun, say: Say): Promise<boolean> {
  const record = adoptRun(run);
  if (record === null) return false;
  try {
    await closeBooks(repo, run, record, say);
  } finally {
    record.letGo();
  }
  return true;
}

/** Closes the books of a run that died and that this program has made its own. */
export async function closeBooks(
  repo: Repository,
  run: KnownRun,
  record: RunRecord,
  say: Say,
): Promise<void> {
  // What the program had started, such as git making a worktree, may outlive it by a moment.
  await untilQuiet(run.worktrees, patienceMs);
  forgetSocket(run.file);
  forgetTouched(run.file);
  leadBack(repo, run);
  // The making of a map holds nobody's work.
  if (run.stamp.startsWith('map-')) {
    await removeIdle(repo, run);
    releaseWorktrees(run.worktrees);
    forget(run);
    return;
  }
  const paths = logPaths(repo.root, run.stamp);
  const problem = outputProblem(repo.root);
  // What looks at its worktrees wrote.
  if (problem === null && !isLink(paths.raw)) {
    rmSync(paths.objects, { recursive: true, force: true });
  }
  // The one in the repository is a copy.
  const journal = problem === null ? readJournalFile(record.journal, run.stamp) : null;
  const state = journal?.state === 'read' ? here(journal.run, repo, run) : null;
  if (problem === null && state !== null) {
    completeLogs(paths, record, say);
    const hasEnded = state.phase === 'finished';
    const { rescued, told, isWhole } = await rescue(repo, run, state, paths, record);
    const done = hasEnded
      ? { written: writeSummary(state, paths, record, say, rescued), isWhole: true, end: state }
      : await recover(repo, run, state, paths, record, say, rescued);
    // What could not be committed has been told, and is tried again.
    const left = new Set(done.end.agents.map(({ leftIn }) => leftIn));
    told.push(...(await removeCommitted(repo, run, left)));
    await removeIdle(repo, run);
    releaseWorktrees(run.worktrees);
    // While work lies where it could not be committed, as on a full disk, the next start tries again.
    if (done.written && isWhole && done.isWhole) record.close('recovered');
    if (done.written) {
      const what = hasEnded
        ? `The summary of run ${run.stamp} could not be written when it ended, and is written now`
        : `Run ${run.stamp} was cut off when its program ended. Its work is saved, and its summary is written now`;
      say(`${what}: aider-orchestrator show ${run.stamp}`);
      const later = hasEnded ? null : resumeLater(done.end);
      if (later !== null) say(`  To go on with it: ${later}`);
    }
    for (const line of told) say(`  ${line}`);
    return;
  }
  const why =
    problem !== null
      ? describe(problem).message
      : journal?.state === 'unreadable'
        ? `${record.journal}: ${journal.why}`
        : journal?.state === 'empty'
          ? 'its journal is empty or gone'
          : `${record.journal} tells of worktrees that are not the run's`;
  await closeWithout(repo, run, record, why, say);
}

/** Commits what agents that had ended could not commit, such as on a full disk, to their branches. */
async function rescue(
  repo: Repository,
  run: KnownRun,
  state: RunState,
  paths: LogPaths,
  record: RunRecord,
): Promise<{
  readonly rescued: Rescued;
  readonly told: string[];
  /** Nothing is left that could not be committed. */
  readonly isWhole: boolean;
}> {
  const rescued = new Map<number, CommittedWork>();
  const told: string[] = [];
  let isWhole = true;
  const workspace = composeWorkspace(workspaceParts(repo, run, state.config, paths, record));
  for (const { index, task, leftIn } of state.agents) {
    const made = run.made.find(({ path }) => path === leftIn);
    if (!made || made.branch === null) continue;
    if (ownershipOf(repo.commonDir, made.path) !== 'ours') continue;
    const checkout = { worktree: made.path, branch: made.branch, start: made.start };
    const done = await workspace.commit({
      agent: index,
      task,
      checkout,
      finished: false,
      prdPath: state.prdPath,
      model: state.config.model,
    });
    if (!done.ok) {
      isWhole = false;
      const why = printable(`${reasonWords(done.failure.reason)}: ${done.failure.detail}`);
      told.push(`The work of agent${index} is still in ${printable(made.path)} (${why}).`);
    } else if (done.value.commit !== null) {
      rescued.set(index, done.value);
      told.push(`What agent${index} could not commit is on ${made.branch}.`);
    }
  }
  await workspace.settled();
  return { rescued, told, isWhole };
}

/** What can be kept without a journal: whatever lies in the run's worktrees. */
async function closeWithout(
  repo: Repository,
  run: KnownRun,
  record: RunRecord,
  why: string,
  say: Say,
): Promise<void> {
  const saved = await salvage(repo, run.stamp, run.made);
  const found = saved.branches.map((name) => printable(name)).join(', ');
  const left = saved.left.map(
    ({ path, why: reason }) => `${printable(path)} (${printable(reason)})`,
  );
  if (run.made.length === 0) {
    say(`Run ${run.stamp} died before any agent had started.`);
    releaseWorktrees(run.worktrees);
    record.close('salvaged');
    return;
  }
  say(`Run ${run.stamp} died, and its journal is unusable: ${printable(why)}.`);
  if (found !== '') say(`  What its agents did is on ${found}.`);
  else if (left.length === 0) say('  Its agents had changed nothing.');
  if (left.length > 0) {
    say(`  Not committed, and left where it is: ${left.join('; ')}.`);
    return;
  }
  releaseWorktrees(run.worktrees);
  record.close('salvaged');
}

/**
 * The state as it is in the repository where that is now; null where it names a worktree that the run's own
 * record does not.
 */
export function here(state: RunState, repo: Repository, run: KnownRun): RunState | null {
  const own = new Set(run.made.map(({ path }) => path));
  const placed = state.agents.flatMap(({ state: now }) =>
    'checkout' in now ? [now.checkout] : [],
  );
  if (placed.some(({ worktree }) => !own.has(worktree))) return null;
  return { ...state, config: { ...state.config, repo: repo.root } };
}

/** Of a repository that was moved, the worktrees point to where it was. */
export function leadBack(repo: Repository, run: KnownRun): void {
  for (const { path } of run.made) {
    if (ownershipOf(repo.commonDir, path) === 'ours') repairLink(repo.commonDir, path);
  }
}

/**
 * The program may have died between the commit of an agent's work and the end of its worktree. One whose state
 * is on its branch is removed; of any other, in which somebody has worked since, it is told, and it stays.
 * @param keep worktrees that are left alone
 */
async function removeCommitted(
  repo: Repository,
  run: KnownRun,
  keep: ReadonlySet<string | null>,
): Promise<string[]> {
  const rest = run.made.filter(
    ({ path, agent, ready }) => agent !== null && ready && existsSync(path) && !keep.has(path),
  );
  const saved = await salvage(repo, run.stamp, rest);
  return saved.left.map(
    ({ path, why }) => `The worktree ${printable(path)} is left as it is (${printable(why)}).`,
  );
}

/** The same for a run that is gone on with: what its agents are at stays. */
export async function removeDone(
  repo: Repository,
  run: KnownRun,
  state: RunState,
  say: Say,
): Promise<void> {
  const inUse = state.agents.flatMap(({ index, leftIn, state: now }) => [
    leftIn,
    'checkout' in now ? now.checkout.worktree : null,
    // Made, and not told of yet.
    readKept(run.worktrees, index)?.worktree ?? null,
  ]);
  for (const line of await removeCommitted(repo, run, new Set(inUse))) say(`  ${line}`);
}

/** Worktrees in which nobody works, and half made ones, hold nobody's work. */
export async function removeIdle(repo: Repository, run: KnownRun): Promise<void> {
  for (const { path, agent, ready } of run.made) {
    if (agent !== null && ready) continue;
    if (ownershipOf(repo.commonDir, path) === 'foreign') continue;
    await removeWorktree(repo.root, path);
  }
}

/** The program may have died right after the fast-forward: then the work has landed all the same. */
async function alreadyLanded({ phase, config, integration }: RunState): Promise<Landing | null> {
  if (phase !== 'landing' || !integration?.commit || config.branch === null) return null;
  const tip = await gitText(config.repo, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `refs/heads/${config.branch}`,
  ]);
  if (!tip.ok || tip.value !== integration.commit) return null;
  return { state: 'landed', commit: integration.commit, branch: config.branch };
}

function workspaceParts(
  repo: Repository,
  run: KnownRun,
  config: RunConfig,
  paths: LogPaths,
  record: RunRecord,
): WorkspaceParts {
  return {
    // What a person may not have read, and what this version may know better: by our own record.
    rules: { ...config, ...(run.rules ?? { protect: [] }), copy: [] },
    commonDir: repo.commonDir,
    paths,
    record,
    worktrees: run.worktrees,
    commands: null,
    landLater: landCommand(config.stamp),
  };
}

/** @returns whether the summary is written, and the state the run ended in */
async function recover(
  repo: Repository,
  run: KnownRun,
  state: RunState,
  paths: LogPaths,
  record: RunRecord,
  say: Say,
  rescued: Rescued,
): Promise<{ readonly written: boolean; readonly isWhole: boolean; readonly end: RunState }> {
  const { config } = state;
  const never = () => Promise.reject(new Error('a dead run starts nothing'));
  ensureLogs(config.repo);
  let onFinish = () => {};
  const finished = new Promise<void>((resolve) => {
    onFinish = resolve;
  });
  const composed = composeRun({
    repo: config.repo,
    workspace: workspaceParts(repo, run, config, paths, record),
    services: () => ({ backend: { start: never }, reviewer: null, plan: never, confirm: never }),
    warn: say,
    clock: Date.now,
    observers: [],
    onFinish: () => onFinish(),
    from: state,
    rescued,
  });
  const { workspace, recorder, dispatch } = composed;
  const landed = await alreadyLanded(state);
  dispatch(
    landed ? { type: 'landing_done', landing: landed } : { type: 'orphaned', detail: cause },
  );
  await finished;
  await workspace.settled();
  recorder.close();
  const current = composed.state() ?? state;
  // A worktree that is gone holds nothing that could be committed later.
  const isWhole = current.agents.every(
    ({ index, leftIn }) =>
      leftIn === null || leftIn === state.agents[index]?.leftIn || !existsSync(leftIn),
  );
  return { written: recorder.summaryWritten, isWhole, end: current };
}
