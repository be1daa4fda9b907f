import { useState } from 'react';
import { keyLabel } from '../keymap.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { displayWidth } from '../text/graphemes.js';
import type { Row } from './rows.js';

export function widest(...texts: readonly string[]): number {
  return Math.max(...texts.map(displayWidth));
}

/** A title and lines as they fit into the window: nothing of a question or a reason is cut. */
export function useFitted(title: string, lines: readonly string[]) {
  const { cols } = useSize();
  // The border and a blank at each side; the title has the corners beside it too.
  const most = Math.max(10, cols - 4);
  const fits = displayWidth(title) <= most - 4;
  const all = fits ? lines : [title, ...lines];
  return {
    title: fits ? title : '',
    lines: all.flatMap((line) => proseLines(line, most)),
    room: most,
  };
}

/** A key that does nothing in a dialog is told there, above the keys that do something. */
export function useStrayKey(): {
  readonly rows: readonly Row[];
  readonly met: (key: string) => void;
} {
  const { theme } = useEnvironment();
  const [key, setKey] = useState<string | null>(null);
  const text = key === null ? '' : `${keyLabel(key, theme.unicode)} does nothing here.`;
  return { rows: text === '' ? [] : [{ text, colour: 'yellow' }], met: setKey };
}

/** A list window that keeps the chosen row in sight. */
export function windowStart(chosen: number, height: number, count: number): number {
  return Math.max(0, Math.min(chosen - Math.floor(height / 2), count - height));
}
