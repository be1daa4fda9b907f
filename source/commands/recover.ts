import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Landing, Message, RunState } from '../core/run.js';
import { update } from '../core/update.js';
import { gitText } from '../services/git/run-git.js';
import { GitWorkspace, leftWorktrees } from '../services/git/workspace.js';
import { removeWorktree } from '../services/git/worktree.js';
import { AgentLogs } from '../services/logs/agent-log.js';
import { LineFile } from '../services/logs/line-file.js';
import { logPaths } from '../services/logs/log-paths.js';
import {
  adoptRun,
  diedEarly,
  type KnownRun,
  listRuns,
  releaseWorktrees,
} from '../services/logs/run-registry.js';
import { createEffectRunner } from '../store/effect-runner.js';
import { createRunStore } from '../store/run-store.js';
import { writeSummary } from './live-run.js';

/** What a run that died is said to be interrupted by. */
const cause = 'the end of aider-orchestrator';

/**
 * Closes the books of runs whose program died (SIGKILL, power): the state is rebuilt from the journal,
 * the agents' work is committed to their branches as unfinished, the summary is written.
 */
export async function recoverRuns(repo: string, say: (text: string) => void): Promise<void> {
  for (const run of listRuns(repo)) {
    if (!diedEarly(run)) continue;
    const state = readState(logPaths(repo, run.stamp).journal, say);
    if (state === null || !adoptRun(repo, run)) continue;
    if (state.phase === 'finished') writeSummary(state, logPaths(repo, run.stamp), say);
    else await recover(run, state, say);
    say(
      `Run ${run.stamp} ended without its end: its work is kept, its summary is written (aider-orchestrator show ${run.stamp}).`,
    );
  }
}

/** A journal that this version cannot follow must not keep anybody from working. */
function readState(file: string, say: (text: string) => void): RunState | null {
  try {
    return readJournal(file);
  } catch (error) {
    say(`The journal ${file} cannot be followed: ${(error as Error).message}`);
    return null;
  }
}

/** The state that a journal's messages lead to; null for a journal without any. */
export function readJournal(file: string): RunState | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  let state: RunState | null = null;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      // The last line of a program that was killed may be half a one.
      continue;
    }
    if (state === null && message.type !== 'run_started') return null;
    state = update(state, message)[0];
  }
  return state;
}

/** The program may have died right after the fast-forward: then the work has landed all the same. */
async function alreadyLanded({ phase, config, integration }: RunState): Promise<Landing | null> {
  if (phase !== 'landing' || !integration?.commit || config.branch === null) return null;
  const tip = await gitText(config.repo, ['rev-parse', `refs/heads/${config.branch}`]);
  if (!tip.ok || tip.value !== integration.commit) return null;
  return { state: 'landed', commit: integration.commit, branch: config.branch };
}

async function recover(run: KnownRun, state: RunState, say: (text: string) => void): Promise<void> {
  const { config } = state;
  const paths = logPaths(config.repo, config.stamp);
  const worktrees = run.worktrees ?? '';
  let current = state;
  const workspace = new GitWorkspace({
    config,
    paths,
    worktrees,
    copy: [],
    setup: null,
    check: null,
    protect: [],
    maxFileBytes: Number.POSITIVE_INFINITY,
    landLater: `aider-orchestrator land ${config.stamp}`,
    prdPath: () => current.prdPath,
  });
  const never = () => Promise.reject(new Error('a dead run starts nothing'));
  const journal = new LineFile(paths.journal, say);
  const logs = new AgentLogs(paths, say);
  let onFinish = () => {};
  const finished = new Promise<void>((resolve) => {
    onFinish = resolve;
  });
  const runner = createEffectRunner(
    { workspace, backend: { start: never }, reviewer: null, plan: never, confirm: never },
    () => current,
    () => onFinish(),
  );
  const { dispatch } = createRunStore(
    runner,
    [
      (next, before, message) => {
        current = next;
        journal.append(message);
        logs.note(next, before, message);
        if (next.phase === 'finished') writeSummary(next, paths, say);
      },
    ],
    Date.now,
    state,
  );
  const landed = await alreadyLanded(state);
  dispatch(
    landed ? { type: 'landing_done', landing: landed } : { type: 'orphaned', detail: cause },
  );
  await finished;
  await workspace.settled();
  journal.close();
  logs.close();
  // Worktrees that were being made or were for looking only hold no work.
  for (const left of await leftWorktrees(worktrees)) {
    if (path.basename(path.dirname(left)) === 'map')
      await removeWorktree(config.repo, left).catch(() => {});
  }
  if (worktrees !== '') releaseWorktrees(worktrees);
}
