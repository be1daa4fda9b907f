/**
 * Draws the terminal by difference. A frame (lines that already fit) lies at the bottom; panes, whose
 * rows come cut to width from emulators, lie above it; holes let the frame, such as a dialog, show
 * through the panes. Nothing here measures or wraps text, so its cost is that of what has changed.
 */

/** Columns and rows from 0. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PaintedPane extends Rect {
  /** Goes up when any row may have changed; rows are asked for only then. */
  version(): number;
  /**
   * Columns `from` to `to` of the pane's row, exactly that wide, beginning and ending in plain style.
   * @param column where on the terminal they are drawn, from 1
   */
  row(index: number, from: number, to: number, column: number): string;
  /** The one a person works with: painted each time, where others may wait. */
  readonly front?: boolean;
  /** Where the terminal's cursor belongs, relative to the pane; null when it is not there. */
  cursor(): { readonly x: number; readonly y: number } | null;
}

const beginSync = '\x1b[?2026h';
const endSync = '\x1b[?2026l';

interface Painted {
  readonly pane: PaintedPane;
  version: number;
  /** What was last written for each row; null where that is not known any more. */
  rows: (string | null)[];
}

export class Painter {
  private cols = 0;
  private rows = 0;
  private frame: readonly string[] = [];
  private drawn: (string | null)[] = [];
  private panes = new Map<string, Painted>();
  private holes: readonly Rect[] = [];
  private cursor = '';

  /** A terminal of another size: everything is drawn anew. */
  resize(cols: number, rows: number): void {
    this.cols = cols;
    this.rows = rows;
    this.invalidate();
  }

  /** Forgets what is on the terminal, such as after another program has drawn there. */
  invalidate(): void {
    this.drawn = new Array<string | null>(this.rows).fill(null);
    for (const painted of this.panes.values()) forget(painted);
    this.cursor = '';
  }

  setFrame(lines: readonly string[]): void {
    this.frame = lines;
  }

  setPane(id: string, pane: PaintedPane): void {
    this.uncover(id);
    this.panes.set(id, { pane, version: -1, rows: [] });
  }

  removePane(id: string): void {
    this.uncover(id);
    this.panes.delete(id);
  }

  /** What a pane covered is the frame's again. */
  private uncover(id: string): void {
    const before = this.panes.get(id)?.pane;
    if (before) this.redraw(before);
  }

  setHoles(holes: readonly Rect[]): void {
    for (const hole of [...this.holes, ...holes]) {
      this.redraw(hole);
      for (const painted of this.panes.values()) {
        const top = hole.y - painted.pane.y;
        painted.rows = painted.rows.map((row, at) =>
          at >= top && at < top + hole.height ? null : row,
        );
      }
    }
    this.holes = holes;
  }

  private redraw({ y, height }: Rect): void {
    for (let row = Math.max(0, y); row < Math.min(this.rows, y + height); row++) {
      this.drawn[row] = null;
    }
  }

  /**
   * The bytes that bring the terminal up to date; '' when it is.
   * @param all false: of the panes only those in front; where the frame has changed, the others as they were
   */
  paint(all = true): string {
    let out = '';
    const fresh = new Set<number>();
    for (let y = 0; y < this.rows; y++) {
      const line = this.frame[y] ?? '';
      if (this.drawn[y] === line) continue;
      this.drawn[y] = line;
      fresh.add(y);
      // Erased first: after a line that fills the row the cursor still stands on its last cell.
      out += `\x1b[${y + 1};1H\x1b[0m\x1b[K${line}\x1b[0m`;
    }
    for (const painted of this.panes.values()) out += this.paintPane(painted, fresh, all);
    const cursor = this.findCursor();
    if (out === '' && cursor === this.cursor) return '';
    this.cursor = cursor;
    // The cursor is hidden while it moves about.
    return `${beginSync}\x1b[?25l${out}${cursor}${endSync}`;
  }

  private paintPane(painted: Painted, fresh: ReadonlySet<number>, all: boolean): string {
    const { pane } = painted;
    const looked = all || pane.front === true;
    const version = looked ? pane.version() : painted.version;
    const changed = version !== painted.version;
    painted.version = version;
    let out = '';
    for (let index = 0; index < pane.height; index++) {
      const y = pane.y + index;
      if (y < 0 || y >= this.rows) continue;
      const known = painted.rows[index] ?? null;
      const text = changed || known === null ? this.paintRow(pane, index) : known;
      painted.rows[index] = text;
      if (text !== known || fresh.has(y)) out += text;
    }
    return out;
  }

  /** A row of a pane, with its place, in as many pieces as the holes leave of it. */
  private paintRow(pane: PaintedPane, index: number): string {
    const y = pane.y + index;
    const right = Math.min(pane.x + pane.width, this.cols);
    let out = '';
    let x = Math.max(0, pane.x);
    const holes = this.holes
      .filter((hole) => y >= hole.y && y < hole.y + hole.height)
      .sort((a, b) => a.x - b.x);
    for (const hole of [...holes, { x: right, width: 0 }]) {
      const end = Math.min(hole.x, right);
      if (end > x) {
        out += `\x1b[${y + 1};${x + 1}H${pane.row(index, x - pane.x, end - pane.x, x + 1)}`;
      }
      x = Math.max(x, hole.x + hole.width);
    }
    return out;
  }

  private findCursor(): string {
    for (const { pane } of this.panes.values()) {
      const at = pane.cursor();
      if (!at) continue;
      const [x, y] = [pane.x + at.x, pane.y + at.y];
      const hidden = this.holes.some(
        (hole) => x >= hole.x && x < hole.x + hole.width && y >= hole.y && y < hole.y + hole.height,
      );
      if (!hidden) return `\x1b[${y + 1};${x + 1}H\x1b[?25h`;
    }
    return '';
  }
}

function forget(painted: Painted): void {
  painted.version = -1;
  painted.rows = [];
}
