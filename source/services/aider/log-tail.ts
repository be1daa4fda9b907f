import { closeSync, type FSWatcher, openSync, readSync, watch } from 'node:fs';
import { parseAiderEvent } from '../../core/aider-log.js';
import type { AiderEvent } from '../../core/run.js';

/** Cuts a growing log into whole lines; a partial last line waits for its rest. */
export class LineSplitter {
  private rest: Buffer = Buffer.alloc(0);

  /** Whole lines that `chunk` completes, without their line ends. */
  push(chunk: Buffer): string[] {
    const all = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    const lines: string[] = [];
    let start = 0;
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, start)) {
      lines.push(all.toString('utf8', start, end));
      start = end + 1;
    }
    this.rest = all.subarray(start);
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
        const event = parseAiderEvent(line);
        if (event) this.onEvent(event);
      }
    }
  }

  close(): void {
    this.watcher.close();
    closeSync(this.fd);
  }
}
