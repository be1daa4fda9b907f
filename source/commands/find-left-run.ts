import { isDone } from '../core/agent/agent.js';
import type { Failure } from '../core/policy/failure.js';
import { err, ok, type Result } from '../core/result.js';
import { resumeRefusal } from '../core/run/resume.js';
import type { RunState } from '../core/run/run.js';
import { printable } from '../core/text/printable.js';
import type { Repository } from '../services/git/repository.js';
import { readJournalFile } from '../services/logs/journal-file.js';
import {
  diedEarly,
  isHere,
  journalFile,
  type KnownRun,
  readRecords,
} from '../services/records/run-records.js';
import { formatDuration } from '../view/numbers.js';

/** A run that can be gone on with, as its own journal tells. */
export interface LeftRunHere {
  readonly run: KnownRun;
  readonly state: RunState;
  /** When its last message was written, epoch milliseconds. */
  readonly at: number;
}

/**
 * Why a run cannot be gone on with, as a clause without a full stop; or what it is gone on with from, by our own
 * journal, which no repository brings along.
 */
export function leftOf(run: KnownRun): LeftRunHere | string {
  const read = readJournalFile(journalFile(run.file), run.stamp);
  if (read.state === 'empty') return 'its journal is gone, or it was cleaned up';
  if (read.state === 'unreadable') return `its journal cannot be read: ${read.why}`;
  const { run: state, at } = read;
  if (state.config.simulated) return 'its agents were simulated';
  const { planSource } = state.config;
  if (state.agents.length === 0 && planSource.kind !== 'planner') {
    return 'it ended before its plan was read';
  }
  // One that was being ended is ended first.
  const refusal = state.phase === 'finished' ? resumeRefusal(state) : null;
  return refusal ?? { run, state, at };
}

/** Runs of this checkout that no program runs, the latest first. */
function endedRuns(repo: Repository): KnownRun[] {
  const { runs } = readRecords(repo);
  const own = runs.filter((run) => isHere(run, repo.root) && !run.stamp.startsWith('map-'));
  return own.filter(({ liveness }) => liveness === 'dead').reverse();
}

/**
 * The run that is to be gone on with.
 * @param named its stamp; undefined for the latest that can be
 */
export function findLeftRun(
  repo: Repository,
  named: string | undefined,
): Result<LeftRunHere, Failure> {
  const no = (message: string, hint: string) => err({ kind: 'usage' as const, message, hint });
  const list = 'aider-orchestrator runs lists those that there are.';
  if (named === undefined) {
    let latest = '';
    for (const run of endedRuns(repo)) {
      const left = leftOf(run);
      if (typeof left !== 'string') return ok(left);
      latest ||= ` The latest, ${run.stamp}: ${printable(left)}.`;
    }
    return no(`No run here can be gone on with.${latest}`, list);
  }
  const run = readRecords(repo).runs.find((one) => one.stamp === named);
  if (!run || !isHere(run, repo.root)) {
    return no(`There is no run ${printable(named)} of yours in this checkout.`, list);
  }
  if (run.liveness === 'alive') {
    return no(`The run ${named} is still running (process ${run.pid}).`, '');
  }
  if (run.liveness === 'unknown') {
    return no(
      `The run ${named} may be running on ${printable(run.host)} or in a container.`,
      `If it is dead: aider-orchestrator clean --dead ${named}`,
    );
  }
  const left = leftOf(run);
  return typeof left === 'string'
    ? no(`The run ${named} cannot be gone on with: ${printable(left)}.`, list)
    : ok(left);
}

/** What a run that died in the middle is gone on with from; null where it has ended, or cannot be gone on with. */
function cutOff(run: KnownRun): LeftRunHere | null {
  if (!diedEarly(run) || run.stamp.startsWith('map-')) return null;
  const left = leftOf(run);
  return typeof left !== 'string' && left.state.phase !== 'finished' ? left : null;
}

/** The latest run that died in the middle and can be gone on with; null when there is none. */
export function findCutOffRun(repo: Repository): LeftRunHere | null {
  for (const run of endedRuns(repo)) {
    const left = cutOff(run);
    if (left !== null) return left;
  }
  return null;
}

/**
 * A run that died in the middle, and that stays as it is until a person goes on with it or ends it; null for any
 * other one, also for one that was being ended already.
 */
export function waitsForResume(run: KnownRun): LeftRunHere | null {
  const left = cutOff(run);
  return left !== null && left.state.interruptedBy === null ? left : null;
}

/** The ways on with such a run, as lines. */
export function waysOn(stamp: string): string[] {
  return [
    `To go on with it: aider-orchestrator resume ${stamp}`,
    `To end it, and keep what was done: aider-orchestrator stop ${stamp}`,
  ];
}

/**
 * The command that goes on with a run that has ended early; null where it cannot be gone on with.
 * @param repo the `--repo` flag
 */
export function resumeLater(state: RunState, repo?: string): string | null {
  if (state.config.simulated || resumeRefusal(state) !== null) return null;
  const isPlanned = state.agents.length > 0 || state.config.planSource.kind === 'planner';
  const flag = repo === undefined ? '' : ` --repo ${repo}`;
  return isPlanned ? `aider-orchestrator resume ${state.config.stamp}${flag}` : null;
}

/** What a person is told of it: `Run X (Add …) was cut off; last heard of 3m ago, 2 of 4 agents had ended.` */
export function leftWords({ run, state, at }: LeftRunHere, now: number): string {
  const title = printable(state.config.change.split('\n', 1)[0] ?? '').slice(0, 60);
  const done = state.agents.filter(isDone).length;
  const how =
    state.agents.length === 0
      ? 'its plan was being made'
      : `${done} of ${state.agents.length} agents had ended`;
  const ago = formatDuration(Math.max(0, now - at) / 1000);
  return `Run ${run.stamp} (${title}) was cut off; last heard of ${ago} ago, ${how}.`;
}
