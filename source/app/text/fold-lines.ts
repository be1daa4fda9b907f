import type { Keymap } from '../keymap.js';
import { proseLines } from './diff-lines.js';

/** A text as lines; where there is no room for all of it, the last one names the key that shows it. */
export function foldLines(text: string, width: number, most: number, keymap: Keymap): string[] {
  const lines = proseLines(text, Math.max(8, width));
  return lines.length <= most
    ? lines
    : [...lines.slice(0, most - 1), `… ${keymap.label('run.open')} shows all of it`];
}
