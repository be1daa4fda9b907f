import { readFileSync, writeFileSync } from 'node:fs';
import { faultOfError } from '../../../core/policy/machine-fault.js';
import { hasCode, unless, unreadable } from '../../files/private-files.js';
import { maskBytes } from '../../pty/secret-mask.js';

/** Masks secrets in what Aider wrote, and says where one may still be. */
export function maskFiles(
  files: readonly string[],
  secrets: readonly string[],
  warn: (text: string) => void,
): void {
  for (const file of files) {
    const problem = maskFile(file, secrets);
    if (problem !== null) warn(`a key may stand in ${file}: ${problem}`);
  }
}

/**
 * Masks secrets in a file that Aider wrote; its length stays, so that what comes is still found behind it.
 * @returns why one may still be there; null when none is
 */
function maskFile(file: string, secrets: readonly string[]): string | null {
  const bytes = unless(unreadable, null, () => readFileSync(file));
  if (!bytes || !maskBytes(bytes, secrets)) return null;
  try {
    writeFileSync(file, bytes, { flag: 'r+' });
    return null;
  } catch (error) {
    if (faultOfError(error) === null && !hasCode(error, ...unreadable)) throw error;
    return (error as Error).message;
  }
}
