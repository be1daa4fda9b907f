import { type Parser, parseQueue } from './parse-queue.js';

/** Bytes for one emulator that wait for their turn of the event loop. */
export class OutputQueue implements Parser {
  private readonly chunks: Buffer[] = [];
  private waiting = 0;
  private settlers: (() => void)[] = [];
  private readonly listeners = new Set<() => void>();
  private closed = false;

  /**
   * @param take given the bytes whose turn it is
   * @param onTaken told after each turn
   */
  constructor(
    private readonly take: (bytes: Buffer) => void,
    private readonly onTaken: () => void,
  ) {}

  /** Bytes that were given and are not drawn yet. */
  get pending(): number {
    return this.waiting;
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0 || this.closed) return;
    const idle = this.waiting === 0;
    this.chunks.push(bytes);
    this.waiting += bytes.length;
    if (idle) parseQueue.add(this);
  }

  parse(bytes: number): void {
    for (let left = bytes; left > 0; ) {
      const first = this.chunks[0];
      if (!first) return;
      const now = first.length > left ? first.subarray(0, left) : first;
      if (now === first) this.chunks.shift();
      else this.chunks[0] = first.subarray(left);
      left -= now.length;
      this.waiting -= now.length;
      this.take(now);
    }
  }

  parsed(): void {
    if (this.closed) return;
    this.onTaken();
    for (const listener of [...this.listeners]) listener();
    if (this.waiting > 0) return;
    for (const settle of this.settlers.splice(0)) settle();
  }

  /** Told after each turn. @returns ends it */
  onTurn(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves when all that was given so far is drawn. */
  drained(): Promise<void> {
    if (this.waiting === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.settlers.push(resolve);
    });
  }

  /** Drops what waits. */
  close(): void {
    this.closed = true;
    this.chunks.length = 0;
    this.waiting = 0;
    for (const settle of this.settlers.splice(0)) settle();
  }
}
