import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * A file of JSON lines that is appended to at once, so that all is there whatever ends the program.
 * A full disk is reported once and must not stop the run.
 */
export class LineFile {
  private fd: number | null = null;
  private failed = false;

  constructor(
    private readonly file: string,
    private readonly onProblem: (problem: string) => void,
  ) {}

  append(value: unknown): void {
    if (this.failed) return;
    try {
      this.fd ??= openForLines(this.file);
      const line = Buffer.from(`${JSON.stringify(value)}\n`);
      for (let at = 0; at < line.length; ) at += writeSync(this.fd, line, at);
    } catch (error) {
      this.failed = true;
      this.onProblem(`${this.file}: ${(error as Error).message}`);
    }
  }

  close(): void {
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }
}

/** Opens a file to append to. Half a line, left by a program that was killed, is ended first. */
function openForLines(file: string): number {
  const fd = openSync(file, 'a+');
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  if (size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 10) writeSync(fd, '\n');
  return fd;
}
