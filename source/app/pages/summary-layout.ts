import type { Agent } from '../../core/agent/agent.js';
import type { RunState } from '../../core/run/run.js';
import type { Summary } from '../../core/run/summary.js';
import { failureWords } from '../../view/agent-facts.js';
import type { AppGlyphs } from '../../view/look.js';
import { summaryReport } from '../../view/report.js';
import type { Keymap } from '../keymap.js';
import { proseLines } from '../text/diff-lines.js';
import { foldLines } from '../text/fold-lines.js';
import { type Head, headLines } from './summary-words.js';

interface HeadLine {
  readonly line: string;
  readonly isGood: boolean | null;
}

/** How the summary's parts share the window. */
export interface SummaryLayout {
  readonly heads: readonly HeadLine[];
  /** Why the agent in the row did not succeed, whole. */
  readonly why: readonly string[];
  /** The text below the table, which scrolls. */
  readonly scrolling: readonly string[];
  readonly tableHeight: number;
  /** Rows for that text. */
  readonly below: number;
  /** A blank row stands above the table. */
  readonly hasGap: boolean;
}

/** The report below the table, as lines of a width; what the table tells is left out. */
export function reportLines(summary: Summary, glyphs: AppGlyphs, cols: number): string[] {
  const lines = summaryReport(summary, 200, glyphs);
  const from = lines.indexOf('');
  return lines.slice(from + 1).flatMap((line) => {
    const indent = /^\s*(?:\S\s)?/.exec(line)?.[0].length ?? 0;
    return proseLines(line, Math.max(8, cols - 2 - indent)).map((part, row) =>
      row === 0 ? part : ' '.repeat(indent) + part,
    );
  });
}

/**
 * @param count rows of the table
 * @param noteHeight rows that a note takes
 */
export function layoutSummary(
  state: RunState,
  agent: Agent | undefined,
  report: readonly string[],
  size: { readonly cols: number; readonly rows: number },
  count: number,
  noteHeight: number,
  { glyphs, now, keymap }: { glyphs: AppGlyphs; now: number; keymap: Keymap },
): SummaryLayout {
  const { cols, rows } = size;
  const head = headLines(state, glyphs, now, keymap);
  const wrapped = (all: readonly Head[]): HeadLine[] =>
    all.flatMap(({ text, isGood }) =>
      proseLines(text, Math.max(8, cols - 2)).map((line) => ({ line, isGood })),
    );
  const all = wrapped([head.outcome, ...head.advice, head.totals]);
  const whole = whyLines(agent, size, keymap);
  // In a small terminal the totals scroll with the text, where the reasons are too.
  const isSmall = rows - 5 - all.length - noteHeight - whole.length < 5;
  const wanted = isSmall ? wrapped([head.outcome, ...head.advice]) : all;
  // What is longer than there is room for scrolls with the text.
  const most = Math.max(1, rows - 8 - noteHeight);
  const isLong = wanted.length > most;
  const more = `… ${keymap.label('summary.pageDown')} shows all of it`;
  const heads = isLong ? [...wanted.slice(0, most - 1), { line: more, isGood: null }] : wanted;
  const why = isSmall ? [] : whole;
  const first = isLong ? all : isSmall ? wrapped([head.totals]) : [];
  const beside = (isSmall ? 4 : 5) + heads.length + noteHeight + why.length;
  const room = Math.max(2, rows - beside);
  // The table has at most two thirds of the room, and leaves rows for the text.
  const tableHeight = Math.max(
    1,
    Math.min(count, Math.ceil((room * (isSmall ? 1 : 2)) / (isSmall ? 2 : 3)), room - 1),
  );
  return {
    heads,
    why,
    scrolling: [...first.map(({ line }) => line), ...report],
    tableHeight,
    below: Math.max(1, room - tableHeight),
    hasGap: !isSmall,
  };
}

function whyLines(
  agent: Agent | undefined,
  { cols, rows }: { readonly cols: number; readonly rows: number },
  keymap: Keymap,
): string[] {
  const why = agent ? failureWords(agent) : '';
  if (!agent || why === '') return [];
  const text = `agent${agent.index} ${why.charAt(0).toLowerCase()}${why.slice(1)}`;
  return foldLines(text, cols - 2, Math.max(2, rows / 4), keymap);
}
