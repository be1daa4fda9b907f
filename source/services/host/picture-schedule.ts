import type { Channel } from './channel.js';
import type { TerminalFeed } from './terminal-feed.js';

/** Between two lots of pictures, milliseconds: a screen draws no faster. */
const paceMs = 33;

/** When a client is sent pictures: in lots, so that many busy agents do not wake it for each line. */
export class PictureSchedule {
  /** Terminals that have changed since pictures went out. */
  private readonly dirty = new Set<TerminalFeed>();
  private timer: NodeJS.Timeout | null = null;
  private sentAt = -paceMs;
  /** Agents that were typed to: what they answer is seen at once. */
  private readonly typedTo = new Set<number>();

  constructor(private readonly channel: Channel) {}

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
    const wait = this.sentAt + paceMs - performance.now();
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
