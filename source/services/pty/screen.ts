import { deflateRawSync, inflateRawSync } from 'node:zlib';
import unicode11 from '@xterm/addon-unicode11';
import xterm from '@xterm/headless';
import { type Parser, parseQueue } from './parse-queue.js';
import type { PtyProcess } from './pty-process.js';

/** Rows that are kept above the screen. */
export const scrollback = 5000;

/** Bytes waiting for the emulator at which a process is paused, and at which it goes on. */
const pauseAt = 64 * 1024;
const resumeAt = 24 * 1024;

/**
 * The emulator's way to parse at once, which its types hide: `write` parses in a timer of its own, up to
 * 12 ms for each terminal, and so would hold up keys while many agents print.
 */
interface Core {
  writeSync?(bytes: Uint8Array): void;
}

/** What a cell keeps its style in, which its type hides; where it does not, styles are read each time. */
interface StyleWords {
  readonly fg?: number;
  readonly bg?: number;
}

/** A question is not longer than this. */
const mostQuestionRows = 8;

/** A piece of a row in one colour. */
export interface Run {
  readonly text: string;
  /** 0xRRGGBB, or a colour of the palette as `palette N`; null for the default colour. */
  readonly colour: number | `palette ${number}` | null;
}

function colourOf(cell: xterm.IBufferCell): Run['colour'] {
  if (cell.isFgRGB()) return cell.getFgColor();
  return cell.isFgPalette() ? `palette ${cell.getFgColor()}` : null;
}

/** Marks that turn the direction of writing: they could fake what stands beside the pane. */
const directionMarks = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A row of the screen that stays the same line while others scroll off. */
export interface Anchor {
  /** Where the line is now; null when it has scrolled off. */
  readonly line: () => number | null;
  dispose(): void;
}

export interface Match {
  readonly row: number;
  readonly column: number;
  readonly length: number;
}

/**
 * The screen of one agent: a terminal emulator with scrollback, fed from a process or any stream of
 * bytes. Questions and failure texts are read from it, and panes draw it.
 */
export class Screen implements Parser {
  /** Null while it is packed. */
  private live: xterm.Terminal | null = null;
  /** What is to be printed to have all again; null while it is not packed. */
  private packed: { readonly bytes: Buffer; readonly cols: number; readonly rows: number } | null =
    null;
  /** What points at rows, and would lose them. */
  private pointers = 0;
  private size: { readonly cols: number; readonly rows: number };
  private readonly listeners = new Set<() => void>();
  private queue: Buffer[] = [];
  /** Bytes that were given and are not drawn yet. */
  pending = 0;
  private readonly drawnListeners = new Set<() => void>();
  private settlers: (() => void)[] = [];
  private disposed = false;
  private cursorShown = true;
  /** Goes up with all that changes what is seen. */
  version = 0;

  /**
   * @param kept rows above the screen
   * @param onUnpack told when it takes its memory again, as somebody has looked at it
   */
  constructor(
    cols: number,
    rows: number,
    private readonly kept = scrollback,
    private readonly onUnpack: () => void = () => {},
  ) {
    this.size = { cols, rows };
    this.live = this.open(cols, rows);
  }

  private open(cols: number, rows: number): xterm.Terminal {
    const options = {
      cols,
      rows,
      scrollback: this.kept,
      allowProposedApi: true,
      logLevel: 'off',
    } as const;
    const terminal = new xterm.Terminal(options);
    terminal.loadAddon(new unicode11.Unicode11Addon());
    terminal.unicode.activeVersion = '11';
    this.watchCursor(terminal);
    this.keepLetters(terminal);
    return terminal;
  }

  private get terminal(): xterm.Terminal {
    return this.live ?? this.unpack();
  }

  /** What its emulator takes, about: 12 bytes a cell. */
  get bytes(): number {
    return this.live ? this.live.buffer.active.length * this.size.cols * 12 : 0;
  }

  /**
   * Gives back its memory, some megabytes, until somebody looks at it again: what it shows is kept as the
   * text that prints it, compressed. Not while it is printed to, or while a row is held.
   */
  pack(): void {
    const { live, disposed } = this;
    if (!live || disposed || this.pending > 0 || this.pointers > 0) return;
    if (live.buffer.active.type !== 'normal') return;
    this.packed = {
      bytes: deflateRawSync(this.printed(live.buffer.active), { level: 1 }),
      ...this.size,
    };
    live.dispose();
    this.live = null;
  }

