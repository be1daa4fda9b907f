/**
 * Small readers of text whose time grows with the text alone. A pattern such as `/:+$/` tries each of many
 * colons anew, and so takes minutes for a megabyte of them that a model may write.
 */

/** A text without these characters at its end. */
export function trimEndOf(text: string, chars: string): string {
  let end = text.length;
  while (end > 0 && chars.includes(text[end - 1] ?? '')) end -= 1;
  return text.slice(0, end);
}

/** A text without these characters at its beginning. */
export function trimStartOf(text: string, chars: string): string {
  let start = 0;
  while (start < text.length && chars.includes(text[start] ?? '')) start += 1;
  return text.slice(start);
}

/** What follows a beginning, without white space around it; null when the text begins otherwise. */
export function after(text: string, beginning: string): string | null {
  return text.startsWith(beginning) ? text.slice(beginning.length).trim() : null;
}

/** The pieces of a text that contain a word, each with so many characters before and behind it. */
export function around(text: string, word: string, before: number, behind: number): string[] {
  const found: string[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length + behind)) {
    found.push(text.slice(Math.max(0, at - before), at + word.length + behind));
  }
  return found;
}
