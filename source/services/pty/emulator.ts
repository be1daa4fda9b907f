// Longer than 300 lines: one emulator, what is read of it, and how another one takes its place.
import { HeadlessTerminal, type XtermTerminal } from '#xterm';
import { drawRow, type Run, runsOf } from './emulator-rows.js';
import { cursorLines, logicalLines, type Match, searchRows, wrappedRows } from './emulator-text.js';
import { type Anchor, HeldRows, type RowsHeld } from './held-rows.js';
import { OutputQueue } from './output-queue.js';
import { packScreen, printScreen, unpackScreen } from './packed-screen.js';
import { type PictureRow, pictureRow } from './picture-row.js';
import type { PtyProcess } from './pty-process.js';

/** Rows that are kept above the screen. */
export const scrollback = 5000;

/** Bytes waiting for the emulator at which a process is paused, and at which it goes on. */
const pauseAt = 64 * 1024;
const resumeAt = 24 * 1024;

interface Size {
  readonly cols: number;
  readonly rows: number;
}

interface Packed {
  readonly bytes: Buffer;
  readonly size: Size;
  readonly rows: RowsHeld;
  /** The number of the row after the last one. */
  readonly end: number;
}

/**
 * One agent's terminal emulator with scrollback, fed from a process or any stream of bytes. Questions and
 * failure texts are read from it, and panes draw it.
 */
