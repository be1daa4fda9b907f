import wrapAnsi from 'wrap-ansi';
import { printable } from '../../core/printable.js';
import type { TextStyle } from './markdown.js';

const styles: readonly (readonly [RegExp, string, string])[] = [
  [/^(diff|index|new file|deleted file|similarity|rename|old mode|new mode) ?/, '1', ''],
  [/^(\+\+\+|---) /, '1', ''],
  [/^@@ /, '', '36'],
  [/^\+/, '', '32'],
  [/^-/, '', '31'],
];

/** A patch as lines for a terminal, coloured, each at most `width` columns. */
export function diffLines(patch: string, width: number, style: TextStyle): string[] {
  return patch.split('\n').flatMap((line) => {
    const [, code = '', colour = ''] = styles.find(([pattern]) => pattern.test(line)) ?? [];
    const codes = [code, style.colour ? colour : ''].filter(Boolean).join(';');
    return plainLines(line, width).map((row) =>
      codes === '' ? row : `\x1b[${codes}m${row}\x1b[0m`,
    );
  });
}

/** Prose as lines of at most `width` columns, broken between words. */
export function proseLines(text: string, width: number): string[] {
  return wrapAnsi(printable(text), Math.max(1, width), { hard: true }).split('\n');
}

/** Any text as lines of at most `width` columns, cut where they end; control bytes as pictures. */
export function plainLines(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) =>
    wrapAnsi(printable(line.replaceAll('\t', '    ')), Math.max(1, width), {
      hard: true,
      trim: false,
      wordWrap: false,
    }).split('\n'),
  );
}
