import type { XtermCell, XtermLine, XtermTerminal } from '#xterm';

/** Rows of an emulator as text: for panes, to be printed again, and for what is to be read from them. */

/** A piece of a row in one colour. */
export interface Run {
  readonly text: string;
  /** 0xRRGGBB, or a colour of the palette as `palette N`; null for the default colour. */
  readonly colour: number | `palette ${number}` | null;
}

function colourOf(cell: XtermCell): Run['colour'] {
  if (cell.isFgRGB()) return cell.getFgColor();
  return cell.isFgPalette() ? `palette ${cell.getFgColor()}` : null;
}

/** Marks that turn the direction of writing: they could fake what stands beside the pane. */
const directionMarks = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Columns `from` to `to` of a row with their colours, exactly that wide, beginning and ending in plain
 * style. After characters whose width terminals disagree about, the column is set anew.
 * @param column where on the terminal it is drawn, from 1; null sets no columns
 * @param colour false leaves the colours out
 */
export function drawRow(
  line: XtermLine | undefined,
  from: number,
  to: number,
  column: number | null,
  colour: boolean,
): string {
  const cell = line?.getCell(0);
  if (!line || !cell) return ' '.repeat(Math.max(0, to - from));
  let out = '';
  let style = '';
  let fg: number | undefined;
  let bg: number | undefined;
  let x = from;
  while (x < to) {
    const there = x < line.length && line.getCell(x, cell) !== undefined;
    if (!there || cell.fg !== fg || cell.bg !== bg) {
      const own = there ? styleOf(cell, colour) : '';
      if (own !== style) out += own === '' ? '\x1b[0m' : `\x1b[0;${own}m`;
      style = own;
      fg = there ? cell.fg : undefined;
      bg = there ? cell.bg : undefined;
    }
    const width = there ? cell.getWidth() : 1;
    // A half of a wide character cannot be drawn.
    const chars = width === 0 || x + width > to || !there ? '' : cell.getChars();
    const text = chars === '' || cell.isInvisible() ? '' : withoutMarks(chars);
    out += text === '' ? ' '.repeat(Math.max(1, Math.min(width, to - x))) : text;
    x += Math.max(1, width);
    if (column !== null && (width > 1 || text.length > 1)) out += `\x1b[${column + x - from}G`;
  }
  return style === '' ? out : `${out}\x1b[0m`;
}

/**
 * All rows and the place of the cursor, as output that leads to them in an empty terminal of that size: row
 * by row, as there may be thousands.
 * @param last so many of the last rows, at least those of the screen
 */
export function* printRows(terminal: XtermTerminal, cols: number, last: number): Generator<string> {
  const { buffer } = terminal;
  const first = Math.min(Math.max(0, buffer.length - last), buffer.baseY);
  for (let y = first; y < buffer.length; y++) {
    const line = buffer.getLine(y);
    const wraps = buffer.getLine(y + 1)?.isWrapped === true;
    const end = wraps ? cols : shownCells(terminal, y);
    // A row that began with a wrap was filled with the colours it begins with.
    const rest = end < cols ? '\x1b[K' : '';
    yield drawRow(line, 0, end, null, true) +
      rest +
      (wraps || y === buffer.length - 1 ? '' : '\r\n');
  }
  const { cursorX, cursorY } = buffer;
  yield `\x1b[${cursorY + 1};${cursorX + 1}H`;
}

/** A row as pieces of one colour each; blank ones are left out. */
export function runsOf(terminal: XtermTerminal, y: number): Run[] {
  const runs: Run[] = [];
  const line = terminal.buffer.getLine(y);
  const end = shownCells(terminal, y);
  const cell = line?.getCell(0);
  if (!line || !cell || end === 0) return runs;
  let colour: Run['colour'] = null;
  let start = 0;
  let fg: number | undefined;
  const put = (to: number) => {
    const text = line.translateToString(false, start, to);
    if (text.trim() !== '') runs.push({ text, colour });
    start = to;
  };
  for (let x = 0; x < end && line.getCell(x, cell); x++) {
    if (fg !== undefined && cell.fg === fg) continue;
    // A blank has no colour.
    if ((cell.getChars() || ' ') === ' ') continue;
    fg = cell.fg;
    const own = colourOf(cell);
    if (own === colour) continue;
    put(x);
    colour = own;
  }
  put(end);
  return runs;
}

/** Cells up to the last one that shows something. */
function shownCells(terminal: XtermTerminal, y: number): number {
  const line = terminal.buffer.getLine(y);
  const used = terminal.usedCells(y);
  // The second half of a wide character, and blanks in reverse, as one where a wide character did not fit.
  let cell: XtermCell | undefined;
  for (let last = (line?.length ?? 0) - 1; last >= used; last--) {
    cell = line?.getCell(last, cell);
    if (cell && (cell.getWidth() === 0 || !cell.isAttributeDefault())) return last + 1;
  }
  return used;
}

/** The text of a cell without marks that turn the direction of writing. */
export function withoutMarks(chars: string): string {
  return chars < '\u200e' ? chars : chars.replace(directionMarks, '');
}

/** The SGR parameters of a cell; '' for plain. */
export function styleOf(cell: XtermCell, colour: boolean): string {
  if (cell.isAttributeDefault()) return '';
  const codes: string[] = [];
  if (cell.isBold()) codes.push('1');
  if (cell.isDim()) codes.push('2');
  if (cell.isItalic()) codes.push('3');
  if (cell.isUnderline()) codes.push('4');
  if (cell.isInverse()) codes.push('7');
  if (cell.isStrikethrough()) codes.push('9');
  if (colour) {
    const fg = colourCode(cell.isFgRGB(), cell.isFgPalette(), cell.getFgColor(), 30);
    const bg = colourCode(cell.isBgRGB(), cell.isBgPalette(), cell.getBgColor(), 40);
    if (fg !== '') codes.push(fg);
    if (bg !== '') codes.push(bg);
  }
  return codes.join(';');
}

/** @param base 30 for the foreground, 40 for the background (ECMA-48 SGR) */
function colourCode(rgb: boolean, palette: boolean, value: number, base: number): string {
  if (rgb) return `${base + 8};2;${value >> 16};${(value >> 8) & 255};${value & 255}`;
  if (!palette) return '';
  if (value < 8) return String(base + value);
  if (value < 16) return String(base + 60 + value - 8);
  return `${base + 8};5;${value}`;
}
