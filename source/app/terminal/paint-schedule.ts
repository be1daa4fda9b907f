/** Between two paints that nobody waits for, milliseconds: 30 a second. */
const frameMs = 33;
/** The same for panes that are not in focus: words are read there, keys are not followed. */
const backMs = 100;
/** Painting them takes at most this part of the time, so it is done less often where it takes long. */
const paintShare = 0.04;
const slowestBackMs = 250;
/** How long after a key the pane in focus is painted at once, milliseconds, and how often. */
const eagerMs = 150;
const eagerFrameMs = 8;

/** When to paint: what a key leads to at once, floods seldom, the panes that are not in focus least of all. */
export class PaintSchedule {
  private timer: NodeJS.Timeout | null = null;
  private timerAt = 0;
  private due = false;
  private lastPaint = 0;
  /** When all panes were painted. */
  private lastAll = 0;
  /** A pane that is not in focus has changed since. */
  private backWaits = false;
  /** What a paint of all takes, milliseconds, averaged over some. */
  private paintMs = 0;
  private lastKey = 0;
  private closed = false;

  /** @param paint paints, all panes or the one in focus */
  constructor(private readonly paint: () => void) {}

  /** Whether something is to be painted. */
  get waits(): boolean {
    return this.due || this.timer !== null;
  }

  keyCame(): void {
    this.lastKey = Date.now();
  }

  /** A frame of Ink has changed. */
  frameChanged(): void {
    this.request(this.lastPaint === 0 || this.isEager());
  }

  /** @param isLedToByKey a key is being worked on: what it leads to is drawn with its frame */
  paneChanged(focused: boolean, isLedToByKey: boolean): void {
    const eager = focused && !isLedToByKey && this.isEager();
    if (!focused) {
      this.backWaits = true;
      this.paintAt(this.lastAll + this.backMs());
    } else if (eager && Date.now() - this.lastPaint < eagerFrameMs) {
      this.paintAt(this.lastPaint + eagerFrameMs);
    } else {
      this.request(eager);
    }
  }

  request(now: boolean): void {
    if (!now) {
      this.paintAt(this.lastPaint + frameMs);
    } else if (!this.due && !this.closed) {
      this.due = true;
      // Right after all that changes with this, not a turn of the event loop later, which may be long.
      queueMicrotask(() => {
        this.due = false;
        if (!this.closed) this.paint();
      });
    }
  }

  /** A paint begins. @returns whether it is the turn of all panes */
  begin(): boolean {
    this.lastPaint = Date.now();
    const all = this.lastPaint >= this.lastAll + this.backMs();
    if (all) {
      this.lastAll = this.lastPaint;
      this.backWaits = false;
    }
    return all;
  }

  /** A paint has ended. @param ms what it took */
  ended(all: boolean, ms: number): void {
    if (all) this.paintMs += (ms - this.paintMs) / 8;
    if (this.backWaits) this.paintAt(this.lastAll + this.backMs());
  }

  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private isEager(): boolean {
    return Date.now() - this.lastKey < eagerMs;
  }

  /** @param time an earlier one that is planned stays */
  private paintAt(time: number): void {
    if (this.closed) return;
    const at = Math.max(Date.now(), time);
    if (this.timer && this.timerAt <= at) return;
    if (this.timer) clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.paint();
    }, at - Date.now());
  }

  private backMs(): number {
    return Math.min(slowestBackMs, Math.max(backMs, this.paintMs / paintShare));
  }
}
