import wrapAnsi from 'wrap-ansi';
import { plainNarrow } from '../../core/text/plain-width.js';
import { printable, printableLines } from '../../core/text/printable.js';
import { displayWidth, graphemes } from './graphemes.js';
import type { TextStyle } from './text-style.js';

/** Of a longer text nobody scrolls to the end, and to lay it out would hold the keys up; characters. */
const mostShown = 100_000;

/** A text as far as it is shown. */
export function shown(text: string): string {
  if (text.length <= mostShown) return text;
  const left = text.length - mostShown;
  return `${text.slice(0, mostShown)}\n… and ${left} characters more, which are not shown here`;
}

const styles: readonly (readonly [RegExp, string, string])[] = [
  [/^(diff|index|new file|deleted file|similarity|rename|old mode|new mode) ?/, '1', ''],
  [/^(\+\+\+|---) /, '1', ''],
  [/^@@ /, '', '36'],
  [/^\+/, '', '32'],
  [/^-/, '', '31'],
];

/** A patch as lines for a terminal, coloured, each at most `width` columns. */
export function diffLines(patch: string, width: number, style: TextStyle): string[] {
  return shown(patch)
    .split('\n')
    .flatMap((line) => {
      if (line === '') return line;
      const [, code = '', colour = ''] = styles.find(([pattern]) => pattern.test(line)) ?? [];
      const codes = [code, style.colour ? colour : ''].filter(Boolean).join(';');
      return plainLines(line, width).map((row) =>
        codes === '' ? row : `\x1b[${codes}m${row}\x1b[0m`,
      );
    });
}

/** The library that wraps takes quadratic time for a long line, and no prose has one; characters. */
const longestLine = 2000;

/** Prose as lines of at most `width` columns, broken between words. */
export function proseLines(text: string, width: number): string[] {
  const most = Math.max(1, width);
  return printableLines(shown(text))
    .split('\n')
    .flatMap((line) =>
      line.length > longestLine || (line.length <= most && plainNarrow.test(line))
        ? rowsOf(line, most)
        : wrapAnsi(line, most, { hard: true }).split('\n'),
    );
}

/** Any text as lines of at most `width` columns, cut where they end; control bytes as pictures. */
export function plainLines(text: string, width: number): string[] {
  return shown(text)
    .split('\n')
    .flatMap((line) =>
      line === '' ? line : rowsOf(printable(line.replaceAll('\t', '    ')), Math.max(1, width)),
    );
}

/** A line without styles, cut at each `width` columns. */
function rowsOf(line: string, width: number): string[] {
  if (line.length <= width && plainNarrow.test(line)) return [line];
  const rows: string[] = [];
  if (plainNarrow.test(line)) {
    for (let at = 0; at < line.length; at += width) rows.push(line.slice(at, at + width));
    return rows;
  }
  // To measure one takes 50 µs, and few are different.
  const widths = new Map<string, number>();
  let row = '';
  let used = 0;
  for (const piece of graphemes(line)) {
    const columns = widths.get(piece) ?? displayWidth(piece);
    widths.set(piece, columns);
    if (used + columns > width && row !== '') {
      rows.push(row);
      row = '';
      used = 0;
    }
    row += piece;
    used += columns;
  }
  rows.push(row);
  return rows;
}