  /**
   * The emulator has failed over what an agent printed, and would take no more. That must not be the end of
   * the program, nor of the agent's screen: another one goes on with the same rows.
   */
  private recover(): void {
    const { live } = this;
    const { cols, rows } = this.size;
    const shown = live?.buffer.active.type === 'normal' ? this.printed(live.buffer.active) : '';
    live?.dispose();
    this.live = this.open(cols, rows);
    coreOf(this.live).writeSync?.(Buffer.from(shown));
  }

  /** All rows and the cursor, as output that leads to them. */
  private printed(buffer: xterm.IBuffer): string {
    const out: string[] = [];
    for (let y = 0; y < buffer.length; y++) {
      const wraps = buffer.getLine(y + 1)?.isWrapped === true;
      const end = wraps ? this.size.cols : usedCells(buffer.getLine(y));
      out.push(this.row(y, 0, end, null, true));
      // A row that began with a wrap was filled with the colours it begins with.
      if (end < this.size.cols) out.push('\x1b[K');
      if (!wraps && y < buffer.length - 1) out.push('\r\n');
    }
    const { cursorX, cursorY } = buffer;
    return `${out.join('')}\x1b[${cursorY + 1};${cursorX + 1}H${this.cursorShown ? '' : '\x1b[?25l'}`;
  }

  private unpack(): xterm.Terminal {
    const { packed } = this;
    const { cols, rows } = this.size;
    const live = this.open(packed?.cols ?? cols, packed?.rows ?? rows);
    this.live = live;
    this.packed = null;
    if (packed && !this.disposed) {
      const core = coreOf(live);
      const bytes = inflateRawSync(packed.bytes);
      if (core.writeSync) core.writeSync(bytes);
      else live.write(bytes, () => this.changed());
      if (packed.cols !== cols || packed.rows !== rows) live.resize(cols, rows);
      this.onUnpack();
    }
    return live;
  }

  /**
   * Agents print UTF-8. A model could have its terminal show line-drawing signs for letters (ESC ) 0,
   * then SO), and so hide what Aider says; no set but the plain one is taken.
   */
  private keepLetters(terminal: xterm.Terminal): void {
    for (const intermediates of ['(', ')', '*', '+']) {
      terminal.parser.registerEscHandler({ intermediates, final: '0' }, () => true);
    }
  }

  /** Whether the cursor is shown is no part of the emulator's interface, so DECTCEM is watched. */
  private watchCursor({ parser }: xterm.Terminal): void {
    const set = (shown: boolean) => (params: (number | number[])[]) => {
      if (params.includes(25)) this.cursorShown = shown;
      return false;
    };
    parser.registerCsiHandler({ prefix: '?', final: 'h' }, set(true));
    parser.registerCsiHandler({ prefix: '?', final: 'l' }, set(false));
  }

  get cols(): number {
    return this.size.cols;
  }

  get rows(): number {
    return this.size.rows;
  }

  /** Rows there are, scrollback included. */
  get length(): number {
    return this.terminal.buffer.active.length;
  }

  /** What the program asked of its terminal, which decides how keys are sent to it. */
  get modes(): { readonly bracketedPaste: boolean; readonly applicationCursor: boolean } {
    const { bracketedPasteMode, applicationCursorKeysMode } = this.terminal.modes;
    return { bracketedPaste: bracketedPasteMode, applicationCursor: applicationCursorKeysMode };
  }

  /** Told after each change. @returns ends it */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private changed(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }

  /** Where the cursor stands, rows counted with the scrollback. */
  cursor(): { readonly row: number; readonly column: number; readonly shown: boolean } {
    const { baseY, cursorX, cursorY } = this.terminal.buffer.active;
    return {
      row: baseY + cursorY,
      column: Math.min(cursorX, this.terminal.cols - 1),
      shown: this.cursorShown,
    };
  }

