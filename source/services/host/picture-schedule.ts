import type { Channel } from './channel.js';
import type { TerminalFeed } from './terminal-feed.js';

/**
 * Between two lots of pictures, milliseconds: for the screen on which something was done last, which draws no
 * faster, and for others, which are only looked at, so that many of them do not take the agents' time.
 */
const usedPaceMs = 33;
const lookedAtPaceMs = 100;

/**
 * After so many lots one upon the other, less than a pause apart, agents print more than anybody reads on a screen
 * that is only looked at: so slow are its pictures then, milliseconds.
 */
const lotsOfFlood = 10;
const pauseMs = 500;
const floodPaceMs = 400;

/** When a client is sent pictures: in lots, so that many busy agents do not wake it for each line. */
export class PictureSchedule {
  /** Terminals that have changed since pictures went out. */
  private readonly dirty = new Set<TerminalFeed>();
  private timer: NodeJS.Timeout | null = null;
  private willSendAt = 0;
  private sentAt = Number.NEGATIVE_INFINITY;
  /** Lots since the last pause. */
  private lots = 0;
  /** Agents that were typed to: what they answer is seen at once. */
  private readonly typedTo = new Set<number>();

  /** @param isUsed whether it is the screen on which something was done last */
  constructor(
    private readonly channel: Channel,
    private readonly isUsed: () => boolean,
  ) {}

  typed(agent: number): void {
    this.typedTo.add(agent);
  }

  /** A terminal may show something new, or its client can take more of it now. */
  changed(agent: number, feed: TerminalFeed): void {
    if (!feed.isDue) return;
    if (this.typedTo.delete(agent)) {
      feed.push();
      return;
    }
    this.dirty.add(feed);
    const at = this.sentAt + this.paceMs;
    // Sooner than was thought where it is used from now on.
    if (this.timer && at >= this.willSendAt) return;
    this.stop();
    const wait = at - performance.now();
    this.willSendAt = at;
    if (wait <= 0) this.send();
    else this.timer = setTimeout(() => this.send(), wait);
  }

  private get paceMs(): number {
    if (this.isUsed()) return usedPaceMs;
    return this.lots < lotsOfFlood ? lookedAtPaceMs : floodPaceMs;
  }

  close(): void {
    this.stop();
    this.dirty.clear();
  }

  private stop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  private send(): void {
    this.timer = null;
    const now = performance.now();
    this.lots = now - this.sentAt < pauseMs ? this.lots + 1 : 0;
    this.sentAt = now;
    const feeds = [...this.dirty];
    this.dirty.clear();
    this.channel.together(() => {
      for (const feed of feeds) feed.push();
    });
  }
}
