import type { Channel } from './channel.js';
import type { TerminalFeed } from './terminal-feed.js';

/**
 * Between two lots of pictures, milliseconds: for the screen on which something was done last, which draws no
 * faster, and for others, which are only looked at, so that many of them do not take the agents' time.
 */
const usedPaceMs = 33;
const lookedAtPaceMs = 100;

/** When a client is sent pictures: in lots, so that many busy agents do not wake it for each line. */
export class PictureSchedule {
  /** Terminals that have changed since pictures went out. */
  private readonly dirty = new Set<TerminalFeed>();
  private timer: NodeJS.Timeout | null = null;
  private sentAt = Number.NEGATIVE_INFINITY;
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

  changed(agent: number, feed: TerminalFeed): void {
    if (this.typedTo.delete(agent)) {
      feed.push();
      return;
    }
    this.dirty.add(feed);
    if (this.timer) return;
    const pace = this.isUsed() ? usedPaceMs : lookedAtPaceMs;
    const wait = this.sentAt + pace - performance.now();
    if (wait <= 0) this.send();
    else this.timer = setTimeout(() => this.send(), wait);
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.dirty.clear();
  }

  private send(): void {
    this.timer = null;
    this.sentAt = performance.now();
    const feeds = [...this.dirty];
    this.dirty.clear();
    this.channel.together(() => {
      for (const feed of feeds) feed.push();
    });
  }
}
