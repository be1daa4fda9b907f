/** What could steer a terminal, or fake what stands there by turning the direction of writing. */
const dangerous =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

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
  return text.replace(dangerous, pictureOf);
}

function pictureOf(char: string): string {
  const code = char.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

/** The same for a text of several lines, whose line ends stay. */
export function printableLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(dangerousInLines, pictureOf);
}

/** JSON that means the same and holds nothing of that kind, as it may be read on a terminal too. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(dangerous, (char) =>
    char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
