import stringWidth from 'string-width';
import type { Summary } from '../core/run/summary.js';
import { printable } from '../core/text/printable.js';
import { type AppGlyphs, glyphsIn } from './look.js';
import { columns, rowsOfSummary } from './rows.js';

/** Glyphs for the locale: ASCII where it is not UTF-8. Each stands beside a word, never alone. */
export function glyphsFor(env: Readonly<Record<string, string | undefined>>): AppGlyphs {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  const utf8 = /utf-?8/i.test(locale) || (locale === '' && process.platform === 'darwin');
  return glyphsIn(utf8);
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

/** Of the columns those that a summary tells. */
const shown = columns.filter(({ head }) => head !== 'tests');

/**
 * The table of a run as lines of text. Task and outcome give way where the width is short.
 * @param width columns of the terminal
 */
export function summaryTable(summary: Summary, width: number, glyphs: AppGlyphs): string[] {
  const rows = rowsOfSummary(summary, glyphs).map((row) =>
    shown.map(({ text }) => printable(text(row))),
  );
  if (rows.length === 0) return [];
  const widths = shown.map(({ head }, column) =>
    Math.max(stringWidth(head), ...rows.map((cells) => stringWidth(cells[column] ?? ''))),
  );
  shrink(widths, width - 2 * (shown.length - 1));
  const draw = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const fitted = fitWidth(cell, widths[column] ?? 0, glyphs.more);
        const text = fitted.trimEnd();
        return shown[column]?.right
          ? ' '.repeat((widths[column] ?? 0) - stringWidth(text)) + text
          : fitted;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((columns) => glyphs.line.repeat(columns)).join('  ');
  return [draw(shown.map(({ head }) => head)), rule, ...rows.map(draw)];
}

/** Takes what is too much from the two columns of words, the wider one first. */
function shrink(widths: number[], room: number): void {
  const least = 5;
  for (;;) {
    const total = widths.reduce((sum, width) => sum + width, 0);
    const [task, outcome] = [widths[1] ?? 0, widths[2] ?? 0];
    if (total <= room || (task <= least && outcome <= least)) return;
    const column = task >= outcome ? 1 : 2;
    widths[column] = (widths[column] ?? 0) - 1;
  }
}
