import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { parseJson, unless, unreadable } from '../files/private-files.js';

/** Of a long recording only the end is read, bytes: more than any screen's scrollback shows. */
const mostTail = 2 * 1024 * 1024;

/** No link is followed, and nothing is waited for, as of a named pipe. */
const asItIs = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

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
  const head = parseJson(bytesOf(file, 0, mostHead).split('\n', 1)[0] ?? '');
  if (typeof head !== 'object' || head === null || !('timestamp' in head)) return null;
  const { timestamp } = head;
  return typeof timestamp === 'number' && Number.isFinite(timestamp) ? timestamp * 1000 : null;
}

/** Its end, from the beginning of a line. */
function tailOf(file: string): string {
  const text = bytesOf(file, -mostTail, mostTail);
  return text.slice(text.indexOf('\n') + 1);
}

/** @param from counted from the end where it is negative */
function bytesOf(file: string, from: number, most: number): string {
  const fd = unless(unreadable, null, () => openSync(file, asItIs));
  if (fd === null) return '';
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return '';
    const start = from < 0 ? Math.max(0, stats.size + from) : from;
    const bytes = Buffer.alloc(Math.min(most, stats.size - start));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start)).toString('utf8');
  } finally {
    closeSync(fd);
  }
}
