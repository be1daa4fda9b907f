import type { ScreenMessage } from '../../core/run/page-contract.js';
import type { HostedEmulator } from './hosted-run.js';

/** How often it is looked how much has come, milliseconds. */
const turnMs = 100;

/** What is sent as it comes in one turn, bytes: more is what nobody can read. */
const mostInTurn = 16 * 1024;

/** A turn with no more than so many is calm, bytes; after so many of them all of it is sent again. */
const calmBytes = 2 * 1024;
const calmTurns = 10;

/** After so many calm turns its bytes are sent as they come again. */
const stepTurns = 2;

/** In a flood what it shows is not sent again before, milliseconds: nobody reads it, and drawing it takes the agents' time. */
const pictureMs = 400;

/**
 * Nor before so many times what it takes the client to draw it, times the terminals that it shows: so all of them
 * together have a small share of the machine, however slow that is.
 */
const timesDrawing = 8;

/** But at the latest after so long, milliseconds. */
const mostPictureMs = 3000;

/** So many rows above the screen come with it at once, the rest when it is calm. */
const firstScrolled = 100;

/** A whole terminal, thousands of rows, is not sent again before, milliseconds. */
const wholeMs = 2000;

/** So much may be under way that was not taken yet, bytes: two screens of thousands of rows. */
const mostUntaken = 2 * 1024 * 1024;

/** What a terminal shows. */
export type Screen = Omit<ScreenMessage, 'type' | 'agent'>;

/** What is sent of a terminal. */
export interface StreamSink {
  screen(screen: Screen): void;
  bytes(bytes: Buffer): void;
}

/**
 * A terminal as a client with an emulator of its own gets it: what it shows, then its bytes. In a flood what it
 * shows comes in place of the bytes, some times a second, so that neither the run nor the client is held up by what
 * nobody can read; afterwards all of it, once.
 */
export class TerminalStream {
  private readonly ends: (() => void)[] = [];
  private timer: NodeJS.Timeout | null = null;
  /** It gets bytes as they come, from a screen on that it has. */
  private isInStep = false;
  /** The client lacks rows above the screen that it wants. */
  private isShort = false;
  private inTurn = 0;
  /** Calm turns, one after the other. */
  private calm = 0;
  /** Something has come since it was sent as it shows. */
  private isStale = false;
  private untaken = 0;
  private wholeAt = Number.NEGATIVE_INFINITY;
  private sentAt = Number.NEGATIVE_INFINITY;
  /** What it took the client to draw the last picture, milliseconds. */
  private drawingMs = 0;
  private size = '';

  constructor(
    private readonly emulator: HostedEmulator,
    private readonly sink: StreamSink,
    /** So many rows above the screen are wanted. */
    private readonly scrolled: number,
    /** How many terminals the client follows, this one among them. */
    private readonly among: () => number,
  ) {
    this.ends.push(emulator.onBytes((bytes) => this.came(bytes)));
    this.ends.push(emulator.onChange(() => this.changed()));
    this.begin();
    this.wake();
  }

  /** The client has drawn so many bytes more. */
  taken(bytes: number): void {
    this.untaken = Math.max(0, this.untaken - bytes);
    if (!this.isInStep && this.untaken === 0) this.drawingMs = performance.now() - this.sentAt;
  }

  close(): void {
    if (this.timer) clearInterval(this.timer);
    for (const end of this.ends) end();
  }

  private came(bytes: Buffer): void {
    this.inTurn += bytes.length;
    this.isStale = true;
    this.wake();
    if (!this.isInStep) return;
    if (this.inTurn > mostInTurn || this.untaken + bytes.length > mostUntaken) {
      this.isInStep = false;
      return;
    }
    this.untaken += bytes.length;
    this.sink.bytes(bytes);
  }

  /** Another size rewraps its rows. */
  private changed(): void {
    const { cols, rows } = this.emulator;
    if (this.size === `${cols}x${rows}` || this.untaken > mostUntaken) return;
    if (this.isInStep) this.sendWhole();
    this.wake();
  }

  private wake(): void {
    this.timer ??= setInterval(() => this.turn(), turnMs);
  }

  private turn(): void {
    const came = this.inTurn;
    this.inTurn = 0;
    if (this.sentAt === Number.NEGATIVE_INFINITY) {
      this.begin();
      return;
    }
    if (this.isInStep) {
      if (came > calmBytes) this.calm = 0;
      if (this.isShort && came <= calmBytes) this.sendRest();
      else if (came === 0) this.rest();
      return;
    }
    if (this.untaken > mostUntaken / 2) return;
    const now = performance.now();
    this.calm = came <= calmBytes ? this.calm + 1 : 0;
    // Others may flood on, and thousands of rows are much to draw: those come when it is calm for longer.
    if (this.calm >= calmTurns && now - this.wholeAt >= wholeMs) this.sendWhole();
    else if (this.calm >= stepTurns && this.untaken === 0) this.begin();
    else if (this.isStale && this.untaken === 0 && now - this.sentAt >= this.paceMs) this.send(0);
  }

  private get paceMs(): number {
    const rest = timesDrawing * this.among() * this.drawingMs;
    return Math.min(mostPictureMs, Math.max(pictureMs, rest));
  }

  /** Nothing comes, and nothing was left out. */
  private rest(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private begin(): void {
    this.isInStep = this.send(Math.min(this.scrolled, firstScrolled));
    this.isShort = this.scrolled > firstScrolled;
  }

  /** The rows that the client lacks; where they cannot be told now it stays in step, and they are told later. */
  private sendRest(): void {
    this.calm += 1;
    const since = performance.now() - this.wholeAt;
    const isFirst = since === Number.POSITIVE_INFINITY;
    if (!isFirst && (this.calm < calmTurns || since < wholeMs)) return;
    if (!this.send(this.scrolled)) return;
    this.isShort = false;
    this.wholeAt = performance.now();
  }

  private sendWhole(): void {
    this.isInStep = this.send(this.scrolled);
    this.isShort = !this.isInStep;
    if (this.isInStep) this.wholeAt = performance.now();
  }

  /** @returns false where it cannot be told now, in the middle of a sequence */
  private send(scrolled: number): boolean {
    const { cols, rows } = this.emulator;
    const output = this.emulator.printed(rows + scrolled);
    if (output === null) return false;
    this.size = `${cols}x${rows}`;
    this.sentAt = performance.now();
    this.isStale = false;
    this.untaken += Buffer.byteLength(output);
    this.sink.screen({ cols, rows, whole: scrolled > 0, output });
    return true;
  }
}
