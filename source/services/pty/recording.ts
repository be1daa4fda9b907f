import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, writeSync } from 'node:fs';

/** Output is gathered for this long, or until it is this much, before it is written as one event. */
const gatherMs = 20;
const gatherBytes = 64 * 1024;

/** The longest that JSON makes of a byte: `\u001b`. */
const longestEscape = 6;

/**
 * A terminal recording in asciicast v2: a header line, then `[seconds, "o", text]` for each output.
 * https://docs.asciinema.org/manual/asciicast/v2/
 *
 * Agents print many megabytes, so bytes stay bytes: escaped for JSON as they are, which costs a fifth of
 * what it takes to make strings of them and to make bytes of those again.
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
    if (isUtf8(bytes)) this.bytes(escaped(`[${seconds},"o","`, bytes, '"]\n'));
    else this.line([seconds, 'o', bytes.toString('utf8')]);
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

const hex = '0123456789abcdef';

/** What stands for a byte in a JSON string; undefined for one that stands for itself. */
const escapes: readonly (Buffer | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x22 || byte === 0x5c) return Buffer.from(`\\${String.fromCharCode(byte)}`);
  if (byte >= 0x20) return undefined;
  const short = { 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r' }[byte as 8];
  return Buffer.from(short ? `\\${short}` : `\\u00${hex[byte >> 4]}${hex[byte & 15]}`);
});

/** Only one is written at a time, so that the room for it is taken once. */
let room = Buffer.allocUnsafe(0);

/** Bytes of UTF-8 as the inside of a JSON string, between two texts in ASCII (RFC 8259, section 7). */
function escaped(before: string, bytes: Buffer, after: string): Buffer {
  const most = bytes.length * longestEscape + before.length + after.length;
  if (room.length < most) room = Buffer.allocUnsafeSlow(most);
  let to = room.write(before, 'latin1');
  for (let from = 0; from < bytes.length; from++) {
    const byte = bytes[from] as number;
    if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) {
      room[to++] = byte;
      continue;
    }
    const escape = escapes[byte] as Buffer;
    for (let at = 0; at < escape.length; at++) room[to++] = escape[at] as number;
  }
  to += room.write(after, to, 'latin1');
  return room.subarray(0, to);
}
