/** What could steer a terminal, or fake what stands there by turning the direction of writing; in runs. */
const dangerous =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

const dangerousInLines = new RegExp(
  dangerous.source.replace('\\u0000-\\u001f', '\\u0000-\\u0009\\u000b-\\u001f'),
  'g',
);

/**
 * Text from outside (a model, file names, branch names) for a terminal: control characters become
 * their pictures (U+2400…), and marks that turn the direction of writing become visible, so that
 * nothing can steer the terminal or fake what stands there.
 */
export function printable(text: string): string {
  return text.replace(dangerous, picturesOf);
}

function picturesOf(chars: string): string {
  if (chars.length === 1) return String.fromCharCode(pictureOf(chars.charCodeAt(0)));
  const pieces: string[] = [];
  for (let from = 0; from < chars.length; from += mostAtOnce) {
    const length = Math.min(mostAtOnce, chars.length - from);
    const codes = Array.from({ length }, (_, index) => pictureOf(chars.charCodeAt(from + index)));
    pieces.push(String.fromCharCode(...codes));
  }
  return pieces.join('');
}

/** A call takes only so many arguments. */
const mostAtOnce = 4096;

function pictureOf(code: number): number {
  if (code < 0x20) return 0x2400 + code;
  return code === 0x7f ? 0x2421 : 0xfffd;
}

/** The same for a text of several lines, whose line ends stay. */
export function printableLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(dangerousInLines, picturesOf);
}

/** JSON that means the same and holds nothing of that kind, as it may be read on a terminal too. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(dangerous, (chars) =>
    Array.from(chars, (char) =>
      char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
