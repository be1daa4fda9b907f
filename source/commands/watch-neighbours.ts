import { faultOfError } from '../core/policy/machine-fault.js';
import type { MessageBody } from '../core/run/message.js';
import type { RunState } from '../core/run/run.js';
import {
  forgetTouched,
  neighboursAtWork,
  writeTouched,
} from '../services/records/touched-files.js';
import { changedFiles } from '../view/agent-facts.js';

/** How often the other runs of the repository are looked at, milliseconds. */
const lookMs = 3000;

/**
 * Tells the other runs of the repository which files this one changes, and this one where they change the same.
 * @param record the run's own record
 * @returns ends it
 */
export function watchNeighbours(
  record: string,
  state: () => RunState | null,
  dispatch: (message: MessageBody) => void,
): () => void {
  const told = new Set<string>();
  let written = '';
  const look = () => {
    const run = state();
    if (run === null || run.phase === 'finished') return;
    const own = [
      ...new Set(run.agents.flatMap((agent) => changedFiles(agent).map(({ path }) => path))),
    ];
    const key = JSON.stringify(own);
    if (key !== written) {
      written = key;
      tell(record, own);
    }
    if (own.length === 0) return;
    for (const { run: other, files } of neighboursAtWork(record)) {
      const shared = own.filter((file) => files.has(file) && !told.has(`${other} ${file}`));
      for (const file of shared) told.add(`${other} ${file}`);
      if (shared.length > 0) dispatch({ type: 'files_shared', run: other, files: shared });
    }
  };
  const timer = setInterval(look, lookMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    forgetTouched(record);
  };
}

/** It only helps the others: without a disk they are told by git when it comes to landing. */
function tell(record: string, files: readonly string[]): void {
  try {
    writeTouched(record, files);
  } catch (error) {
    if (faultOfError(error) === null) throw error;
  }
}
