import { parseJson } from '../../core/text/parse-json.js';
import { readEnd, readStart } from '../files/read-part.js';

/** Of a long recording only the end is read, bytes: more than any screen's scrollback shows. */
const mostTail = 2 * 1024 * 1024;

/** Its first line is no longer, bytes. */
const mostHead = 64 * 1024;

/**
 * The output at the end of a recording, as the terminal got it; '' where there is none. A recording lies in the
 * repository, and whoever wrote it: what is no event of the form is passed over.
 * @param attempt only what came since this attempt began; null for all that is read
 */
export function recordedOutput(file: string, attempt: number | null = null): string {
  let output: string[] = [];
  let isIn = attempt === null;
  for (const line of tailOf(file).split('\n')) {
    const event = parseJson(line);
    if (!Array.isArray(event)) continue;
    const [, code, data] = event as unknown[];
    if (typeof data !== 'string') continue;
    if (code === 'o' && isIn) output.push(data);
    if (code === 'm' && attempt !== null) {
      isIn = data === attemptMark(attempt);
      if (isIn) output = [];
    }
  }
  return output.join('');
}

/** The marker with which an attempt begins. */
export function attemptMark(attempt: number): string {
  return `attempt ${attempt}`;
}

/** When a recording began, epoch milliseconds; null where there is none. */
export function recordedSince(file: string): number | null {
  const start = readStart(file, mostHead)?.toString('utf8') ?? '';
  const head = parseJson(start.split('\n', 1)[0] ?? '');
  if (typeof head !== 'object' || head === null || !('timestamp' in head)) return null;
  const { timestamp } = head;
  return typeof timestamp === 'number' && Number.isFinite(timestamp) ? timestamp * 1000 : null;
}

/** Its end, from the beginning of a line. */
function tailOf(file: string): string {
  const text = readEnd(file, mostTail)?.toString('utf8') ?? '';
  return text.slice(text.indexOf('\n') + 1);
}
