import type { Repository } from '../services/git/repository.js';
import { diedEarly, readRecords } from '../services/records/run-records.js';
import type { Arguments } from './arguments.js';
import type { LeftRunHere } from './find-left-run.js';
import type { OpenedRun } from './open-run.js';
import { askYesNo } from './stdio.js';

/** What a bare start on a terminal offers, where there is a run already. */

/** Who says what is to be done has something else in mind than a run that there is. */
function saysWhat({ flags }: Arguments): boolean {
  return [flags.change, flags.plan, flags.prd].some((given) => given !== undefined);
}

/** A run of this checkout that lives, by its stamp, where the person wants to see it. */
export async function offeredLiving(
  args: Arguments,
  { repo }: OpenedRun,
  say: (text: string) => void,
): Promise<string | null> {
  if (saysWhat(args)) return null;
  const run = readRecords(repo).runs.findLast(
    ({ liveness, root, stamp }) =>
      liveness === 'alive' && root === repo.root && !stamp.startsWith('map-'),
  );
  if (!run) return null;
  const { runLine, stateNow } = await import('./run-lines.js');
  // One that is still being typed, or that cannot be reached, is nothing to be shown.
  if ((await stateNow(run)) === null) return null;
  say(await runLine(run, process.stdout.columns ?? 100));
  return (await askYesNo('Show this run?', true)) ? run.stamp : null;
}

/** Closes the books of runs that died and cannot be gone on with; those that can are told of, and stay. */
export async function closeOthers(repo: Repository, say: (text: string) => void): Promise<void> {
  const { recoverRuns } = await import('./recover.js');
  const waiting = await recoverRuns(repo, say);
  if (waiting.length === 0) return;
  const { leftWords, waysOn } = await import('./find-left-run.js');
  for (const left of waiting) {
    say(leftWords(left, Date.now()));
    for (const way of waysOn(left.run.stamp)) say(`  ${way}`);
  }
}

/** A run that was cut off, where the person wants to go on with it; one that they do not want to is ended. */
export async function offered(
  args: Arguments,
  { repo }: OpenedRun,
  say: (text: string) => void,
): Promise<LeftRunHere | null> {
  const { runs, problems } = readRecords(repo);
  if (!runs.some(diedEarly) && problems.length === 0) return null;
  if (!saysWhat(args)) {
    const { findCutOffRun, leftWords } = await import('./find-left-run.js');
    const left = findCutOffRun(repo);
    if (left !== null) {
      say(leftWords(left, Date.now()));
      if (await askYesNo('Go on with it?', true)) return left;
      const { endDeadRun } = await import('./recover.js');
      await endDeadRun(repo, left.run, say);
    }
  }
  await closeOthers(repo, say);
  return null;
}
