import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { unless, unreadable } from './private-files.js';

/** No link is followed, and nothing is waited for, as of a named pipe. */
const asItIs = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The first bytes of a file, at most so many; null where there is none, or none that can be read. */
export function readStart(file: string, most: number): Buffer | null {
  return readPart(file, (size) => [0, Math.min(size, most)]);
}

/** The last bytes of a file, at most so many and those behind `from`; null as with `readStart`. */
export function readEnd(file: string, most: number, from = 0): Buffer | null {
  return readPart(file, (size) => [Math.max(from, size - most), size]);
}

function readPart(
  file: string,
  part: (size: number) => readonly [from: number, to: number],
): Buffer | null {
  const fd = unless(unreadable, null, () => openSync(file, asItIs));
  if (fd === null) return null;
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return null;
    const [from, to] = part(stats.size);
    const bytes = Buffer.alloc(Math.max(0, to - from));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, from));
  } finally {
    closeSync(fd);
  }
}
