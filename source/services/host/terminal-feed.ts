import type { Anchor } from '../pty/held-rows.js';
import type { PictureRow } from '../pty/picture-row.js';
import type { Picture } from './contract.js';
import type { HostedEmulator } from './hosted-run.js';

/** A row as it is sent, and as JSON, to be compared. */
interface DrawnRow {
  readonly row: PictureRow;
  readonly text: string;
  /** What it was drawn of; null where that cannot be told. */
  readonly cells: Uint32Array | null;
  /** The version of the emulator that was looked at last. */
  version: number;
}

/** So many rows of an emulator are kept as they were drawn. */
const mostDrawn = 500;

/** Rows of an emulator as they are sent: drawn once for all clients, and only where they have changed. */
export class DrawnRows {
  private readonly rows = new Map<number, DrawnRow>();

  constructor(readonly emulator: HostedEmulator) {}

  /** @param y the row, scrollback counted */
  at(y: number): DrawnRow {
    const { emulator, rows } = this;
    const { version } = emulator;
    const number = emulator.first + y;
    const known = rows.get(number);
    if (known?.version === version) return known;
    const cells = emulator.rowCells(y);
    if (known && cells && known.cells && isSame(cells, known.cells)) {
      known.version = version;
      return known;
    }
    const row = emulator.pictureRow(y);
    const drawn = { row, text: JSON.stringify(row), cells: cells?.slice() ?? null, version };
    if (rows.size >= mostDrawn) rows.clear();
    rows.set(number, drawn);
    return drawn;
  }
}

function isSame(one: Uint32Array, other: Uint32Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/** The window that a client shows of a terminal; from its end where `from` is null. */
export interface Look {
  readonly from: number | null;
  readonly rows: number;
}

/** So many rows may a client have held at once. */
const mostHeld = 64;

/** What one client has seen of one terminal, and so what it is to be sent. */
export class TerminalFeed {
  private look: Look | null = null;
  private readonly held = new Map<number, Anchor | null>();
  /** Rows of the last picture as they were sent, by their number. */
  private sent = new Map<number, string>();
  /** What the last picture was of. */
  private before: {
    readonly cols: number;
    readonly isAlternate: boolean;
    readonly end: number;
  } | null = null;
  private head = '';
  private seenVersion = -1;
  /** It has drawn the last picture, and so gets another one. */
  private ready = true;

  constructor(
    private readonly drawn: DrawnRows,
    private readonly send: (picture: Picture) => void,
  ) {}

  /** Shows a window of it from now on. */
  lookAt(look: Look): void {
    this.look = look;
    this.seenVersion = -1;
    this.ready = true;
    this.push();
  }

  /** The client has drawn the last picture. */
  seen(): void {
    this.ready = true;
  }

  /** Whether there is something new that the client can take. */
  get isDue(): boolean {
    return this.ready && this.drawn.emulator.version !== this.seenVersion;
  }

  hold(id: number, row: number): void {
    if (this.held.size >= mostHeld) return;
    const { emulator } = this.drawn;
    this.held.set(id, emulator.anchor(row - emulator.first));
  }

  release(id: number): void {
    this.held.get(id)?.dispose();
    this.held.delete(id);
  }

  close(): void {
    for (const anchor of this.held.values()) anchor?.dispose();
    this.held.clear();
  }

  /** Sends a picture where there is something new and the client can take one. */
  push(): void {
    if (!this.isDue) return;
    const { emulator } = this.drawn;
    const picture = this.picture();
    this.seenVersion = emulator.version;
    const { lines, ...rest } = picture;
    const head = JSON.stringify(rest);
    if (lines.length === 0 && head === this.head) return;
    this.head = head;
    this.ready = false;
    this.send(picture);
  }

  /** Whether all rows may be others than those of the last picture: of another width, screen or program. */
  private isAnew(): boolean {
    const { cols, isAlternate, first, length } = this.drawn.emulator;
    const { before } = this;
    this.before = { cols, isAlternate, end: first + length };
    return (
      before !== null &&
      (before.cols !== cols || before.isAlternate !== isAlternate || before.end > first + length)
    );
  }

  private picture(): Picture {
    const { emulator } = this.drawn;
    const { cols, rows, length, first, modes } = emulator;
    const anew = this.isAnew();
    if (anew) this.sent.clear();
    const { from, rows: wanted } = this.look ?? { from: null, rows };
    const start = from === null ? Math.max(0, length - wanted) : Math.max(0, from - first);
    const end = from === null ? length : Math.min(length, start + wanted);
    const now = new Map<number, string>();
    const lines: [number, PictureRow][] = [];
    for (let y = start; y < end; y++) {
      const { row, text } = this.drawn.at(y);
      now.set(first + y, text);
      if (this.sent.get(first + y) !== text) lines.push([first + y, row]);
    }
    this.sent = now;
    const held = [...this.held].map(([id, anchor]) => {
      const line = anchor?.line() ?? null;
      return [id, line === null ? null : first + line] as const;
    });
    const { bracketedPaste, applicationCursor } = modes;
    const more = { alternate: emulator.isAlternate, anew, bracketedPaste, applicationCursor };
    return { cols, rows, first, length, ...more, cursor: emulator.cursor(), held, lines };
  }
}
