import type { Failure } from '../core/policy/failure.js';
import { fileFailure } from '../core/policy/work-problem.js';
import { err, ok, type Result } from '../core/result.js';
import { resumeRefusal } from '../core/run/resume.js';
import { makePrivateFolder } from '../services/files/private-files.js';
import type { Repository } from '../services/git/repository.js';
import { ensureLogs, type LogPaths, logPaths, outputProblem } from '../services/logs/log-paths.js';
import { untilQuiet } from '../services/machine/processes-below.js';
import { adoptRun, type RunRecord, reopenRecord } from '../services/records/run-records.js';
import type { Overrides } from './aider-command.js';
import { completeLogs } from './complete-logs.js';
import type { LiveRunOptions } from './compose/live-run-options.js';
import { findLeftRun, type LeftRunHere } from './find-left-run.js';
import type { OpenedRun } from './open-run.js';
import { closeBooks, here, leadBack, patienceMs, removeDone, removeIdle } from './recover.js';

/** A run that is ours to go on with: nobody else does. */
export interface AdoptedRun extends LeftRunHere {
  readonly record: RunRecord;
  readonly paths: LogPaths;
}

/** What a run that is gone on with is opened from. */
export type ResumedParts = Pick<LiveRunOptions, 'config' | 'run' | 'paths' | 'record' | 'from'>;

/**
 * Makes a run ours and all ready that it needs. Where something is missing, it stays as it is for another try.
 * @param unattended nobody watches it
 */
export async function openLeftRun(
  left: LeftRunHere,
  opened: OpenedRun,
  geminiKey: string | null,
  unattended: boolean,
  overrides: Overrides,
  say: (text: string) => void,
): Promise<Result<ResumedParts, Failure>> {
  const { repo } = opened;
  const adopted = await adopt(left, repo, say);
  if (!adopted.ok) return adopted;
  const { record, paths, state, at } = adopted.value;
  const { prepareResumed } = await import('./compose/resumed-run.js');
  const run = await prepareResumed(state, opened, geminiKey, overrides);
  if (!run.ok) {
    record.letGo();
    return run;
  }
  try {
    record.resumed();
  } catch (error) {
    record.letGo();
    run.value.launcher.close();
    run.value.knowledge.stop();
    await run.value.knowledge.settled();
    return err(fileFailure(error, record.worktrees));
  }
  const from = { state, at, unattended };
  return ok({ config: state.config, run: run.value, paths, record, from });
}

async function adopt(
  given: LeftRunHere,
  repo: Repository,
  say: (text: string) => void,
): Promise<Result<AdoptedRun, Failure>> {
  const no = (message: string): Result<never, Failure> => err({ kind: 'usage', message });
  const { stamp } = given.run;
  const record = adoptRun(given.run);
  if (record === null) return no(`Another program is at the run ${stamp}.`);
  const refuse = (failure: Failure): Result<never, Failure> => {
    record.letGo();
    return err(failure);
  };
  const problem = outputProblem(repo.root);
  if (problem !== null) return refuse(problem);
  // What its program had started may outlive it by a moment.
  await untilQuiet(given.run.worktrees, patienceMs);
  // Only now nobody else writes what is read.
  const found = findLeftRun(repo, stamp);
  if (!found.ok) return refuse(found.failure);
  const { state: left } = found.value;
  const isBeingEnded = left.phase !== 'finished' && resumeRefusal(left) !== null;
  if (isBeingEnded) await closeBooks(repo, found.value.run, record, say);
  const again = isBeingEnded ? findLeftRun(repo, stamp) : found;
  if (!again.ok) return refuse(again.failure);
  const own = isBeingEnded ? reopenRecord(again.value.run) : record;
  leadBack(repo, again.value.run);
  await removeIdle(repo, again.value.run);
  const state = here(again.value.state, repo, again.value.run);
  if (state === null) {
    own.letGo();
    return no(`The journal of the run ${stamp} tells of worktrees that are not the run's.`);
  }
  await removeDone(repo, again.value.run, state, say);
  const paths = logPaths(repo.root, stamp);
  try {
    ensureLogs(repo.root);
    makePrivateFolder(paths.raw);
    completeLogs(paths, own, say);
  } catch (error) {
    own.letGo();
    return err(fileFailure(error, paths.raw));
  }
  return ok({ ...again.value, state, record: own, paths });
}
