/**
 * Shares the time for parsing among the emulators. Each has a queue of bytes; in every turn of the event
 * loop a few milliseconds go to parsing, so that keys, timers and other terminals are never far away,
 * however much is printed.
 */

/** For parsing in one turn of the event loop, milliseconds. */
const sliceMs = 4;

/** Bytes of one emulator before it is another's turn. */
const portion = 16 * 1024;

/** Who has no more than this waiting is served first: an echo does not stand in line behind floods. */
const little = 4 * 1024;

export interface Parser {
  /** Bytes that wait. */
  readonly pending: number;
  /** Parses about so many bytes of what waits. */
  parse(bytes: number): void;
  /** Called after a slice in which something was parsed. */
  parsed(): void;
}

export class ParseQueue {
  private waiting: Parser[] = [];
  private scheduled = false;
  private heldUntil = 0;

  /** To be called when there are bytes again for one that had none. */
  add(parser: Parser): void {
    this.waiting.push(parser);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.slice);
  }

  /**
   * A person waits for something else than floods: for so many milliseconds only echoes are parsed.
   * @param ms 0 ends it
   */
  hold(ms: number): void {
    this.heldUntil = ms === 0 ? 0 : performance.now() + ms;
  }

  private readonly slice = () => {
    const held = this.heldUntil > performance.now();
    const end = performance.now() + sliceMs;
    const worked = new Set<Parser>();
    do {
      const small = this.waiting.findIndex((one) => one.pending <= little);
      if (held && small < 0) break;
      const [parser] = this.waiting.splice(Math.max(0, small), 1);
      if (!parser) break;
      parser.parse(portion);
      worked.add(parser);
      if (parser.pending > 0) this.waiting.push(parser);
    } while (this.waiting.length > 0 && performance.now() < end);
    for (const parser of worked) parser.parsed();
    this.scheduled = this.waiting.length > 0;
    if (this.scheduled) setImmediate(this.slice);
  };
}

/** The one of this program. */
export const parseQueue = new ParseQueue();
