import { closeSync, openSync, writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

/** Output is gathered for this long, or until it is this much, before it is written as one event. */
const gatherMs = 20;
const gatherChars = 64 * 1024;

/**
 * A terminal recording in asciicast v2: a header line, then `[seconds, "o", text]` for each output.
 * https://docs.asciinema.org/manual/asciicast/v2/
 */
export class Recording {
  private fd: number | null;
  private readonly decoder = new StringDecoder('utf8');
  private readonly start: number;
  private gathered = '';
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
    if (this.fd === null) return;
    if (this.gathered === '') this.since = Date.now();
    this.gathered += this.decoder.write(bytes);
    if (this.gathered.length >= gatherChars) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  resize(cols: number, rows: number): void {
    this.event('r', `${cols}x${rows}`);
  }

  /** A marker, which players show on their time line. */
  mark(label: string): void {
    this.event('m', label);
  }

  close(): void {
    this.gathered += this.decoder.end();
    this.flush();
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }

  /** Writes what has been gathered. */
  flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const text = this.gathered;
    this.gathered = '';
    if (text !== '') this.line(this.at(this.since, 'o', text));
  }

  private event(code: 'r' | 'm', data: string): void {
    this.flush();
    this.line(this.at(Date.now(), code, data));
  }

  private at(now: number, code: 'o' | 'r' | 'm', data: string) {
    return [Math.max(0, now - this.start) / 1000, code, data];
  }

  private line(value: unknown): void {
    if (this.fd === null) return;
    const text = Buffer.from(`${JSON.stringify(value)}\n`);
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
