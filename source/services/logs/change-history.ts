import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { parseJson } from '../../core/text/parse-json.js';
import { historyFile } from '../config/folders.js';
import { unless, unreadable, writeWhole } from '../files/private-files.js';

const historySchema = z.array(z.string());
const longest = 100;

/** Changes that were asked for before, the latest last. */
export function readHistory(): string[] {
  const text = unless(unreadable, '', () => readFileSync(historyFile(), 'utf8'));
  // One that is damaged begins anew.
  const parsed = historySchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : [];
}

/** Keeps a change for the next time, like a shell its commands; readable by the user alone. */
export function addToHistory(change: string): void {
  const others = readHistory().filter((one) => one !== change);
  const kept = [...others, change].slice(-longest);
  try {
    writeWhole(historyFile(), `${JSON.stringify(kept, null, 2)}\n`);
  } catch (error) {
    // A history that cannot be written must not stop anybody.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}
