import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { absent, hasCode } from '../files/private-files.js';

/** The lines of a file as they are written. No link is followed, no pipe waited for. */
export class FollowedFile {
  private fd: number | null = null;
  private at = 0;
  private rest = '';
  private readonly decoder = new StringDecoder('utf8');
  private readonly block = Buffer.alloc(64 * 1024);

  constructor(private readonly file: string) {}

  /** Whole lines that have come since the last time; none where there is no such file (yet). Throws like `fs`. */
  *lines(): Generator<string> {
    if (this.fd === null && !this.open()) return;
    for (;;) {
      const length = readSync(this.fd as number, this.block, 0, this.block.length, this.at);
      if (length === 0) return;
      this.at += length;
      const lines = (this.rest + this.decoder.write(this.block.subarray(0, length))).split('\n');
      this.rest = lines.pop() as string;
      yield* lines;
    }
  }

  close(): void {
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }

  private open(): boolean {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    try {
      this.fd = openSync(this.file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      if (hasCode(error, ...absent)) return false;
      throw error;
    }
    if (fstatSync(this.fd).isFile()) return true;
    this.close();
    return false;
  }
}
