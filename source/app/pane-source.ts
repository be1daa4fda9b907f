import { stripVTControlCharacters } from 'node:util';
import type { AgentEmulator } from './ports.js';
import type { PaintedPane, Rect } from './terminal/painter.js';

/** A match of a search that is marked in the pane. */
export interface Marked {
  readonly row: number;
  readonly column: number;
  readonly length: number;
}

/** A place in a terminal: a row, scrollback counted, and a column. */
export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** An end of what is selected; it stays with its line while others scroll off. */
interface HeldCell {
  readonly place: { readonly line: () => number | null; dispose(): void };
  readonly column: number;
}

/**
 * What a person sees of an agent's terminal: where it is scrolled to, and what is marked. Lives as long
 * as the terminal; the pane that shows it may come and go with the layout.
 */
export class PaneView {
  private anchor: { readonly line: () => number | null; dispose(): void } | null = null;
  private match: { readonly place: { line: () => number | null }; readonly found: Marked } | null =
    null;
  private selection: { readonly from: HeldCell; readonly to: HeldCell } | null = null;
  private changes = 0;
  query = '';

  private readonly listeners = new Set<() => void>();

  constructor(readonly screen: AgentEmulator) {
    screen.onChange(() => this.tell());
  }

  /** Told when the terminal has drawn something, or the window moved. @returns ends it */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private changed(): void {
    this.changes += 1;
    this.tell();
  }

  get version(): number {
    return this.screen.version + this.changes;
  }

  /** Rows above the window. */
  top(height: number): number {
    const last = this.last(height);
    if (!this.anchor) return last;
    // What scrolled off the scrollback takes the window along.
    return Math.min(this.anchor.line() ?? 0, last);
  }

  /** The lowest place of the window; while the terminal is higher than it, the cursor stays in sight. */
  private last(height: number): number {
    const { length, rows } = this.screen;
    const end = Math.max(0, length - height);
    if (rows <= height) return end;
    return Math.min(end, Math.max(length - rows, this.screen.cursor().row - height + 1));
  }

  get following(): boolean {
    return this.anchor === null;
  }

  scrollBy(rows: number, height: number): void {
    this.scrollTo(this.top(height) + rows, height);
  }

  scrollTo(row: number, height: number): void {
    const last = this.last(height);
    const wanted = Math.max(0, row);
    this.anchor?.dispose();
    this.anchor = wanted >= last ? null : this.screen.anchor(wanted);
    this.changed();
  }

  follow(): void {
    this.anchor?.dispose();
    this.anchor = null;
    this.changed();
  }

  /** Goes to the next match up or down; gives which one of how many, or null. */
  async find(
    query: string,
    step: 1 | -1,
    height: number,
  ): Promise<{ index: number; count: number } | null> {
    this.query = query;
    const matches = await this.screen.search(query);
    const from = this.match?.place.line() ?? this.top(height) + (step > 0 ? -1 : height);
    const column = this.match?.found.column ?? -1;
    const isNext = (one: Marked) => one.row > from || (one.row === from && one.column > column);
    const isBefore = (one: Marked) => one.row < from || (one.row === from && one.column < column);
    let index =
      step > 0 ? matches.findIndex(isNext) : matches.findLastIndex((one) => isBefore(one));
    if (index < 0) index = step > 0 ? 0 : matches.length - 1;
    const found = matches[index];
    if (!found) {
      this.clearMatch();
      return null;
    }
    const held = this.screen.anchor(found.row);
    this.match = { found, place: held ?? { line: () => found.row } };
    this.scrollTo(found.row - Math.floor(height / 2), height);
    return { index, count: matches.length };
  }

  /** What was searched counts no more. */
  endSearch(): void {
    this.query = '';
    this.clearMatch();
  }

  clearMatch(): void {
    this.match = null;
    this.changed();
  }

  /** Selects what is between two places, both within it. */
  select(from: Cell, to: Cell): void {
    this.drop();
    this.selection = { from: this.hold(from), to: this.hold(to) };
    this.changed();
  }

