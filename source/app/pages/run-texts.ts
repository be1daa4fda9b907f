import type { RunState } from '../../core/run/run.js';
import { eventText } from '../../core/text/event-words.js';
import { proseLines } from '../text/diff-lines.js';

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toTimeString().slice(0, 8);
}

/** An agent's log, to be read. */
export function eventLines(log: readonly string[], width: number): string[] {
  if (log.length === 0) return ['Nothing has happened yet.'];
  return log.flatMap((line) => proseLines(eventText(line, timeOf), width));
}

/** Everything that a run has warned of, and the provider's limit while it is felt. */
export function warningLines({ warnings, rate }: RunState, width: number): string[] {
  const limit =
    rate === null
      ? []
      : [
          `Now: ${rate.window} ${rate.window === 1 ? 'request' : 'requests'} at once, ${rate.waiting} waiting.`,
        ];
  const all = [...warnings, ...limit];
  if (all.length === 0) return ['There is no warning.'];
  return all.flatMap((warning) =>
    proseLines(warning, Math.max(4, width - 2)).map(
      (line, row) => `${row === 0 ? '!' : ' '} ${line}`,
    ),
  );
}