export class Emulator {
  /** Null while it is packed. */
  private live: XtermTerminal | null;
  /** What is needed to have all of it again; null while it is not packed. */
  private packed: Packed | null = null;
  private readonly held = new HeldRows(() => {
    if (!this.live) this.unpack();
  });
  private size: Size;
  private readonly listeners = new Set<() => void>();
  private readonly byteListeners = new Set<(bytes: Buffer) => void>();
  private readonly output = new OutputQueue(
    (bytes) => this.parse(bytes),
    () => this.changed(),
  );
  private disposed = false;
  /** Who gets what the emulator answers. */
  private asking: PtyProcess | null = null;
  /** Goes up with all that changes what is seen. */
  version = 0;
  /** The number of the first row of the terminal that shows now, before any row has scrolled off. */
  private base = 0;

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
    this.live = this.open(this.size);
  }

  private open({ cols, rows }: Size): XtermTerminal {
    const terminal = new HeadlessTerminal({ cols, rows, scrollback: this.kept });
    terminal.onAnswer((answer) => this.asking?.write(answer));
    // Agents print UTF-8. A model could have its terminal show line-drawing signs for letters (ESC ) 0, then
    // SO), and so hide what its agent says; no set but the plain one is taken.
    for (const intermediates of ['(', ')', '*', '+']) terminal.ignoreEscape(intermediates, '0');
    return terminal;
  }

  private get terminal(): XtermTerminal {
    return this.live ?? this.unpack();
  }

  get cols(): number {
    return this.size.cols;
  }

  get rows(): number {
    return this.size.rows;
  }

  /** Rows there are, scrollback included. */
  get length(): number {
    return this.terminal.buffer.length;
  }

  /**
   * The number of the first row there is: a row keeps its number while others scroll off. New numbers begin where
   * all rows were made anew.
   */
  get first(): number {
    // A packed one begins anew when it is asked.
    const { trimmed } = this.terminal;
    return this.base + trimmed;
  }

  /** The program has put up a screen without scrollback, as editors do. */
  get isAlternate(): boolean {
    return this.terminal.buffer.type === 'alternate';
  }

  /** It has given its memory back, and takes it again when its rows are asked for. */
  get isPacked(): boolean {
    return this.live === null;
  }

  /** Bytes that were given and are not drawn yet. */
  get pending(): number {
    return this.output.pending;
  }

  /** What it takes, about: 12 bytes a cell. */
  get bytes(): number {
    return this.live ? this.live.buffer.length * this.size.cols * 12 : 0;
  }

  /** What the program asked of its terminal, which decides how keys are sent to it. */
  get modes(): { readonly bracketedPaste: boolean; readonly applicationCursor: boolean } {
    return this.terminal.modes;
  }

  /** Where the cursor stands, rows counted with the scrollback. */
  cursor(): { readonly row: number; readonly column: number; readonly shown: boolean } {
    const { buffer, cols, modes } = this.terminal;
    const { baseY, cursorX, cursorY } = buffer;
    return {
      row: baseY + cursorY,
      column: Math.min(cursorX, cols - 1),
      shown: !modes.cursorHidden,
    };
  }

  /** A part of a row, as `drawRow` draws it. */
  row(y: number, from: number, to: number, column: number, colour: boolean): string {
    return drawRow(this.terminal.buffer.getLine(y), from, to, column, colour);
  }

  /** A row to be drawn elsewhere. */
  pictureRow(y: number): PictureRow {
    return pictureRow(this.terminal.buffer.getLine(y));
  }

  /** All that a row shows, as numbers to be compared; null where they do not tell it. */
  rowCells(y: number): Uint32Array | null {
    return this.terminal.rowCells(y);
  }

  /** The text of a row, without trailing blanks. */
  rowText(y: number): string {
    const { buffer, cols } = this.terminal;
    return buffer.getLine(y)?.translateToString(true, 0, cols) ?? '';
  }

  /** Rows that go on from the row above because that was full. */
  wrappedRows(): number[] {
    return wrappedRows(this.terminal.buffer);
  }

  /** Where a text stands, upper and lower case alike; lines that were wrapped are searched as one. */
  search(text: string): Match[] {
    const { buffer, cols } = this.terminal;
    return searchRows(buffer, cols, text);
  }

  /** The line up to the cursor, where a question stands: see `emulator-text.ts`. */
  cursorLines(): string[] {
    const { buffer, cols } = this.terminal;
    return cursorLines(buffer, cols);
  }

  /** Logical lines from a row on, scrollback first, with soft wraps joined. */
  lines(from = 0): string[] {
    return logicalLines(this.terminal.buffer, from);
  }

  /** The rows from a row on as pieces of one colour each: what is written over other text is told apart. */
  runs(from = 0): Run[] {
    const { terminal } = this;
    const rows = Math.max(0, terminal.buffer.length - from);
    return Array.from({ length: rows }, (_, index) => runsOf(terminal, from + index)).flat();
  }

  /** Keeps hold of a row; null where the emulator cannot. */
  anchor(y: number): Anchor | null {
    return this.held.hold(this.terminal, y);
  }

  /** Marks where the output stands now; the answer gives that row, also when much scrolled off. */
  mark(): () => number {
    const anchor = this.anchor(this.cursor().row);
    return () => anchor?.line() ?? 0;
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

  /** Given each piece of output after it was drawn. @returns ends it */
  onBytes(listener: (bytes: Buffer) => void): () => void {
    this.byteListeners.add(listener);
    return () => this.byteListeners.delete(listener);
  }

  /**
   * All that it shows, as output that leads to it in an empty terminal of its size: for another emulator, which is
   * then given what comes (`onBytes`). Null while an escape sequence or a character has come by half.
   * @param rows so many of the last rows
   */
  printed(rows: number): string | null {
    const { terminal } = this;
    if (!terminal.isBetween) return null;
    const enter = this.isAlternate ? '\x1b[?1049h' : '';
    return enter + [...printScreen(terminal, rows)].join('');
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
    const end = this.output.onTurn(() => {
      if (paused && this.pending < resumeAt) {
        paused = false;
        process.resume();
      }
      onDrawn();
    });
    this.asking = process;
    process.onExit(() => {
      if (this.asking === process) this.asking = null;
      void this.drawn().then(end);
    });
  }

  /** Draws bytes that come from anywhere. */
  feed(bytes: Buffer | string): void {
    this.output.add(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  }

  /** Resolves when all that was fed so far is drawn. */
  drawn(): Promise<void> {
    return this.output.drained();
  }

  private parse(bytes: Buffer): void {
    const { terminal } = this;
    try {
      terminal.parse(bytes);
    } catch {
      // Whatever a fault of the emulator throws.
      this.recover(terminal);
    }
    for (const listener of this.byteListeners) listener(bytes);
  }

  resize(cols: number, rows: number): void {
    this.size = { cols, rows };
    if (this.live) this.fit(this.live);
    this.changed();
  }

  private fit(live: XtermTerminal): void {
    try {
      live.resize(this.size.cols, this.size.rows);
    } catch {
      // Whatever a fault of the emulator throws.
      this.recover(live);
    }
  }

  /**
   * The emulator has failed over what an agent printed, or over a new size, and would take no more. That
   * must not be the end of the program, nor of the agent's screen: another one goes on with the same rows.
   */
  private recover(live: XtermTerminal): void {
    const shown = live.buffer.type === 'normal' ? [...printScreen(live)].join('') : '';
    const rows = this.held.rows();
    const end = this.base + live.trimmed + live.buffer.length;
    live.dispose();
    this.reopen(Buffer.from(shown), this.size, rows, end);
  }

  /**
   * Gives back its memory, some megabytes, until somebody looks at it again: what it shows is kept as the
   * text that prints it, compressed. Not while it is printed to.
   * @returns false where it has kept its memory
   */
  async pack(): Promise<boolean> {
    const { live, size, version } = this;
    if (!live || !this.settledAt(version) || live.buffer.type !== 'normal') return false;
    const bytes = await packScreen(live, () => this.settledAt(version));
    if (!bytes) return false;
    const end = this.base + live.trimmed + live.buffer.length;
    this.packed = { bytes, size, rows: this.held.rows(), end };
    live.dispose();
    this.live = null;
    return true;
  }

  /** Whether it shows what it did, and nothing waits to be drawn. */
  private settledAt(version: number): boolean {
    return !this.disposed && this.live !== null && this.pending === 0 && this.version === version;
  }

  private unpack(): XtermTerminal {
    const { packed, size } = this;
    if (!packed) throw new Error('an emulator has neither rows nor what it showed');
    const live = this.reopen(unpackScreen(packed.bytes), packed.size, packed.rows, packed.end);
    if (packed.size !== size) this.fit(live);
    this.onUnpack();
    return this.terminal;
  }

  /** An emulator in which all is as it was, with the rows that are held. */
  private reopen(shown: Buffer, size: Size, held: RowsHeld, first: number): XtermTerminal {
    const live = this.open(size);
    live.parse(shown);
    this.live = live;
    this.packed = null;
    this.base = first;
    this.held.moveTo(live, held);
    return live;
  }

  dispose(): void {
    this.disposed = true;
    this.output.close();
    this.live?.dispose();
  }
}
