import { closeSync, type FSWatcher, openSync, readSync, watch } from 'node:fs';
import { maskText } from '../../pty/secret-mask.js';
import { type AiderEvent, parseAiderEvent } from './analytics-log.js';

/** Cuts a growing log into whole lines; a partial last line waits for its rest. */
export class LineSplitter {
  /** Pieces of the line that has no end yet; put together once, however many they are. */
  private rest: Buffer[] = [];

  /** Whole lines that `chunk` completes, without their line ends. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      if (this.rest.length === 0) lines.push(chunk.toString('utf8', start, end));
      else lines.push(Buffer.concat([...this.rest, chunk.subarray(start, end)]).toString());
      this.rest = [];
      start = end + 1;
    }
    if (start < chunk.length) this.rest.push(chunk.subarray(start));
    return lines;
  }
}

/**
 * Follows Aider's analytics log by offset, from where it ends now: each whole line becomes an event,
 * in order, once. The system tells of each change; nothing is polled.
 */
export class LogTail {
  private readonly fd: number;
  private readonly watcher: FSWatcher;
  private readonly splitter = new LineSplitter();
  private readonly chunk = Buffer.allocUnsafe(64 * 1024);
  private offset: number;

  constructor(
    file: string,
    from: number,
    private readonly onEvent: (event: AiderEvent) => void,
    /** Values that no event may hold, such as a key that a provider repeats in its error. */
    private readonly secrets: readonly string[] = [],
  ) {
    this.fd = openSync(file, 'r');
    this.offset = from;
    this.watcher = watch(file, () => this.read());
    this.watcher.on('error', () => {});
  }

  /** Reads what is there now; to be called once more when the process has ended. */
  read(): void {
    for (;;) {
      const length = readSync(this.fd, this.chunk, 0, this.chunk.length, this.offset);
      if (length === 0) return;
      this.offset += length;
      for (const line of this.splitter.push(Buffer.from(this.chunk.subarray(0, length)))) {
        const event = parseAiderEvent(maskText(line, this.secrets));
        if (event) this.onEvent(event);
      }
    }
  }

  close(): void {
    this.watcher.close();
    closeSync(this.fd);
  }
}
