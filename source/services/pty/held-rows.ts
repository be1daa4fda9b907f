import type { XtermMarker, XtermTerminal } from '#xterm';

/** A row that stays the same line while others scroll off. */
export interface Anchor {
  /** Where the line is now; null when it has scrolled off. */
  readonly line: () => number | null;
  dispose(): void;
}

/** A row that is held; another terminal gives it another marker. */
interface Held {
  marker: XtermMarker | null;
}

/** Where held rows stand, to be held in another terminal that shows the same. */
export type RowsHeld = ReadonlyMap<Held, number>;

/** Rows that somebody holds on to, also while the terminal that shows them is exchanged for another one. */
export class HeldRows {
  private readonly held = new Set<Held>();

  /** @param ready called before a row is looked up, for the terminal to be there */
  constructor(private readonly ready: () => void) {}

  /** Null where the terminal cannot hold a row. */
  hold(terminal: XtermTerminal, row: number): Anchor | null {
    const marker = terminal.markerAt(row);
    if (!marker) return null;
    const held: Held = { marker };
    this.held.add(held);
    return {
      line: () => {
        this.ready();
        return rowOf(held);
      },
      dispose: () => {
        this.held.delete(held);
        held.marker?.dispose();
      },
    };
  }

  rows(): RowsHeld {
    const rows = [...this.held].map((held) => [held, rowOf(held)] as const);
    return new Map(rows.flatMap(([held, row]) => (row === null ? [] : [[held, row] as const])));
  }

  moveTo(terminal: XtermTerminal, rows: RowsHeld): void {
    for (const [held, row] of rows) held.marker = terminal.markerAt(row);
  }
}

function rowOf({ marker }: Held): number | null {
  return marker && !marker.isDisposed && marker.line >= 0 ? marker.line : null;
}
