import path from 'node:path';
import type { RunConfig } from '../../core/run/config.js';
import { programVersion } from '../../services/config/package-files.js';
import { readStart } from '../../services/files/read-part.js';
import { readJournalFile } from '../../services/logs/journal-file.js';
import type { LogPaths } from '../../services/logs/log-paths.js';
import { environment } from '../../services/machine/environment.js';
import { journalFile, type RunRecord } from '../../services/records/run-records.js';
import { mayTellTexts, wantedSignals } from '../../services/telemetry/signals.js';
import type { Observer } from '../../store/run-store.js';

/** What tells a run to those who watch it from elsewhere. */
export interface RunTelemetry {
  readonly observe: Observer;
  /** Sends what waits. */
  close(): Promise<void>;
}

/** Of a text that is sent no more is read, bytes. */
const mostText = 1024 * 1024;

/**
 * Tells a run to OpenTelemetry where the standard variables ask for that.
 * @param goesOn a program before this one has told of it
 * @returns null where nothing is asked for; nothing is loaded then
 */
export async function openTelemetry(
  config: RunConfig,
  paths: LogPaths,
  record: RunRecord,
  goesOn: boolean,
  warn: (text: string) => void,
): Promise<RunTelemetry | null> {
  const env = environment();
  const signals = wantedSignals(env);
  for (const problem of signals.problems) warn(`OpenTelemetry: ${problem}`);
  if (!signals.traces && !signals.metrics && !signals.logs) return null;
  const { Telemetry } = await import('../../services/telemetry/telemetry.js');
  const read = (file: string) => readStart(file, mostText)?.toString() ?? '';
  // Its repository by our own name for it, and not by its place or this machine's name: both may change.
  const repository = path.basename(path.dirname(record.file));
  const make = () =>
    new Telemetry({
      signals,
      env,
      run: config.stamp,
      identity: JSON.stringify([repository, config.stamp, config.base]),
      version: programVersion(),
      texts: mayTellTexts(env)
        ? (agent, attempt) => ({
            told: read(paths.message(agent, attempt)),
            answered: read(paths.replies(agent, attempt)),
          })
        : null,
      warn,
    });
  const telemetry = unlessItThrows(make, warn);
  if (goesOn && telemetry)
    readJournalFile(journalFile(record.file), config.stamp, telemetry.recall);
  return telemetry;
}

/** A setting that the SDK does not take is said, and does not keep the run from starting. */
function unlessItThrows<T>(make: () => T, warn: (text: string) => void): T | null {
  try {
    return make();
  } catch (error) {
    // Whatever the SDK makes of the variables.
    warn(`OpenTelemetry: nothing is sent: ${(error as Error).message}`);
    return null;
  }
}
