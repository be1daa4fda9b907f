// Longer than 300 lines: one emulator with what is read from it; not divided yet.
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { deflateRaw, inflateRawSync } from 'node:zlib';
import unicode11 from '@xterm/addon-unicode11';
import xterm from '@xterm/headless';
import { type Parser, parseQueue } from './parse-queue.js';
import type { PtyProcess } from './pty-process.js';
import { drawRow, printRows, type Run, runsOf } from './screen-rows.js';

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

/** A screen is packed in pieces that take about as long, milliseconds, so that keys come between them. */
const packMs = 4;

const compress = promisify(deflateRaw);

/** A question is not longer than this. */
const mostQuestionRows = 8;

/** A row of the screen that stays the same line while others scroll off. */
export interface Anchor {
  /** Where the line is now; null when it has scrolled off. */
  readonly line: () => number | null;
  dispose(): void;
}

/** A row that is held; another emulator gives it another marker. */
interface Held {
  marker: xterm.IMarker | null;
}

interface Size {
  readonly cols: number;
  readonly rows: number;
}

interface Packed {
  readonly bytes: Buffer;
  readonly size: Size;
  readonly rows: ReadonlyMap<Held, number>;
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
  /** What is needed to have all of it again; null while it is not packed. */
  private packed: Packed | null = null;
  /** Rows that somebody holds on to. */
  private readonly held = new Set<Held>();
  private size: Size;
  private readonly listeners = new Set<() => void>();
  private queue: Buffer[] = [];
  /** Bytes that were given and are not drawn yet. */
  pending = 0;
  private readonly drawnListeners = new Set<() => void>();
  private settlers: (() => void)[] = [];
  private disposed = false;
  private cursorShown = true;
  /** Who gets what the emulator answers. */
  private asking: PtyProcess | null = null;
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
    // A program may ask the terminal things (cursor position, colours) and waits for the answer.
    terminal.onData((answer) => this.asking?.write(answer));
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
   * text that prints it, compressed. Not while it is printed to.
   * @returns false where it has kept its memory
   */
  async pack(): Promise<boolean> {
    const { live, size, version } = this;
    if (!live || !this.settledAt(version) || !coreOf(live).writeSync) return false;
    const { active } = live.buffer;
    if (active.type !== 'normal') return false;
    let text = '';
    let until = performance.now() + packMs;
    for (const piece of this.printed(live)) {
      text += piece;
      if (performance.now() < until) continue;
      await setImmediate();
      if (!this.settledAt(version)) return false;
      until = performance.now() + packMs;
    }
    const bytes = await compress(text, { level: 1 });
    if (!this.settledAt(version)) return false;
    this.packed = { bytes, size, rows: this.heldRows() };
    live.dispose();
    this.live = null;
    return true;
  }

  /** Whether it shows what it did, and nothing waits to be drawn. */
  private settledAt(version: number): boolean {
    return !this.disposed && this.live !== null && this.pending === 0 && this.version === version;
  }

  private unpack(): xterm.Terminal {
    const { packed, size } = this;
    if (!packed) throw new Error('a screen has neither an emulator nor what it showed');
    const live = this.reopen(inflateRawSync(packed.bytes), packed.size, packed.rows);
    if (packed.size !== size) this.fit(live);
    this.onUnpack();
    return this.terminal;
  }

  /**
   * The emulator has failed over what an agent printed, or over a new size, and would take no more. That
   * must not be the end of the program, nor of the agent's screen: another one goes on with the same rows.
   */
  private recover(live: xterm.Terminal): void {
    const { active } = live.buffer;
    const shown = active.type === 'normal' ? [...this.printed(live)].join('') : '';
    const rows = this.heldRows();
    live.dispose();
    this.reopen(Buffer.from(shown), this.size, rows);
  }

  private *printed({ buffer, modes }: xterm.Terminal): Generator<string> {
    yield* printRows(buffer.active, this.size.cols);
    if (modes.bracketedPasteMode) yield '\x1b[?2004h';
    if (modes.applicationCursorKeysMode) yield '\x1b[?1h';
    if (!this.cursorShown) yield '\x1b[?25l';
  }

  private heldRows(): ReadonlyMap<Held, number> {
    const rows = [...this.held].map((held) => [held, rowOf(held)] as const);
    return new Map(rows.flatMap(([held, row]) => (row === null ? [] : [[held, row] as const])));
  }

  /** An emulator in which all is as it was, with the rows that are held. */
  private reopen(shown: Buffer, { cols, rows }: Size, held: ReadonlyMap<Held, number>) {
    const live = this.open(cols, rows);
    coreOf(live).writeSync?.(shown);
    this.live = live;
    this.packed = null;
    for (const [one, row] of held) one.marker = markerAt(live, row);
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

  /** A part of a row, as `drawRow` draws it. */
  row(y: number, from: number, to: number, column: number, colour: boolean): string {
    return drawRow(this.terminal.buffer.active.getLine(y), from, to, column, colour);
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
    const marker = markerAt(this.terminal, y);
    if (!marker) return null;
    const held: Held = { marker };
    this.held.add(held);
    return {
      line: () => {
        if (!this.live) this.unpack();
        return rowOf(held);
      },
      dispose: () => {
        this.held.delete(held);
        held.marker?.dispose();
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
    this.asking = process;
    process.onExit(() => {
      if (this.asking === process) this.asking = null;
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
      const { terminal } = this;
      const core = coreOf(terminal);
      if (!core.writeSync) terminal.write(now, () => this.changed());
      else {
        try {
          core.writeSync(now);
        } catch {
          this.recover(terminal);
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
    if (this.live) this.fit(this.live);
    this.changed();
  }

  private fit(live: xterm.Terminal): void {
    try {
      live.resize(this.size.cols, this.size.rows);
    } catch {
      this.recover(live);
    }
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
    const anchor = this.anchor(this.cursor().row);
    return () => anchor?.line() ?? 0;
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
    const { active } = this.terminal.buffer;
    const rows = Array.from(
      { length: Math.max(0, active.length - from) },
      (_, index) => from + index,
    );
    return rows.flatMap((y) => runsOf(active.getLine(y)));
  }

  dispose(): void {
    this.disposed = true;
    this.queue = [];
    this.pending = 0;
    for (const settle of this.settlers.splice(0)) settle();
    this.live?.dispose();
  }
}

function rowOf({ marker }: Held): number | null {
  return marker && !marker.isDisposed && marker.line >= 0 ? marker.line : null;
}

function markerAt(terminal: xterm.Terminal, row: number): xterm.IMarker | null {
  const { baseY, cursorY } = terminal.buffer.active;
  return terminal.registerMarker(row - baseY - cursorY) ?? null;
}

function coreOf(terminal: xterm.Terminal): Core {
  return (terminal as unknown as { readonly _core: Core })._core;
}
