import { iterations } from '../core/agent/agent.js';
import type { RunState } from '../core/run/run.js';
import { formatCost, formatDuration, tokensOrUnknown } from '../headless/table.js';
import { changedFiles, elapsedMs, testWords, totalTokens } from './agent-facts.js';
import { displayWidth } from './text/graphemes.js';
import { type AppGlyphs, lookOf } from './theme.js';

/** A column of the table: its head, its text, what it is sorted by, and whether it stands right. */
interface Column {
  readonly head: string;
  readonly text: (row: RowFacts) => string;
  readonly key: (row: RowFacts) => number | string;
  readonly right: boolean;
}

interface RowFacts {
  readonly index: number;
  readonly task: string;
  readonly outcome: string;
  readonly tests: string;
  readonly iterations: number;
  readonly files: number;
  readonly added: number;
  readonly removed: number;
  readonly tokens: number;
  readonly cost: number | null;
  readonly seconds: number;
}

export const columns: readonly Column[] = [
  { head: 'agent', text: (row) => `agent${row.index}`, key: (row) => row.index, right: false },
  { head: 'task', text: (row) => row.task, key: (row) => row.task, right: false },
  { head: 'outcome', text: (row) => row.outcome, key: (row) => row.outcome, right: false },
  { head: 'tests', text: (row) => row.tests, key: (row) => row.tests, right: false },
  {
    head: 'iter',
    text: (row) => String(row.iterations),
    key: (row) => row.iterations,
    right: true,
  },
  { head: 'files', text: (row) => String(row.files), key: (row) => row.files, right: true },
  {
    head: '+/-',
    text: (row) => `+${row.added} -${row.removed}`,
    key: (row) => row.added + row.removed,
    right: true,
  },
  {
    head: 'tokens',
    text: (row) => tokensOrUnknown(row.tokens, row.cost),
    key: (row) => row.tokens,
    right: true,
  },
  { head: 'cost', text: (row) => formatCost(row.cost), key: (row) => row.cost ?? -1, right: true },
  {
    head: 'time',
    text: (row) => formatDuration(row.seconds),
    key: (row) => row.seconds,
    right: true,
  },
];

/** The rows of the table, one an agent, in their own order. */
export function rowFacts(state: RunState, glyphs: AppGlyphs): RowFacts[] {
  return state.agents.map((agent) => {
    const files = changedFiles(agent);
    // The reason of a failure does not fit into a cell: it stands below the table.
    const look = lookOf(state, agent);
    const merged = state.integration?.merged.includes(agent.index) ?? false;
    const lost = look.word === 'succeeded' && !merged ? ', not merged' : '';
    return {
      index: agent.index,
      task: `${agent.task.id} ${agent.task.title}`,
      outcome: `${glyphs[look.glyph]} ${look.word}${lost}`,
      tests: testWords(state, agent),
      iterations: iterations(agent),
      files: files.length,
      added: files.reduce((sum, file) => sum + (file.added ?? 0), 0),
      removed: files.reduce((sum, file) => sum + (file.removed ?? 0), 0),
      tokens: totalTokens(agent),
      cost: agent.usage.cost,
      seconds: elapsedMs(agent, agent.endedAt ?? 0) / 1000,
    };
  });
}

/** Rows sorted by a column: numbers from the largest, the agents' own order for the first column. */
export function sorted(rows: readonly RowFacts[], by: number): RowFacts[] {
  const { key } = columns[by] as Column;
  return [...rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    const order =
      typeof x === 'number' && typeof y === 'number' ? y - x : String(x).localeCompare(String(y));
    return by === 0 ? a.index - b.index : order || a.index - b.index;
  });
}

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
      .reduce((sum, at) => sum + (all[at] as number), 0) +
    2 * (shown.length - 1) +
    2;
  for (const head of gives) {
    if (fixed() + 2 * leastWords <= width) break;
    shown = shown.filter((place) => columns[place]?.head !== head);
  }
  const room = Math.max(12, width - fixed());
  let [task, outcome] = [all[1] as number, all[2] as number];
  while (task + outcome > room) {
    if (task >= outcome && task > 6) task -= 1;
    else if (outcome > 6) outcome -= 1;
    else break;
  }
  const widths = shown.map((place) =>
    place === 1 ? task : place === 2 ? outcome : (all[place] as number),
  );
  return { shown, widths };
}
