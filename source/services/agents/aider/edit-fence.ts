/**
 * The fences between which Aider reads a reply's blocks: the first one that no file of the chat begins a line
 * with, files to be read included (Aider 0.86, `coders/base_coder.py`, `choose_fence`). It asks the model for
 * that one, and many models write the first one whatever is asked; such blocks are not read, without a word.
 */
export const editFences: readonly (readonly [open: string, close: string])[] = [
  ['```', '```'],
  ['````', '````'],
  ...['source', 'code', 'pre', 'codeblock', 'sourcecode'].map(
    (name) => [`<${name}>`, `</${name}>`] as const,
  ),
];

/** Behind what a line begins for Python's `splitlines`. */
const lineStart = '(?:^|[\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029])';

/** For each fence what finds a line that begins with one of its marks. */
const begins = editFences.map(([open, close]) => new RegExp(`${lineStart}(?:${open}|${close})`));

/** Whether a file in the chat would keep Aider from taking this fence. */
export function blocksFence(text: string, fence: number): boolean {
  return begins[fence]?.test(text) ?? false;
}

/** The place of the fence that Aider takes for these texts in the list; the first one when none is free. */
export function fenceFor(texts: readonly string[]): number {
  const free = begins.findIndex((mark) => !texts.some((text) => mark.test(text)));
  return Math.max(0, free);
}

/**
 * A text that means the same to a reader and keeps no fence from being taken: what would begin a line like one
 * begins it with a blank, as Markdown allows.
 */
export function withoutFences(text: string): string {
  return text.replace(/^(?=`{3}|<\/?(?:source|code|pre|codeblock|sourcecode)>)/gm, ' ');
}
