import { closeSync, fstatSync, fsyncSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { makePrivateFolder, openPrivate } from '../files/private-files.js';

export interface LineFileOptions {
  /** The first line of a file that is empty. */
  readonly head?: unknown;
  /** Makes sure that the folder is as it has to be, when the file is made. */
  readonly prepare?: () => void;
}

/**
 * A file of JSON lines that is appended to at once, so that all is there whatever ends the program.
 * A full disk is reported once and must not stop the run; nor must somebody who removes the file.
 */
export class LineFile {
  private fd: number | null = null;
  private failed = false;

  constructor(
    private readonly file: string,
    private readonly onProblem: (problem: string) => void,
    private readonly options: LineFileOptions = {},
  ) {}

  /** @param important waits until it is on the disk, as it must be there also after a power cut */
  append(value: unknown, important = false): void {
    if (this.failed) return;
    try {
      const fd = this.open();
      writeLine(fd, value);
      if (important) fsyncSync(fd);
    } catch (error) {
      this.failed = true;
      this.onProblem(`${this.file}: ${(error as Error).message}`);
    }
  }

  close(): void {
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }

  private open(): number {
    if (this.fd !== null) {
      if (fstatSync(this.fd).nlink > 0) return this.fd;
      this.close();
      this.onProblem(`${this.file} was removed while the run went; it begins anew`);
    }
    this.options.prepare?.();
    makePrivateFolder(path.dirname(this.file));
    this.fd = openPrivate(this.file, 'append');
    dropHalfLine(this.fd);
    if (this.options.head !== undefined && fstatSync(this.fd).size === 0) {
      writeLine(this.fd, this.options.head);
    }
    return this.fd;
  }
}

function writeLine(fd: number, value: unknown): void {
  const line = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let at = 0; at < line.length; ) at += writeSync(fd, line, at);
}

/** Half a line, left by a program that was killed or a disk that was full, is no line. */
export function dropHalfLine(fd: number): void {
  const block = Buffer.alloc(64 * 1024);
  const { size } = fstatSync(fd);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - block.length);
    const length = readSync(fd, block, 0, end - from, from);
    const at = block.subarray(0, length).lastIndexOf(10);
    if (at >= 0 || from === 0) {
      const whole = from + at + 1;
      if (whole < size) ftruncateSync(fd, whole);
      return;
    }
    end = from;
  }
}
