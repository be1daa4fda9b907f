import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { deflateRaw, inflateRawSync } from 'node:zlib';
import type { XtermTerminal } from '#xterm';
import { printRows } from './emulator-rows.js';

/** A screen is packed in pieces that take about as long, milliseconds, so that keys come between them. */
const packMs = 4;

const compress = promisify(deflateRaw);

/**
 * All that a terminal shows and was asked for, as output that leads to it in an empty one of that size.
 * @param last so many of the last rows
 */
export function* printScreen(
  terminal: XtermTerminal,
  last = Number.POSITIVE_INFINITY,
): Generator<string> {
  yield* printRows(terminal, terminal.cols, last);
  const { bracketedPaste, applicationCursor, cursorHidden } = terminal.modes;
  if (bracketedPaste) yield '\x1b[?2004h';
  if (applicationCursor) yield '\x1b[?1h';
  if (cursorHidden) yield '\x1b[?25l';
}

/**
 * That output, compressed.
 * @param unchanged whether the terminal still shows what it did
 * @returns null where it changed meanwhile
 */
export async function packScreen(
  terminal: XtermTerminal,
  unchanged: () => boolean,
): Promise<Buffer | null> {
  let text = '';
  let until = performance.now() + packMs;
  for (const piece of printScreen(terminal)) {
    text += piece;
    if (performance.now() < until) continue;
    await setImmediate();
    if (!unchanged()) return null;
    until = performance.now() + packMs;
  }
  const bytes = await compress(text, { level: 1 });
  return unchanged() ? bytes : null;
}

export function unpackScreen(bytes: Buffer): Buffer {
  return inflateRawSync(bytes);
}
