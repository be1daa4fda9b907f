import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { type Instance, render } from 'ink';
import type { ReactNode } from 'react';

/**
 * Lets Ink lay out and draw into memory: each frame comes back as lines, and nothing of it reaches the
 * terminal. Ink's debug mode is what gives whole frames instead of the bytes that change a terminal.
 */
export class InkHost {
  private readonly stdout: FrameStream;
  private readonly stdin = new KeyStream();
  private instance: Instance | null = null;

  constructor(cols: number, rows: number, onFrame: (lines: readonly string[]) => void) {
    this.stdout = new FrameStream(cols, rows, (text) => onFrame(text.split('\n')));
  }

  show(node: ReactNode): void {
    if (this.instance) {
      this.instance.rerender(node);
      return;
    }
    this.instance = render(node, {
      stdout: this.stdout as never,
      stdin: this.stdin as never,
      debug: true,
      exitOnCtrlC: false,
      patchConsole: false,
    });
  }

  resize(cols: number, rows: number): void {
    this.stdout.columns = cols;
    this.stdout.rows = rows;
    this.stdout.emit('resize');
  }

  /** Keys for Ink's own components, such as its text field. */
  type(bytes: string): void {
    this.stdin.write(bytes);
  }

  close(): void {
    this.stdout.closed = true;
    this.instance?.unmount();
  }
}

class FrameStream extends EventEmitter {
  readonly isTTY = true;
  closed = false;

  constructor(
    public columns: number,
    public rows: number,
    private readonly onFrame: (text: string) => void,
  ) {
    super();
  }

  write(text: string): boolean {
    // The library that shows and hides the cursor writes here too.
    if (!this.closed && !/^\x1b\[\?25[hl]$/.test(text)) this.onFrame(text);
    return true;
  }
}

class KeyStream extends PassThrough {
  readonly isTTY = true;

  setRawMode(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
