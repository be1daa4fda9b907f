import stringWidth from 'string-width';
import type { AgentSummary, Summary } from '../core/run/summary.js';
import { printable } from '../core/text/printable.js';
import { unstartedReasons } from '../core/text/words.js';

export interface Glyphs {
  readonly ok: string;
  readonly bad: string;
  readonly stopped: string;
  /** Worked on, but neither tested nor reviewed. */
  readonly some: string;
  readonly line: string;
  /** Stands where text is cut off. */
  readonly more: string;
}

/** Glyphs for the locale: ASCII where it is not UTF-8. Each stands beside a word, never alone. */
export function glyphsFor(env: Readonly<Record<string, string | undefined>>): Glyphs {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  const utf8 = /utf-?8/i.test(locale) || (locale === '' && process.platform === 'darwin');
  return utf8
    ? { ok: '✓', bad: '✗', stopped: '■', some: '○', line: '─', more: '…' }
    : { ok: '+', bad: 'x', stopped: '#', some: 'o', line: '-', more: '.' };
}

/** Pads or cuts to a display width; wide characters count as two columns. */
export function fitWidth(text: string, width: number, more = '…'): string {
  if (stringWidth(text) <= width) return text + ' '.repeat(width - stringWidth(text));
  let cut = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(cut + segment) > width - 1) break;
    cut += segment;
  }
  return `${cut}${more}${' '.repeat(Math.max(0, width - 1 - stringWidth(cut)))}`;
}

export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s`
    : `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}

export function formatTokens(count: number): string {
  if (count < 1000) return String(count);
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

/** Tokens of turns; where a turn tells no cost and no tokens either, nobody knows them. */
export function tokensOrUnknown(tokens: number, cost: number | null): string {
  return tokens === 0 && cost === null ? 'unknown' : formatTokens(tokens);
}

export function formatCost(cost: number | null): string {
  return cost === null ? 'unknown' : `$${cost.toFixed(cost < 0.1 ? 4 : 2)}`;
}

function row(name: string, agent: AgentSummary, simulated: boolean, glyphs: Glyphs): string[] {
  const { state, reason } = agent.outcome;
  const isStarted = !unstartedReasons.includes(reason ?? '');
  // Why it failed stands below the table, where there is room for it.
  const [glyph, word] =
    state === 'succeeded'
      ? [glyphs.ok, 'succeeded']
      : state === 'killed'
        ? [glyphs.stopped, 'killed']
        : isStarted
          ? [glyphs.bad, 'failed']
          : [glyphs.some, 'not started'];
  const notMerged =
    agent.success && !agent.merged
      ? `, not merged${agent.conflicts.length > 0 ? ': conflict' : ''}`
      : '';
  const added = agent.files_changed.reduce((sum, file) => sum + (file.added ?? 0), 0);
  const removed = agent.files_changed.reduce((sum, file) => sum + (file.removed ?? 0), 0);
  return [
    simulated ? `${name} (simulated)` : name,
    `${agent.task.id} ${agent.task.title}`,
    `${glyph} ${word}${notMerged}`,
    String(agent.iterations),
    String(agent.files_changed.length),
    `+${added} -${removed}`,
    tokensOrUnknown(agent.prompt_tokens + agent.completion_tokens, agent.cost_usd),
    formatCost(agent.cost_usd),
    formatDuration(agent.duration_s),
  ];
}

const heads = ['agent', 'task', 'outcome', 'iter', 'files', '+/-', 'tokens', 'cost', 'time'];
const rightAligned = new Set([3, 4, 5, 6, 7, 8]);

/**
 * The table of a run as lines of text. Task and outcome give way where the width is short.
 * @param width columns of the terminal
 */
export function summaryTable(summary: Summary, width: number, glyphs: Glyphs): string[] {
  const rows = Object.entries(summary.agents).map(([name, agent]) =>
    row(name, agent, summary.simulated, glyphs).map(printable),
  );
  if (rows.length === 0) return [];
  const widths = heads.map((head, column) =>
    Math.max(stringWidth(head), ...rows.map((cells) => stringWidth(cells[column] ?? ''))),
  );
  shrink(widths, width - 2 * (heads.length - 1));
  const draw = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const fitted = fitWidth(cell, widths[column] as number, glyphs.more);
        const text = fitted.trimEnd();
        return rightAligned.has(column)
          ? ' '.repeat((widths[column] as number) - stringWidth(text)) + text
          : fitted;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((columns) => glyphs.line.repeat(columns)).join('  ');
  return [draw(heads), rule, ...rows.map(draw)];
}

/** Takes what is too much from the two columns of words, the wider one first. */
function shrink(widths: number[], room: number): void {
  const least = 5;
  for (;;) {
    const total = widths.reduce((sum, width) => sum + width, 0);
    const [task, outcome] = [widths[1] as number, widths[2] as number];
    if (total <= room || (task <= least && outcome <= least)) return;
    const column = task >= outcome ? 1 : 2;
    widths[column] = (widths[column] as number) - 1;
  }
}