  /**
   * Columns `from` to `to` of a row with their colours, exactly that wide, beginning and ending in plain
   * style. After characters whose width terminals disagree about, the column is set anew.
   * @param column where on the terminal it is drawn, from 1; null sets no columns
   * @param colour false leaves the colours out
   */
  row(y: number, from: number, to: number, column: number | null, colour: boolean): string {
    const { active } = this.terminal.buffer;
    const line = active.getLine(y);
    if (!line) return ' '.repeat(Math.max(0, to - from));
    const cell = active.getNullCell();
    const words = cell as StyleWords;
    let out = '';
    let style = '';
    let fg: number | undefined;
    let bg: number | undefined;
    let x = from;
    while (x < to) {
      const there = x < line.length && line.getCell(x, cell) !== undefined;
      if (!there || words.fg === undefined || words.fg !== fg || words.bg !== bg) {
        const own = there ? styleOf(cell, colour) : '';
        if (own !== style) out += own === '' ? '\x1b[0m' : `\x1b[0;${own}m`;
        style = own;
        ({ fg, bg } = there ? words : {});
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

  /** Rows that go on from the row above because that was full. */
  wrappedRows(): number[] {
    const buffer = this.terminal.buffer.active;
    const rows = Array.from({ length: buffer.length }, (_, y) => y);
    return rows.filter((y) => buffer.getLine(y)?.isWrapped);
  }

  /** The text of a row, without trailing blanks. */
  rowText(y: number): string {
    const { active } = this.terminal.buffer;
    return active.getLine(y)?.translateToString(true, 0, this.terminal.cols) ?? '';
  }

  /** Keeps hold of a row; null where the emulator cannot. */
  anchor(y: number): Anchor | null {
    const { baseY, cursorY } = this.terminal.buffer.active;
    const marker = this.terminal.registerMarker(y - baseY - cursorY);
    if (!marker) return null;
    this.pointers += 1;
    let held = true;
    return {
      line: () => (marker.isDisposed || marker.line < 0 ? null : marker.line),
      dispose: () => {
        if (held) this.pointers -= 1;
        held = false;
        marker.dispose();
      },
    };
  }

  /** Where a text stands, upper and lower case alike; lines that were wrapped are searched as one. */
  search(text: string): Match[] {
    const wanted = text.toLowerCase();
    if (wanted === '') return [];
    const buffer = this.terminal.buffer.active;
    const found: Match[] = [];
    for (let y = 0; y < buffer.length; ) {
      const first = y;
      let joined = '';
      do {
        joined += buffer.getLine(y)?.translateToString(false) ?? '';
        y += 1;
      } while (y < buffer.length && buffer.getLine(y)?.isWrapped);
      const lower = joined.toLowerCase();
      for (
        let at = lower.indexOf(wanted);
        at >= 0;
        at = lower.indexOf(wanted, at + wanted.length)
      ) {
        const { cols } = this.terminal;
        found.push({
          row: first + Math.floor(at / cols),
          column: at % cols,
          length: wanted.length,
        });
      }
    }
    return found;
  }

  /** Connects a process: its output is drawn here, and it is paused while it is too fast. */
  attach(process: PtyProcess, onDrawn: () => void): void {
    let paused = false;
    process.onData((bytes) => {
      this.feed(bytes);
      if (!paused && this.pending > pauseAt) {
        paused = true;
        process.pause();
      }
    });
    const drawn = () => {
      if (paused && this.pending < resumeAt) {
        paused = false;
        process.resume();
      }
      onDrawn();
    };
    this.drawnListeners.add(drawn);
    // A program may ask the terminal things (cursor position, colours) and waits for the answer.
    const answers = this.terminal.onData((answer) => process.write(answer));
    process.onExit(() => {
      answers.dispose();
      void this.drawn().then(() => this.drawnListeners.delete(drawn));
    });
  }

  /** Draws bytes that come from anywhere. */
  feed(bytes: Buffer | string): void {
    const added = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    if (added.length === 0 || this.disposed) return;
    const idle = this.pending === 0;
    this.queue.push(added);
    this.pending += added.length;
    if (idle) parseQueue.add(this);
  }

  parse(bytes: number): void {
    for (let left = bytes; left > 0; ) {
      const first = this.queue[0];
      if (!first) return;
      const now = first.length > left ? first.subarray(0, left) : first;
      if (now === first) this.queue.shift();
      else this.queue[0] = first.subarray(left);
      left -= now.length;
      this.pending -= now.length;
      const core = coreOf(this.terminal);
      if (!core.writeSync) this.terminal.write(now, () => this.changed());
      else {
        try {
          core.writeSync(now);
        } catch {
          this.recover();
        }
      }
    }
  }

  parsed(): void {
    if (this.disposed) return;
    this.changed();
    for (const listener of [...this.drawnListeners]) listener();
    if (this.pending > 0) return;
    const { settlers } = this;
    this.settlers = [];
    for (const settle of settlers) settle();
  }

  /** Resolves when all that was fed so far is drawn. */
  drawn(): Promise<void> {
    return new Promise((resolve) => {
      // Never both ways at once: an empty `write` that waits would make `writeSync` drop what it is given.
      const settled = () => {
        if (!this.live || coreOf(this.live).writeSync) resolve();
        else this.live.write('', resolve);
      };
      if (this.pending === 0) settled();
      else this.settlers.push(settled);
    });
  }

  resize(cols: number, rows: number): void {
    this.size = { cols, rows };
    this.live?.resize(cols, rows);
    this.changed();
  }

  /**
   * The line up to the cursor, where a question stands while it waits for its answer; then the same
   * with the rows above it that are full to the edge, one more each time. prompt_toolkit breaks a long
   * question itself, so what is one line to it is not one to a terminal.
   */
  cursorLines(): string[] {
    const buffer = this.terminal.buffer.active;
    let y = buffer.baseY + buffer.cursorY;
    let text = buffer.getLine(y)?.translateToString(false, 0, buffer.cursorX) ?? '';
    const lines = [text];
    for (let rows = 0; y > 0 && rows < mostQuestionRows; y--, rows++) {
      const above = buffer.getLine(y - 1);
      const last = above?.getCell(this.terminal.cols - 1, buffer.getNullCell());
      const full = last !== undefined && (last.getChars() !== '' || last.getWidth() === 0);
      const wrapped = buffer.getLine(y)?.isWrapped === true;
      if (!above || !(full || wrapped)) break;
      text = above.translateToString(false) + text;
      if (wrapped) lines[lines.length - 1] = text;
      else lines.push(text);
    }
    return lines;
  }

  /** Marks where the output stands now; the answer gives that row, also when much scrolled off. */
  mark(): () => number {
    const marker = this.terminal.registerMarker(0);
    return () => (marker === undefined || marker.isDisposed ? 0 : Math.max(0, marker.line));
  }

  /** Logical lines from a row on, scrollback first, with soft wraps joined. */
  lines(from = 0): string[] {
    const buffer = this.terminal.buffer.active;
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

  /** The rows from a row on as pieces of one colour each: what is written over other text is told apart. */
  runs(from = 0): Run[] {
    const buffer = this.terminal.buffer.active;
    const runs: Run[] = [];
    const cell = buffer.getNullCell();
    const words = cell as StyleWords;
    for (let y = from; y < buffer.length; y++) {
      const line = buffer.getLine(y);
      const end = usedCells(line);
      if (!line || end === 0) continue;
      let colour: Run['colour'] = null;
      let start = 0;
      let fg: number | undefined;
      const put = (to: number) => {
        const text = line.translateToString(false, start, to);
        if (text.trim() !== '') runs.push({ text, colour });
        start = to;
      };
      for (let x = 0; x < end && line.getCell(x, cell); x++) {
        if (fg !== undefined && words.fg === fg) continue;
        // A blank has no colour.
        if ((cell.getChars() || ' ') === ' ') continue;
        fg = words.fg;
        const own = colourOf(cell);
        if (own === colour) continue;
        put(x);
        colour = own;
      }
      put(end);
    }
    return runs;
  }

  dispose(): void {
    this.disposed = true;
    this.queue = [];
    this.pending = 0;
    for (const settle of this.settlers.splice(0)) settle();
    this.live?.dispose();
  }
}

function coreOf(terminal: xterm.Terminal): Core {
  return (terminal as unknown as { readonly _core: Core })._core;
}

/** What the emulator knows of a line, and its types hide; where it does not, the whole line is taken. */
interface Line {
  getNoBgTrimmedLength?(): number;
}

/** Cells up to the last one that shows something. */
function usedCells(line: xterm.IBufferLine | undefined): number {
  const own = (line as unknown as { readonly _line?: Line } | undefined)?._line;
  const length = line?.length ?? 0;
  let used = own?.getNoBgTrimmedLength?.() ?? length;
  // The second half of a wide character, and blanks in reverse.
  for (let next = line?.getCell(used); used < length; next = line?.getCell(used, next)) {
    if (!next || (next.getWidth() !== 0 && next.isAttributeDefault())) break;
    used += 1;
  }
  return used;
}

function withoutMarks(chars: string): string {
  return chars < '\u200e' ? chars : chars.replace(directionMarks, '');
}

/** The SGR parameters of a cell; '' for plain. */
function styleOf(cell: xterm.IBufferCell, colour: boolean): string {
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
