import type { IBuffer, IBufferCell, IBufferLine } from '@xterm/headless';

/** A cell, with the words that its whole style is in, but for the colour of an underline. */
export interface XtermCell extends IBufferCell {
  readonly fg: number;
  readonly bg: number;
}

export interface XtermLine extends Omit<IBufferLine, 'getCell'> {
  /** @param cell is filled and given, so that not each cell makes a new object */
  getCell(x: number, cell?: XtermCell): XtermCell | undefined;
}

export interface XtermBuffer extends Omit<IBuffer, 'getLine' | 'getNullCell'> {
  getLine(y: number): XtermLine | undefined;
  getNullCell(): XtermCell;
}

/** A row that stays the same line while others scroll off; `line` is -1 when it has scrolled off itself. */
export interface XtermMarker {
  readonly line: number;
  readonly isDisposed: boolean;
  dispose(): void;
}

export interface HeadlessOptions {
  readonly cols: number;
  readonly rows: number;
  /** Rows that are kept above the screen. */
  readonly scrollback: number;
}

/** What this program uses of xterm.js. It is compiled from its sources: `source/build/xterm.ts`. */
export interface XtermTerminal {
  readonly cols: number;
  /** The active one. */
  readonly buffer: XtermBuffer;
  /** Rows that have scrolled off the scrollback. */
  readonly trimmed: number;
  /** What the program in it asked for. */
  readonly modes: {
    readonly bracketedPaste: boolean;
    readonly applicationCursor: boolean;
    readonly cursorHidden: boolean;
  };
  /** What comes next begins anew: no escape sequence and no character has come by half. */
  readonly isBetween: boolean;
  /** Takes bytes in before it returns. Throws where the emulator fails, which then takes no more. */
  parse(bytes: Uint8Array): void;
  /** A program asks its terminal things (cursor position, colours): told what answers it. */
  onAnswer(listener: (answer: string) => void): void;
  /** Has an escape sequence do nothing. */
  ignoreEscape(intermediates: string, final: string): void;
  /**
   * All that a row shows, as numbers: the same ones mean that it looks the same. Null where it cannot be told by
   * them alone.
   */
  rowCells(y: number): Uint32Array | null;
  /** Cells of a row up to the last one that has a character or a background. */
  usedCells(y: number): number;
  /** Null on the alternate screen. */
  markerAt(row: number): XtermMarker | null;
  /** Throws where the emulator fails, which then takes no more. */
  resize(cols: number, rows: number): void;
  dispose(): void;
}

export const HeadlessTerminal: new (options: HeadlessOptions) => XtermTerminal;
