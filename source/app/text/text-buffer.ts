import { printable } from '../../core/text/printable.js';
import { displayWidth, graphemes } from './graphemes.js';

/**
 * The text of a field of several lines, and where its cursor stands. Pure; the cursor never stands
 * within what a person sees as one character.
 */
export interface TextBuffer {
  readonly text: string;
  /** Offset in the string, in UTF-16 units. */
  readonly cursor: number;
  /** Column that up and down try to keep; null after any other move. */
  readonly column: number | null;
}

export function textBuffer(text = ''): TextBuffer {
  return { text, cursor: text.length, column: null };
}

function at(text: string, cursor: number): TextBuffer {
  return { text, cursor, column: null };
}

export function insert({ text, cursor }: TextBuffer, more: string): TextBuffer {
  const clean = more.replace(/\r\n?/g, '\n').replace(/\p{Surrogate}/gu, '');
  return at(text.slice(0, cursor) + clean + text.slice(cursor), cursor + clean.length);
}

/** Start of the character that ends at the cursor. */
function before(text: string, cursor: number): number {
  if (cursor <= 0) return 0;
  // A line is enough to look at: no character reaches over a line end.
  const from = text.lastIndexOf('\n', cursor - 1);
  if (from === cursor - 1) return cursor - 1;
  const pieces = graphemes(text.slice(from + 1, cursor));
  return cursor - (pieces.at(-1)?.length ?? 1);
}

function after(text: string, cursor: number): number {
  if (cursor >= text.length) return text.length;
  if (text[cursor] === '\n') return cursor + 1;
  const end = text.indexOf('\n', cursor);
  const pieces = graphemes(text.slice(cursor, end < 0 ? text.length : end));
  return cursor + (pieces[0]?.length ?? 1);
}

export function backspace({ text, cursor }: TextBuffer): TextBuffer {
  const start = before(text, cursor);
  return at(text.slice(0, start) + text.slice(cursor), start);
}

export function deleteForward({ text, cursor }: TextBuffer): TextBuffer {
  return at(text.slice(0, cursor) + text.slice(after(text, cursor)), cursor);
}

export function left({ text, cursor }: TextBuffer): TextBuffer {
  return at(text, before(text, cursor));
}

export function right({ text, cursor }: TextBuffer): TextBuffer {
  return at(text, after(text, cursor));
}

export function lineStart({ text, cursor }: TextBuffer): TextBuffer {
  return at(text, text.lastIndexOf('\n', cursor - 1) + 1);
}

export function lineEnd({ text, cursor }: TextBuffer): TextBuffer {
  const end = text.indexOf('\n', cursor);
  return at(text, end < 0 ? text.length : end);
}

export function wordLeft({ text, cursor }: TextBuffer): TextBuffer {
  const word = /\S+\s*$/u.exec(text.slice(0, cursor));
  return at(text, word ? word.index : 0);
}

export function wordRight({ text, cursor }: TextBuffer): TextBuffer {
  const word = /^\s*\S+/u.exec(text.slice(cursor));
  return at(text, word ? cursor + word[0].length : text.length);
}

export function deleteWord(buffer: TextBuffer): TextBuffer {
  const start = wordLeft(buffer).cursor;
  return at(buffer.text.slice(0, start) + buffer.text.slice(buffer.cursor), start);
}

export function deleteToLineStart(buffer: TextBuffer): TextBuffer {
  const start = lineStart(buffer).cursor;
  return at(buffer.text.slice(0, start) + buffer.text.slice(buffer.cursor), start);
}

export function deleteWordForward(buffer: TextBuffer): TextBuffer {
  const end = wordRight(buffer).cursor;
  return at(buffer.text.slice(0, buffer.cursor) + buffer.text.slice(end), buffer.cursor);
}

/** A row as it is drawn: from `start` to `end` of the text. */
export interface TextRow {
  readonly start: number;
  readonly end: number;
  /** What is drawn: as many columns as fit; control bytes as pictures. */
  readonly shown: string;
}

/** Rows of one logical line, wrapped at the last blank that fits. */
function wrapLine(line: string, width: number): { start: number; end: number }[] {
  if (displayWidth(printable(line)) <= width) return [{ start: 0, end: line.length }];
  const rows: { start: number; end: number }[] = [];
  let start = 0;
  let used = 0;
  let offset = 0;
  let blank = -1;
  for (const piece of graphemes(line)) {
    const columns = displayWidth(printable(piece));
    // Behind a blank there may still be too much: then it is broken right here, too.
    while (used + columns > width && offset > start) {
      const end = blank > start ? blank : offset;
      rows.push({ start, end });
      start = end;
      used = displayWidth(printable(line.slice(start, offset)));
      blank = -1;
    }
    offset += piece.length;
    used += columns;
    if (piece === ' ') blank = offset;
  }
  rows.push({ start, end: line.length });
  return rows;
}

/** Wrapped lines of the last text, so that a key in a long text costs one line. */
const wrapped = new Map<string, { start: number; end: number }[]>();
const mostWrapped = 2000;

/** The text as rows of at most `width` columns. */
export function layoutRows(text: string, width: number): TextRow[] {
  const rows: TextRow[] = [];
  let offset = 0;
  if (wrapped.size > mostWrapped) wrapped.clear();
  for (const line of text.split('\n')) {
    const key = `${width} ${line}`;
    let parts = wrapped.get(key);
    if (!parts) {
      parts = wrapLine(line, width);
      wrapped.set(key, parts);
    }
    for (const { start, end } of parts) {
      const shown = printable(line.slice(start, end));
      rows.push({ start: offset + start, end: offset + end, shown });
    }
    offset += line.length + 1;
  }
  return rows;
}

/** The row of the cursor and its column in it. */
export function cursorPlace(
  { cursor, text }: TextBuffer,
  rows: readonly TextRow[],
): { readonly row: number; readonly column: number } {
  let row = 0;
  for (const [index, { start }] of rows.entries()) if (start <= cursor) row = index;
  const start = rows[row]?.start ?? 0;
  return { row, column: displayWidth(printable(text.slice(start, cursor))) };
}

/** Rows up or down, as they are drawn at a width, as far as there are some; null when there is none. */
export function vertical(buffer: TextBuffer, width: number, step: number): TextBuffer | null {
  const rows = layoutRows(buffer.text, width);
  const place = cursorPlace(buffer, rows);
  const row = Math.max(0, Math.min(rows.length - 1, place.row + step));
  const target = rows[row];
  if (!target || row === place.row) return null;
  const column = buffer.column ?? place.column;
  let cursor = target.start;
  let used = 0;
  for (const piece of graphemes(buffer.text.slice(target.start, target.end))) {
    const columns = displayWidth(printable(piece));
    if (used + columns > column) break;
    used += columns;
    cursor += piece.length;
  }
  return { text: buffer.text, cursor, column };
}
