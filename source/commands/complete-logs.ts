import { readFileSync } from 'node:fs';
import { describe } from '../core/policy/failure.js';
import { fileFailure } from '../core/policy/work-problem.js';
import { isLink, unless, unreadable, writeWholeSoon } from '../services/files/private-files.js';
import { readStart } from '../services/files/read-part.js';
import { type AgentLine, AgentLogs, linesOf } from '../services/logs/agent-log.js';
import { readJournalFile } from '../services/logs/journal-file.js';
import type { LogPaths } from '../services/logs/log-paths.js';
import type { RunRecord } from '../services/records/run-records.js';

/**
 * Brings what lies in the repository of a run whose program died to where its own journal is: the agents' logs,
 * and the copy of the journal.
 */
export function completeLogs(
  paths: LogPaths,
  { journal, stamp }: RunRecord,
  warn: (text: string) => void,
): void {
  const lines: AgentLine[] = [];
  readJournalFile(journal, stamp, (after, before, message) => {
    lines.push(...linesOf(after, before, message));
  });
  const logs = new AgentLogs(paths, warn);
  logs.complete(lines);
  logs.close();
  try {
    copyJournal(journal, paths);
  } catch (error) {
    warn(describe(fileFailure(error, paths.journal)).message);
  }
}

/** A link that a repository has put in the place of the run's folder is not followed. */
function copyJournal(journal: string, { raw, journal: copy }: LogPaths): void {
  if (isLink(raw)) return;
  const own = unless(unreadable, null, () => readFileSync(journal));
  if (own === null) return;
  const whole = own.subarray(0, own.lastIndexOf('\n') + 1);
  // Whatever lies there, no more of it is read than it should be long.
  const there = readStart(copy, whole.length + 1);
  if (there === null || !whole.equals(there)) writeWholeSoon(copy, whole);
}
