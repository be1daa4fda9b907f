import { openPrivate } from '../files/private-files.js';
import { dropHalfLine } from '../logs/line-file.js';
import { recordedSince } from './recorded-output.js';
import { mostBytes, type RecordingWriter } from './recording-writer.js';

/**
 * A terminal recording in asciicast v2: a header line, then `[seconds, "o", text]` for each output.
 * https://docs.asciinema.org/manual/asciicast/v2/
 *
 * Agents print many megabytes, so no text is made of their bytes: they are gathered for a moment, and
 * another thread escapes them as bytes; what is not ASCII passes through, and is the UTF-8 it was.
 */
export class Recording {
  private readonly fd: number;
  private readonly start: number;
  /** Null while there is nothing. */
  private gathered: Buffer | null = null;
  private length = 0;
  /** When the first of what is gathered came. */
  private since = 0;
  private closed = false;

  constructor(
    file: string,
    cols: number,
    rows: number,
    title: string,
    private readonly writer: RecordingWriter,
    now = Date.now(),
  ) {
    // One that a program before this one has begun goes on, at its own time.
    const since = recordedSince(file);
    this.start = since ?? now;
    this.fd = openPrivate(file, since === null ? 'anew' : 'append');
    if (since === null) {
      const timestamp = Math.floor(now / 1000);
      this.line({ version: 2, width: cols, height: rows, timestamp, title });
    } else {
      dropHalfLine(this.fd);
      this.resize(cols, rows);
    }
  }

  output(bytes: Buffer): void {
    if (this.closed) return;
    for (let at = 0; at < bytes.length; ) {
      this.gathered ??= Buffer.allocUnsafe(mostBytes);
      if (this.length === 0) {
        this.since = Date.now();
        this.writer.soon(this.flushWhole);
      }
      const taken = bytes.copy(this.gathered, this.length, at);
      this.length += taken;
      at += taken;
      if (this.length === mostBytes) this.write(wholeLength(this.gathered, this.length));
    }
  }

  resize(cols: number, rows: number): void {
    this.event('r', `${cols}x${rows}`);
  }

  /** A marker, which players show on their time line. */
  mark(label: string): void {
    this.event('m', label);
  }

  /** Why nothing more is recorded, such as a full disk; null when all that was given is on disk. */
  problem(): string | null {
    if (this.closed) return null;
    this.flush();
    return this.writer.problemOf(this.fd);
  }

  /** Writes all that was given, to the disk's end. */
  close(): void {
    if (this.closed) return;
    this.flush();
    this.closed = true;
    this.writer.end(this.fd);
  }

  private flush(): void {
    this.write(this.length);
    this.gathered = null;
  }

  /** A character whose end has not come yet waits for it. */
  private readonly flushWhole = () => {
    if (this.gathered) this.write(wholeLength(this.gathered, this.length));
  };

  /** Writes the first of the gathered bytes as one event. */
  private write(length: number): void {
    const { gathered, since } = this;
    if (!gathered || length === 0) return;
    this.writer.output(this.fd, this.seconds(since), gathered.subarray(0, length));
    gathered.copyWithin(0, length, this.length);
    this.length -= length;
    if (this.length > 0) this.writer.soon(this.flushWhole);
  }

  private event(code: 'r' | 'm', data: string): void {
    if (this.closed) return;
    this.flush();
    this.line([this.seconds(Date.now()), code, data]);
  }

  private seconds(now: number): number {
    return Math.max(0, now - this.start) / 1000;
  }

  private line(value: unknown): void {
    this.writer.line(this.fd, `${JSON.stringify(value)}\n`);
  }
}

/** How many of the bytes make whole characters: up to three at the end may wait for more. */
function wholeLength(bytes: Buffer, length: number): number {
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? length - back : length;
  }
  return length;
}
