import { closeSync, openSync, writeSync } from 'node:fs';

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
      this.fd ??= openSync(this.file, 'a');
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
