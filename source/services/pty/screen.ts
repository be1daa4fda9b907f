import unicode11 from '@xterm/addon-unicode11';
import xterm from '@xterm/headless';
import type { PtyProcess } from './pty-process.js';

/** Bytes waiting for the emulator at which a process is paused, and at which it goes on. */
const pauseAt = 128 * 1024;
const resumeAt = 32 * 1024;

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

/**
 * The screen of one agent: a terminal emulator with scrollback, fed from a process or any stream of
 * bytes. Questions and failure texts are read from it, and panes draw it.
 */
export class Screen {
  private readonly terminal: xterm.Terminal;
  private pending = 0;

  constructor(cols: number, rows: number, scrollback = 5000) {
    this.terminal = new xterm.Terminal({
      cols,
      rows,
      scrollback,
      allowProposedApi: true,
      logLevel: 'off',
    });
    this.terminal.loadAddon(new unicode11.Unicode11Addon());
    this.terminal.unicode.activeVersion = '11';
  }

  /** Connects a process: its output is drawn here, and it is paused while it is too fast. */
  attach(process: PtyProcess, onDrawn: () => void): void {
    let paused = false;
    process.onData((bytes) => {
      this.pending += bytes.length;
      if (!paused && this.pending > pauseAt) {
        paused = true;
        process.pause();
      }
      this.terminal.write(bytes, () => {
        this.pending -= bytes.length;
        if (paused && this.pending < resumeAt) {
          paused = false;
          process.resume();
        }
        onDrawn();
      });
    });
    // A program may ask the terminal things (cursor position, colours) and waits for the answer.
    const answers = this.terminal.onData((answer) => process.write(answer));
    process.onExit(() => answers.dispose());
  }

  /** Resolves when all that was fed so far is drawn. */
  drawn(): Promise<void> {
    return new Promise((resolve) => this.terminal.write('', resolve));
  }

  resize(cols: number, rows: number): void {
    this.terminal.resize(cols, rows);
  }

  /** The line up to the cursor: where a question stands while it waits for its answer. */
  cursorLine(): string {
    const buffer = this.terminal.buffer.active;
    let y = buffer.baseY + buffer.cursorY;
    let text = buffer.getLine(y)?.translateToString(false, 0, buffer.cursorX) ?? '';
    while (buffer.getLine(y)?.isWrapped && y > 0) {
      y -= 1;
      text = (buffer.getLine(y)?.translateToString(false) ?? '') + text;
    }
    return text;
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
    for (let y = from; y < buffer.length; y++) {
      const line = buffer.getLine(y);
      if (!line) continue;
      let run: { text: string; colour: Run['colour'] } = { text: '', colour: null };
      for (let x = 0; x < line.length; x++) {
        if (!line.getCell(x, cell)) break;
        const chars = cell.getChars() || ' ';
        const colour = chars === ' ' ? run.colour : colourOf(cell);
        if (colour !== run.colour) {
          if (run.text.trim() !== '') runs.push(run);
          run = { text: '', colour };
        }
        run.text += chars;
      }
      if (run.text.trim() !== '') runs.push(run);
    }
    return runs;
  }

  dispose(): void {
    this.terminal.dispose();
  }
}
