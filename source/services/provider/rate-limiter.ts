/** How a provider's limit is met now, for those who show it. */
export interface RateFacts {
  /** Requests that may be under way at once. */
  readonly window: number;
  readonly waiting: number;
  /** When requests may go again, epoch milliseconds; null when they may now. */
  readonly until: number | null;
}

export interface GovernorOptions {
  /** The most requests at once: where the window begins, and what it grows back to. */
  readonly most: () => number;
  readonly now?: () => number;
  readonly random?: () => number;
  readonly onChange?: (facts: RateFacts) => void;
  /** Refusals without a hint and without any success are believed for so long, milliseconds. */
  readonly patienceMs?: number;
}

/** Waits without a hint: from this, doubling, to this; milliseconds. */
const firstWaitMs = 1000;
const longestWaitMs = 32_000;

/** A wait is made longer by up to this part of it, so that not all who wait call at the same instant. */
const jitter = 0.04;

/**
 * One for all requests to a provider. When one of them is refused for the rate (429), all wait for as
 * long as the provider says, and the window of requests at once is halved; each success lets it grow
 * again by one in the time of a window, as TCP does it (AIMD, RFC 5681 3.1).
 */
export class RateLimiter {
  private window: number;
  private inFlight = 0;
  private until = 0;
  private refusals = 0;
  /** Since when nothing but refusals without a hint has come; null when something else has. */
  private drySince: number | null = null;
  private readonly queue: (() => void)[] = [];
  private timer: NodeJS.Timeout | null = null;
  private readonly now: () => number;
  private readonly random: () => number;

  constructor(private readonly options: GovernorOptions) {
    this.now = options.now ?? Date.now;
    this.random = options.random ?? Math.random;
    this.window = Math.max(1, options.most());
  }

  facts(): RateFacts {
    return {
      window: Math.floor(this.window),
      waiting: this.queue.length,
      until: this.until > this.now() ? this.until : null,
    };
  }

  /**
   * Resolves when a request may go; the answer to it is to be told to `succeeded` or `refused`, or the
   * place given back with `release`.
   * @param first before all that wait: it has waited before
   * @param signal gives the place in the queue up
   */
  acquire(first: boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', give);
        this.inFlight += 1;
        resolve();
      };
      const give = () => {
        const at = this.queue.indexOf(go);
        if (at >= 0) this.queue.splice(at, 1);
        reject(new Error('given up'));
      };
      if (signal.aborted) return give();
      signal.addEventListener('abort', give, { once: true });
      if (first) this.queue.unshift(go);
      else this.queue.push(go);
      this.pump();
    });
  }

  /** The provider took the request. */
  succeeded(): void {
    this.inFlight -= 1;
    this.refusals = 0;
    this.drySince = null;
    const before = Math.floor(this.window);
    this.window = Math.min(Math.max(1, this.options.most()), this.window + 1 / this.window);
    this.pump();
    if (Math.floor(this.window) !== before) this.changed();
  }

  /** The provider refused it for the rate. @param hintMs what it says to wait; null when it does not */
  refused(hintMs: number | null): void {
    this.inFlight -= 1;
    const now = this.now();
    this.drySince = hintMs === null ? (this.drySince ?? now) : null;
    // Those that were under way together are refused together: that counts as once.
    if (this.until <= now) {
      this.window = Math.max(1, this.window / 2);
      this.refusals += 1;
    }
    const wait = hintMs ?? Math.min(longestWaitMs, firstWaitMs * 2 ** (this.refusals - 1));
    this.until = Math.max(this.until, now + wait * (1 + jitter * this.random()));
    this.pump();
    this.changed();
  }

  /** Nothing but refusals for a long time, and no word of when it ends: waiting helps nobody. */
  get isHopeless(): boolean {
    const patience = this.options.patienceMs ?? 60_000;
    return this.drySince !== null && this.now() - this.drySince > patience;
  }

  /** The request came to nothing that says anything of the rate. */
  release(): void {
    this.inFlight -= 1;
    this.pump();
  }

  private pump(): void {
    const wait = this.until - this.now();
    if (wait > 0) {
      if (this.timer === null && this.queue.length > 0) {
        this.timer = setTimeout(() => {
          this.timer = null;
          this.pump();
          this.changed();
        }, wait);
        this.timer.unref();
      }
      return;
    }
    while (this.queue.length > 0 && this.inFlight < Math.floor(this.window)) this.queue.shift()?.();
  }

  private changed(): void {
    this.options.onChange?.(this.facts());
  }
}
