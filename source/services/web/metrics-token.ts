import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { absent, privateMode, unless, unreadable, writeWhole } from '../files/private-files.js';
import { readStart } from '../files/read-part.js';

/** A token as it is sent: letters, digits, `-` and `_`. */
const form = /^[\w-]{43}$/;

/**
 * The token by which Prometheus reads figures: made once, and kept in a file that only the user can read. One that
 * others could read, or that is none, is replaced. Throws like `fs` where it cannot be written.
 */
export function metricsToken(file: string): string {
  const stats = unless(absent, null, () => lstatSync(file));
  const isOurs =
    stats?.isFile() === true &&
    stats.uid === process.getuid?.() &&
    (stats.mode & 0o777) === privateMode;
  const known = isOurs
    ? (unless(unreadable, null, () => readStart(file, 1000))
        ?.toString()
        .trim() ?? '')
    : '';
  if (form.test(known)) return known;
  const token = randomBytes(32).toString('base64url');
  writeWhole(file, `${token}\n`);
  return token;
}

/** Whether a request shows the token. @param header `Authorization`, as it has come */
export function showsToken(header: string | undefined, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(header ?? ''), hash(`Bearer ${token}`));
}
