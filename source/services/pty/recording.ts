import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, writeSync } from 'node:fs';

/** Output is gathered for this long, or until it is this much, before it is written as one event. */
const gatherMs = 20;
const gatherBytes = 64 * 1024;

/**
 * A terminal recording in asciicast v2: a header line, then `[seconds, "o", text]` for each output.
 * https://docs.asciinema.org/manual/asciicast/v2/
 *
 * Agents print many megabytes, so no text is made of their bytes: each is taken for a character (Latin-1),
 * escaped for JSON, and a byte again; what is not ASCII passes through, and is the UTF-8 it was.
 */
export class Recording {
  private fd: number | null;
  private readonly start: number;
  private readonly gathered = Buffer.allocUnsafe(gatherBytes);
  private length = 0;
  /** When the first of what is gathered came. */
  private since = 0;
  private timer: NodeJS.Timeout | null = null;
  /** Why nothing more is recorded, such as a full disk; null while all is well. */
  problem: string | null = null;

  constructor(file: string, cols: number, rows: number, title: string, now = Date.now()) {
    this.start = now;
    this.fd = openSync(file, 'w');
    this.line({ version: 2, width: cols, height: rows, timestamp: Math.floor(now / 1000), title });
  }

  output(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && this.fd !== null; ) {
      if (this.length === 0) this.since = Date.now();
      const taken = bytes.copy(this.gathered, this.length, at);
      this.length += taken;
      at += taken;
      if (this.length === gatherBytes) this.write(wholeLength(this.gathered, this.length));
      else this.timer ??= setTimeout(() => this.flushWhole(), gatherMs);
    }
  }

  resize(cols: number, rows: number): void {
    this.event('r', `${cols}x${rows}`);
  }

  /** A marker, which players show on their time line. */
  mark(label: string): void {
    this.event('m', label);
  }

  close(): void {
    this.flush();
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }

  /** Writes all that has been gathered. */
  flush(): void {
    this.write(this.length);
  }

  /** A character whose end has not come yet waits for it. */
  private flushWhole(): void {
    this.timer = null;
    this.write(wholeLength(this.gathered, this.length));
  }

  /** Writes the first of the gathered bytes as one event. */
  private write(length: number): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (length === 0) return;
    const bytes = this.gathered.subarray(0, length);
    const seconds = this.seconds(this.since);
    if (isUtf8(bytes)) {
      const data = JSON.stringify(bytes.toString('latin1'));
      this.bytes(Buffer.from(`[${seconds},"o",${data}]\n`, 'latin1'));
    } else this.line([seconds, 'o', bytes.toString('utf8')]);
    this.gathered.copyWithin(0, length, this.length);
    this.length -= length;
  }

  private event(code: 'r' | 'm', data: string): void {
    this.flush();
    this.line([this.seconds(Date.now()), code, data]);
  }

  private seconds(now: number): number {
    return Math.max(0, now - this.start) / 1000;
  }

  private line(value: unknown): void {
    this.bytes(Buffer.from(`${JSON.stringify(value)}\n`));
  }

  private bytes(text: Buffer): void {
    if (this.fd === null) return;
    try {
      // The kernel may take less than it was given, most of all when the disk is nearly full.
      for (let at = 0; at < text.length; ) at += writeSync(this.fd, text, at);
    } catch (error) {
      // A recording must not stop the agent it records.
      this.problem = (error as Error).message;
      closeSync(this.fd);
      this.fd = null;
    }
  }
}

/** How many of the bytes make whole characters: up to three at the end may wait for more. */
function wholeLength(bytes: Buffer, length: number): number {
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? length - back : length;
  }
  return length;
}
