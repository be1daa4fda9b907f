import { fill } from '../text/graphemes.js';
import { Line, type LineProps } from './line.js';

/** One row of the screen and how it looks. */
export interface Row extends Omit<LineProps, 'children'> {
  readonly text: string;
}

/** Rows one below the other, each as wide as the place; a row is known by its place. */
export function Rows({ rows, width }: { readonly rows: readonly Row[]; readonly width: number }) {
  return rows.map(({ text, ...look }, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
    <Line key={place} {...look}>
      {fill(text, width)}
    </Line>
  ));
}
