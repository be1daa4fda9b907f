import { drawPictureRow, type PictureRow } from '../pty/picture-row.js';
import type { ClientMessage, Picture } from './contract.js';

/** Rows that are kept of a terminal, those that were shown last. */
const mostRows = 20_000;

/** How a terminal looks before its first picture came. */
const unseen: Omit<Picture, 'lines'> = {
  cols: 80,
  rows: 24,
  first: 0,
  length: 24,
  alternate: false,
  anew: false,
  bracketedPaste: false,
  applicationCursor: false,
  cursor: { row: 0, column: 0, shown: false },
  held: [],
};

interface Place {
  readonly row: number;
  readonly column: number;
  readonly length: number;
}

/** What a mirrored emulator needs of the connection. */
export interface MirrorLink {
  readonly agent: number;
  send(message: ClientMessage): void;
  ask(what: 'lines' | 'search', agent: number, text: string): Promise<unknown>;
  /** Rows of it were asked for. */
  used(emulator: MirroredEmulator): void;
}

/**
 * An agent's terminal as its host draws it. It parses nothing: it holds the rows that it was sent, and asks for
 * those that somebody shows. What is shown is known from what is asked for, and once it has been, the next picture
 * may come: so who draws decides how many there are.
 */
export class MirroredEmulator {
  version = 0;
  private now = unseen;
  private readonly known = new Map<number, PictureRow>();
  private readonly listeners = new Set<() => void>();
  private readonly held = new Map<number, number | null>();
  private lastId = 0;
  /** The rows that were asked for since the last time they were told of, by their numbers. */
  private asked: { first: number; last: number } | null = null;
  private look = '';
  private unseenPicture = false;

  constructor(private readonly link: MirrorLink) {}

  get cols(): number {
    return this.now.cols;
  }

  get rows(): number {
    return this.now.rows;
  }

  get length(): number {
    return this.now.length;
  }

  get modes(): { readonly bracketedPaste: boolean; readonly applicationCursor: boolean } {
    return this.now;
  }

  cursor(): Picture['cursor'] {
    return this.now.cursor;
  }

  /** A part of a row, as `drawRow` draws it; blank until it has come. */
  row(y: number, from: number, to: number, column: number, colour: boolean): string {
    const row = this.now.first + y;
    if (y >= 0 && y < this.now.length) this.note(row);
    const line = this.known.get(row);
    return line ? drawn(line, from, to, column, colour) : ' '.repeat(Math.max(0, to - from));
  }

  /** @returns ends it */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async lines(): Promise<string[]> {
    return (await this.link.ask('lines', this.link.agent, '')) as string[];
  }

  /** Where a text stands. */
  async search(text: string): Promise<Place[]> {
    const found = (await this.link.ask('search', this.link.agent, text)) as Place[];
    return found.map((place) => ({ ...place, row: place.row - this.now.first }));
  }

  /** Keeps hold of a row; null where there is no scrollback. */
  anchor(y: number): { readonly line: () => number | null; dispose(): void } | null {
    if (this.now.alternate) return null;
    const { agent } = this.link;
    this.lastId += 1;
    const id = this.lastId;
    const row = this.now.first + y;
    this.held.set(id, row);
    this.link.send({ type: 'hold', agent, id, row });
    return {
      line: () => {
        const at = this.held.get(id) ?? null;
        return at === null || at < this.now.first ? null : at - this.now.first;
      },
      dispose: () => {
        this.held.delete(id);
        this.link.send({ type: 'release', agent, id });
      },
    };
  }

  /** A picture has come. */
  show(picture: Picture): void {
    const { lines, ...rest } = picture;
    if (rest.anew) this.known.clear();
    this.now = rest;
    for (const [row, line] of lines) {
      // The latest last.
      this.known.delete(row);
      this.known.set(row, line);
    }
    for (const row of this.known.keys()) {
      if (this.known.size <= mostRows) break;
      this.known.delete(row);
    }
    for (const [id, row] of rest.held) if (this.held.has(id)) this.held.set(id, row);
    this.unseenPicture = true;
    this.version += 1;
    for (const listener of [...this.listeners]) listener();
  }

  /** Tells the host what is shown, after it has been asked for. @returns whether the last picture was drawn */
  settle(): boolean {
    const { asked, now, link } = this;
    this.asked = null;
    if (asked === null) return false;
    // What lies in the screen goes with its end.
    const isScreen = asked.first >= now.first + now.length - now.rows;
    const from = isScreen ? null : asked.first;
    const rows = (isScreen ? now.first + now.length : asked.last + 1) - asked.first;
    const key = `${from} ${rows}`;
    const wasDrawn = this.unseenPicture;
    this.unseenPicture = false;
    if (key === this.look) return wasDrawn;
    this.look = key;
    link.send({ type: 'look', agent: link.agent, from, rows });
    return false;
  }

  private note(row: number): void {
    if (this.asked === null) {
      this.asked = { first: row, last: row };
      this.link.used(this);
    } else {
      this.asked.first = Math.min(this.asked.first, row);
      this.asked.last = Math.max(this.asked.last, row);
    }
  }
}

/** Rows as they were drawn last: most stay as they are from one frame to the next. */
const lastDrawn = new WeakMap<PictureRow, { readonly key: string; readonly text: string }>();

function drawn(
  line: PictureRow,
  from: number,
  to: number,
  column: number,
  colour: boolean,
): string {
  const key = `${from} ${to} ${column} ${colour}`;
  const last = lastDrawn.get(line);
  if (last?.key === key) return last.text;
  const text = drawPictureRow(line, from, to, column, colour);
  lastDrawn.set(line, { key, text });
  return text;
}
