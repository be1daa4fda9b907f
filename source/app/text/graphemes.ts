import stringWidth from 'string-width';
import { plainNarrow, withoutStyles } from '../../core/text/plain-width.js';
import { printable } from '../../core/text/printable.js';

/** Made when it is needed: the first one takes 15 ms. */
let segmenter: Intl.Segmenter | undefined;
/** A longer text is segmented in pieces, characters. */
const longestSegmented = 1000;

const plainAscii = /^[\x20-\x7e]*$/;

/** What a person sees as one character, as pieces of the string. */
export function graphemes(text: string): string[] {
  if (plainAscii.test(text)) return [...text];
  segmenter ??= new Intl.Segmenter();
  const own = segmenter;
  const segment = (part: string) => Array.from(own.segment(part), (one) => one.segment);
  if (text.length <= longestSegmented) return segment(text);
  // Its time grows with the square of the length; a cluster at a border is worth less than that.
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += longestSegmented) {
    parts.push(...segment(text.slice(at, at + longestSegmented)));
  }
  return parts;
}

export function displayWidth(text: string): number {
  return plainNarrow.test(text) ? text.length : stringWidth(text);
}

/** The width of a text with styles in it. */
export function styledWidth(text: string): number {
  return displayWidth(withoutStyles(text));
}

/** Cuts to a width; what is cut off is told by an ellipsis. Control bytes become pictures. */
export function cut(text: string, width: number): string {
  const safe = printable(text);
  if (width <= 0) return '';
  if (displayWidth(safe) <= width) return safe;
  if (plainNarrow.test(safe)) return `${safe.slice(0, width - 1)}…`;
  let out = '';
  let used = 0;
  for (const piece of graphemes(safe)) {
    const columns = displayWidth(piece);
    if (used + columns > width - 1) break;
    out += piece;
    used += columns;
  }
  return `${out}…`;
}

/** Cuts or pads to exactly a width. */
export function fill(text: string, width: number): string {
  const fitted = cut(text, width);
  return fitted + ' '.repeat(Math.max(0, width - displayWidth(fitted)));
}

/** Like `fill`, the text at the right. */
export function fillLeft(text: string, width: number): string {
  const fitted = cut(text, width);
  return ' '.repeat(Math.max(0, width - displayWidth(fitted))) + fitted;
}

/** Joined emoji, variation selectors, flags, skin tones: terminals disagree about their width. */
const disputed = /[\u200d\ufe0f]|\p{Regional_Indicator}|\p{Emoji_Modifier}/u;
const sgr = /(\x1b\[[\d;]*m)/;

/**
 * Sets the column anew after each character whose width terminals disagree about, so that what comes
 * after it stands where it should.
 */
export function straighten(line: string): string {
  if (!disputed.test(line)) return line;
  let column = 0;
  return line
    .split(sgr)
    .map((part) => {
      if (sgr.test(part)) return part;
      return graphemes(part)
        .map((piece) => {
          column += displayWidth(piece);
          return disputed.test(piece) ? `${piece}\x1b[${column + 1}G` : piece;
        })
        .join('');
    })
    .join('');
}

/** For a terminal that knows no more than ASCII: as many columns, and what can be told is told. */
export function toAscii(text: string): string {
  if (plainBytes.test(text)) return text;
  return graphemes(text)
    .map((piece) => {
      if (plainBytes.test(piece)) return piece;
      return /^[…·]$/.test(piece) ? '.' : '?'.repeat(displayWidth(piece));
    })
    .join('');
}

const plainBytes = /^[\x00-\x7f]*$/;
