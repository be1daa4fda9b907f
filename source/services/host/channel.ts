import type { Duplex } from 'node:stream';
import { parseJson } from '../../core/text/parse-json.js';

/**
 * Frames over a stream: the length of the body (4 bytes, the highest first), its kind (1 byte), the body. JSON is
 * UTF-8; bytes are those of an agent's terminal, after its index (4 bytes).
 */
const headBytes = 5;
const kinds = { json: 1, bytes: 2 } as const;

/** So much may wait in a stream before its reader counts as slow, bytes. */
const fullAt = 256 * 1024;

export interface ChannelEvents {
  readonly json: (value: unknown) => void;
  readonly bytes: (agent: number, bytes: Buffer) => void;
  /** Told once: the other side is gone, or has sent what is no frame. */
  readonly close: () => void;
  /** What waited was read. */
  readonly drain: () => void;
}

/** One side of a connection between a run's host and a client. */
export class Channel {
  private parts: Buffer[] = [];
  private have = 0;
  private closed = false;

  /** @param most bytes in a frame of the other side; a larger one closes the channel */
  constructor(
    private readonly stream: Duplex,
    private readonly most: number,
    private readonly events: ChannelEvents,
  ) {
    stream.on('data', (bytes: Buffer) => this.take(bytes));
    stream.on('drain', () => this.events.drain());
    // Why it went does not matter: it is gone.
    stream.on('error', () => this.close());
    stream.on('end', () => this.close());
    stream.on('close', () => this.close());
  }

  /** More is not to be sent now: what is there was not read yet. */
  get isFull(): boolean {
    return this.stream.writableLength > fullAt;
  }

  /** Bytes that the other side has not read. */
  get waiting(): number {
    return this.stream.writableLength;
  }

  get isOpen(): boolean {
    return !this.closed;
  }

  send(value: object): void {
    this.write(kinds.json, [Buffer.from(JSON.stringify(value))]);
  }

  sendBytes(agent: number, bytes: Uint8Array): void {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(agent);
    this.write(kinds.bytes, [head, bytes]);
  }

  /** What is sent meanwhile goes out at once. */
  together(work: () => void): void {
    this.stream.cork();
    work();
    this.stream.uncork();
  }

  /** Sends what waits, then closes. */
  end(): void {
    if (!this.closed) this.stream.end();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.stream.destroy();
    this.events.close();
  }

  private write(kind: number, parts: readonly Uint8Array[]): void {
    if (this.closed || this.stream.writableEnded || this.stream.destroyed) return;
    const head = Buffer.alloc(headBytes);
    head.writeUInt32BE(parts.reduce((sum, { length }) => sum + length, 0));
    head[4] = kind;
    this.stream.cork();
    for (const part of [head, ...parts]) this.stream.write(part);
    this.stream.uncork();
  }

  private take(bytes: Buffer): void {
    this.parts.push(bytes);
    this.have += bytes.length;
    while (!this.closed && this.have >= headBytes) {
      const head = this.peek(headBytes);
      const length = head.readUInt32BE();
      if (length > this.most) {
        this.close();
        return;
      }
      if (this.have < headBytes + length) return;
      this.hear(this.peek(headBytes + length), head[4] as number);
      this.drop(headBytes + length);
    }
  }

  private hear(frame: Buffer, kind: number): void {
    const body = frame.subarray(headBytes);
    if (kind === kinds.bytes && body.length >= 4) {
      this.events.bytes(body.readUInt32BE(), body.subarray(4));
      return;
    }
    const value = kind === kinds.json ? parseJson(body.toString('utf8')) : undefined;
    if (value === undefined) this.close();
    else this.events.json(value);
  }

  /** The first bytes in one piece. */
  private peek(length: number): Buffer {
    if ((this.parts[0]?.length ?? 0) < length) this.parts = [Buffer.concat(this.parts)];
    return (this.parts[0] as Buffer).subarray(0, length);
  }

  private drop(length: number): void {
    const first = this.parts[0] as Buffer;
    this.have -= length;
    if (first.length > length) this.parts[0] = first.subarray(length);
    else this.parts.shift();
  }
}