  /** @returns whether there was one */
  clearSelection(): boolean {
    if (!this.selection) return false;
    this.drop();
    this.changed();
    return true;
  }

  /** What is selected, from its first place to its last; null for nothing, or when its lines are gone. */
  selected(): { readonly from: Cell; readonly to: Cell } | null {
    if (!this.selection) return null;
    const { from, to } = this.selection;
    const [first, second] = [from.place.line(), to.place.line()];
    if (first === null || second === null) return null;
    const ends = [
      { row: first, column: from.column },
      { row: second, column: to.column },
    ].toSorted((a, b) => a.row - b.row || a.column - b.column) as [Cell, Cell];
    return { from: ends[0], to: ends[1] };
  }

  /** The text of what is selected, without trailing spaces; '' for nothing. */
  selectedText(): string {
    const selected = this.selected();
    if (!selected) return '';
    const lines: string[] = [];
    for (let y = selected.from.row; y <= selected.to.row; y++) {
      const { column, length } = this.markOf(y) ?? { column: 0, length: 0 };
      const drawn = this.screen.row(y, column, column + length, 0, false);
      lines.push(stripVTControlCharacters(drawn).trimEnd());
    }
    return lines.join('\n');
  }

  /** The rows of the window, without trailing spaces. */
  visibleText(height: number): string[] {
    const { length, cols } = this.screen;
    const top = this.top(height);
    return Array.from({ length: Math.max(0, Math.min(height, length - top)) }, (_, row) =>
      stripVTControlCharacters(this.screen.row(top + row, 0, cols, 0, false)).trimEnd(),
    );
  }

  /** What is marked in a row: of what is selected, or the match of a search. */
  markOf(y: number): Marked | null {
    const selected = this.selected();
    if (selected && y >= selected.from.row && y <= selected.to.row) {
      const start = y === selected.from.row ? selected.from.column : 0;
      const end = y === selected.to.row ? selected.to.column + 1 : this.screen.cols;
      return { row: y, column: start, length: end - start };
    }
    const match = this.marked();
    return match?.row === y ? match : null;
  }

  private hold({ row, column }: Cell): HeldCell {
    const anchor = this.screen.anchor(row);
    return { column, place: anchor ?? { line: () => row, dispose: () => {} } };
  }

  private drop(): void {
    this.selection?.from.place.dispose();
    this.selection?.to.place.dispose();
    this.selection = null;
  }

  marked(): Marked | null {
    if (!this.match) return null;
    const row = this.match.place.line();
    return row === null ? null : { ...this.match.found, row };
  }
}

/** Paints a window of an agent's terminal at a place of ours. */
export function paneSource(
  rect: Rect,
  view: PaneView,
  options: { readonly colour: boolean; readonly typing: boolean; readonly front: boolean },
): PaintedPane {
  const { screen } = view;
  const { colour } = options;
  const row = (index: number, from: number, to: number, column: number) => {
    const y = view.top(rect.height) + index;
    const marked = view.markOf(y);
    if (marked === null) return screen.row(y, from, to, column, colour);
    const start = Math.min(Math.max(marked.column, from), to);
    const end = Math.min(Math.max(marked.column + marked.length, from), to);
    const plain = screen.row(y, start, end, column + start - from, false);
    return (
      screen.row(y, from, start, column, colour) +
      // A style within the match would end the marking.
      `\x1b[7m${plain.replaceAll(/\x1b\[[\d;]*m/g, '')}\x1b[0m` +
      screen.row(y, end, to, column + end - from, colour)
    );
  };
  return {
    ...rect,
    front: options.front,
    row,
    version: () => view.version,
    cursor: () => {
      if (!options.typing) return null;
      const { row: y, column, shown } = screen.cursor();
      const at = y - view.top(rect.height);
      if (!shown || at < 0 || at >= rect.height || column >= rect.width) return null;
      return { x: column, y: at };
    },
  };
}
