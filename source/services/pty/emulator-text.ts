import type { XtermBuffer } from '#xterm';

/** What is read from an emulator's rows, scrollback first. */

/** A question is not longer than this. */
const mostQuestionRows = 8;

export interface Match {
  readonly row: number;
  readonly column: number;
  readonly length: number;
}

/** Where a text stands, upper and lower case alike; lines that were wrapped are searched as one. */
export function searchRows(buffer: XtermBuffer, cols: number, text: string): Match[] {
  const wanted = text.toLowerCase();
  if (wanted === '') return [];
  const found: Match[] = [];
  for (let y = 0; y < buffer.length; ) {
    const first = y;
    let joined = '';
    do {
      joined += buffer.getLine(y)?.translateToString(false) ?? '';
      y += 1;
    } while (y < buffer.length && buffer.getLine(y)?.isWrapped);
    const lower = joined.toLowerCase();
    for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length)) {
      found.push({
        row: first + Math.floor(at / cols),
        column: at % cols,
        length: wanted.length,
      });
    }
  }
  return found;
}

/** Rows that go on from the row above because that was full. */
export function wrappedRows(buffer: XtermBuffer): number[] {
  const rows = Array.from({ length: buffer.length }, (_, y) => y);
  return rows.filter((y) => buffer.getLine(y)?.isWrapped);
}

/**
 * The line up to the cursor, where a question stands while it waits for its answer; then the same
 * with the rows above it that are full to the edge, one more each time. prompt_toolkit breaks a long
 * question itself, so what is one line to it is not one to a terminal.
 */
export function cursorLines(buffer: XtermBuffer, cols: number): string[] {
  let y = buffer.baseY + buffer.cursorY;
  let text = buffer.getLine(y)?.translateToString(false, 0, buffer.cursorX) ?? '';
  const lines = [text];
  for (let rows = 0; y > 0 && rows < mostQuestionRows; y--, rows++) {
    const above = buffer.getLine(y - 1);
    const last = above?.getCell(cols - 1, buffer.getNullCell());
    const full = last !== undefined && (last.getChars() !== '' || last.getWidth() === 0);
    const wrapped = buffer.getLine(y)?.isWrapped === true;
    if (!above || !(full || wrapped)) break;
    text = above.translateToString(false) + text;
    if (wrapped) lines[lines.length - 1] = text;
    else lines.push(text);
  }
  return lines;
}

/** Lines from a row on, with soft wraps joined. */
export function logicalLines(buffer: XtermBuffer, from: number): string[] {
  const lines: string[] = [];
  for (let y = from; y < buffer.length; y++) {
    const line = buffer.getLine(y);
    if (!line) continue;
    const text = line.translateToString(true);
    if (line.isWrapped && lines.length > 0) lines.push(`${lines.pop()}${text}`);
    else lines.push(text);
  }
  return lines;
}
