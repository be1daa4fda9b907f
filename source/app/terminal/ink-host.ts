import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { Box, type DOMElement, type Instance, render } from 'ink';
import { createElement, type ReactNode } from 'react';
import { Composer } from './compose.js';

/**
 * Lets Ink lay out, and composes its tree into lines; nothing of Ink's own drawing reaches the terminal.
 * Debug mode keeps Ink from throttling, so that each commit is composed.
 */
export class InkHost {
  private readonly stdout: NoStream;
  private readonly stdin = new KeyStream();
  private readonly composer = new Composer();
  private instance: Instance | null = null;
  private closed = false;

  constructor(
    cols: number,
    rows: number,
    private readonly onFrame: (lines: readonly string[]) => void,
  ) {
    this.stdout = new NoStream(cols, rows);
  }

  show(node: ReactNode): void {
    this.instance ??= this.start();
    this.instance.rerender(node);
  }

  /** Begins with an empty tree, to get at its root before there is anything to draw. */
  private start(): Instance {
    let box: DOMElement | null = null;
    const ref = (own: DOMElement | null) => {
      box ??= own;
    };
    const instance = render(createElement(Box, { ref }), {
      stdout: this.stdout as never,
      stdin: this.stdin as never,
      debug: true,
      exitOnCtrlC: false,
      patchConsole: false,
    });
    const root = rootOf(box);
    root.onRender = () => {
      if (!this.closed) this.onFrame(this.composer.compose(root));
    };
    return instance;
  }

  resize(cols: number, rows: number): void {
    this.stdout.columns = cols;
    this.stdout.rows = rows;
    // Ink reads it when it lays out the next commit; told of it, it would draw at once, in its own way.
  }

  /** Keys for Ink's own components, such as its text field. */
  type(bytes: string): void {
    this.stdin.write(bytes);
  }

  close(): void {
    this.closed = true;
    this.instance?.unmount();
  }
}

function rootOf(node: DOMElement | null): DOMElement {
  if (!node) throw new Error('Ink has drawn nothing');
  let root = node;
  while (root.parentNode) root = root.parentNode;
  return root;
}

/** The terminal that Ink believes in: a size, and no drawing. */
class NoStream extends EventEmitter {
  readonly isTTY = true;

  constructor(
    public columns: number,
    public rows: number,
  ) {
    super();
  }

  write(): boolean {
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
