import type { XtermLine } from '#xterm';
import { styleOf, withoutMarks } from './emulator-rows.js';

/**
 * A row of a terminal for others to draw: who gets it needs no emulator. Pieces of one style each, from the
 * first column on, as `[SGR parameters, text]` where each letter takes one column, or as `[SGR parameters,
 * letters, columns]` for a single cell of which that is not so. Blank cells at the end are left out.
 */
export type PictureRow = readonly PicturePiece[];
export type PicturePiece =
  | readonly [style: string, text: string]
  | readonly [style: string, text: string, columns: number];

/** A row of an emulator as `drawRow` would draw it, whatever part of it. */
export function pictureRow(line: XtermLine | undefined): PictureRow {
  const cell = line?.getCell(0);
  if (!line || !cell) return [];
  const pieces: PicturePiece[] = [];
  let style = '';
  let text = '';
  let fg: number | undefined;
  let bg: number | undefined;
  const put = () => {
    if (text !== '') pieces.push([style, text]);
    text = '';
  };
  for (let x = 0; x < line.length && line.getCell(x, cell); ) {
    if (cell.fg !== fg || cell.bg !== bg) {
      const own = styleOf(cell, true);
      if (own !== style) put();
      style = own;
      fg = cell.fg;
      bg = cell.bg;
    }
    const width = cell.getWidth();
    const chars = width === 0 ? '' : cell.getChars();
    const shown = chars === '' || cell.isInvisible() ? '' : withoutMarks(chars);
    if (width <= 1 && shown.length <= 1) text += shown === '' ? ' ' : shown;
    else {
      put();
      pieces.push([style, shown, width]);
    }
    x += Math.max(1, width);
  }
  if (style === '') {
    let end = text.length;
    while (end > 0 && text[end - 1] === ' ') end -= 1;
    text = text.slice(0, end);
  }
  put();
  return pieces;
}

/**
 * Columns `from` to `to` of such a row, exactly as `drawRow` draws them of the emulator's own.
 * @param column where on the terminal it is drawn, from 1; null sets no columns
 * @param colour false leaves the colours out
 */
export function drawPictureRow(
  row: PictureRow,
  from: number,
  to: number,
  column: number | null,
  colour: boolean,
): string {
  let out = '';
  let style = '';
  let at = 0;
  let x = from;
  const wear = (own: string) => {
    if (own !== style) out += own === '' ? '\x1b[0m' : `\x1b[0;${own}m`;
    style = own;
  };
  for (const [full, text, columns] of row) {
    if (x >= to) break;
    const width = columns ?? text.length;
    const end = at + width;
    if (end <= x) {
      at = end;
      continue;
    }
    wear(colour ? full : withoutColour(full));
    if (columns === undefined) {
      const last = Math.min(end, to);
      out += text.slice(x - at, last - at);
      x = last;
    } else if (at < x) {
      // A half of a wide character cannot be drawn.
      out += ' '.repeat(Math.min(end, to) - x);
      x = Math.min(end, to);
    } else {
      const fits = end <= to && text !== '';
      out += fits ? text : ' '.repeat(Math.max(1, Math.min(width, to - x)));
      x = end;
      if (column !== null && (width > 1 || (fits && text.length > 1))) {
        out += `\x1b[${column + x - from}G`;
      }
    }
    at = end;
  }
  if (x < to) {
    wear('');
    out += ' '.repeat(to - x);
  }
  return style === '' ? out : `${out}\x1b[0m`;
}

const plainStyles = new Map<string, string>();

/** SGR parameters without those of colours. */
function withoutColour(style: string): string {
  if (style === '') return '';
  const known = plainStyles.get(style);
  if (known !== undefined) return known;
  const codes = style.split(';');
  const kept: string[] = [];
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] as string;
    if (code === '38' || code === '48') at += codes[at + 1] === '2' ? 4 : 2;
    else if (code.length === 1) kept.push(code);
  }
  const plain = kept.join(';');
  // Agents may use millions of colours.
  if (plainStyles.size > 1000) plainStyles.clear();
  plainStyles.set(style, plain);
  return plain;
}
