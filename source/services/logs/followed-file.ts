import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { absent, hasCode } from '../files/private-files.js';

const newline = 0x0a;

/** What is read at once, bytes. */
const blockBytes = 64 * 1024;

/**
 * The lines of a file as they are written. No link is followed, no pipe waited for. A line that has come by half is
 * read again when there is more: whoever goes on with a file may cut it off.
 */
export class FollowedFile {
  private fd: number | null = null;
  /** Where the first line begins that was not given yet. */
  private at = 0;

  constructor(private readonly file: string) {}

  /** Whole lines that have come since the last time; none where there is no such file (yet). Throws like `fs`. */
  *lines(): Generator<string> {
    if (this.fd === null && !this.open()) return;
    // It is asked often, and mostly there is nothing.
    if (fstatSync(this.fd as number).size <= this.at) return;
    const parts: Buffer[] = [];
    for (let from = this.at; ; ) {
      const block = Buffer.allocUnsafe(blockBytes);
      const length = readSync(this.fd as number, block, 0, blockBytes, from);
      if (length === 0) return;
      from += length;
      let begin = 0;
      for (let end = block.indexOf(newline); end >= 0 && end < length; ) {
        parts.push(block.subarray(begin, end));
        const line = Buffer.concat(parts);
        parts.length = 0;
        this.at += line.length + 1;
        yield line.toString('utf8');
        begin = end + 1;
        end = block.indexOf(newline, begin);
      }
      parts.push(block.subarray(begin, length));
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
