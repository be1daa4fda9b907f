import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { historyFile } from '../config/folders.js';
import { writeWhole } from '../files/private-files.js';

const historySchema = z.array(z.string());
const longest = 100;

/** Changes that were asked for before, the latest last. */
export function readHistory(): string[] {
  try {
    return historySchema.parse(JSON.parse(readFileSync(historyFile(), 'utf8')));
  } catch {
    return [];
  }
}

/** Keeps a change for the next time, like a shell its commands; readable by the user alone. */
export function addToHistory(change: string): void {
  const others = readHistory().filter((one) => one !== change);
  const kept = [...others, change].slice(-longest);
  try {
    writeWhole(historyFile(), `${JSON.stringify(kept, null, 2)}\n`, 0o600);
  } catch {
    // A history that cannot be written must not stop anybody.
  }
}
