import { columns, type RowFacts } from '../../view/rows.js';
import { displayWidth } from '../text/graphemes.js';

/** Columns that are left out where there is no room, in that order. */
const gives = ['+/-', 'tokens', 'files', 'tests', 'iter', 'time', 'cost'];
/** Least width of the columns of words before another column is left out. */
const leastWords = 14;

export interface FittedColumns {
  /** Which of {@link columns}, by their place. */
  readonly shown: readonly number[];
  /** Their widths. */
  readonly widths: readonly number[];
}

/** The columns there is room for; task and outcome give way first, then whole columns are left out. */
export function fitColumns(rows: readonly RowFacts[], width: number): FittedColumns {
  const all = columns.map(({ head, text }) =>
    Math.max(displayWidth(head), ...rows.map((row) => displayWidth(text(row)))),
  );
  let shown = columns.map((_, place) => place);
  const fixed = () =>
    shown
      .filter((place) => place !== 1 && place !== 2)
      .reduce((sum, at) => sum + (all[at] ?? 0), 0) +
    2 * (shown.length - 1) +
    2;
  for (const head of gives) {
    if (fixed() + 2 * leastWords <= width) break;
    shown = shown.filter((place) => columns[place]?.head !== head);
  }
  const room = Math.max(12, width - fixed());
  let [task, outcome] = [all[1] ?? 0, all[2] ?? 0];
  while (task + outcome > room) {
    if (task >= outcome && task > 6) task -= 1;
    else if (outcome > 6) outcome -= 1;
    else break;
  }
  const widths = shown.map((place) =>
    place === 1 ? task : place === 2 ? outcome : (all[place] ?? 0),
  );
  return { shown, widths };
}
