import { closeSync, openSync, writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

/**
 * A terminal recording in asciicast v2: a header line, then `[seconds, "o", text]` for each output.
 * https://docs.asciinema.org/manual/asciicast/v2/
 */
export class Recording {
  private fd: number | null;
  private readonly decoder = new StringDecoder('utf8');
  private readonly start: number;
  /** Why nothing more is recorded, such as a full disk; null while all is well. */
  problem: string | null = null;

  constructor(file: string, cols: number, rows: number, title: string, now = Date.now()) {
    this.start = now;
    this.fd = openSync(file, 'w');
    this.line({ version: 2, width: cols, height: rows, timestamp: Math.floor(now / 1000), title });
  }

  output(bytes: Buffer): void {
    this.event('o', this.decoder.write(bytes));
  }

  resize(cols: number, rows: number): void {
    this.event('r', `${cols}x${rows}`);
  }

  /** A marker, which players show on their time line. */
  mark(label: string): void {
    this.event('m', label);
  }

  close(): void {
    const rest = this.decoder.end();
    if (rest !== '') this.event('o', rest);
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }

  private event(code: 'o' | 'r' | 'm', data: string): void {
    if (data === '') return;
    this.line([Math.max(0, Date.now() - this.start) / 1000, code, data]);
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
