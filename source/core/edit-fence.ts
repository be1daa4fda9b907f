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

/** The line ends of Python's `splitlines`. */
const lineEnd = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

function begins(line: string, [open, close]: readonly [string, string]): boolean {
  return line.startsWith(open) || line.startsWith(close);
}

/** Whether a file in the chat would keep Aider from taking this fence. */
export function blocksFence(text: string, fence: number): boolean {
  const marks = editFences[fence];
  return marks !== undefined && text.split(lineEnd).some((line) => begins(line, marks));
}

/** The place of the fence that Aider takes for these texts in the list; the first one when none is free. */
export function fenceFor(texts: readonly string[]): number {
  // All marks begin with one of two characters.
  const lines = texts.flatMap((text) => text.split(lineEnd)).filter((line) => /^[`<]/.test(line));
  const free = editFences.findIndex((marks) => !lines.some((line) => begins(line, marks)));
  return Math.max(0, free);
}

/**
 * A text that means the same to a reader and keeps no fence from being taken: what would begin a line like one
 * begins it with a blank, as Markdown allows.
 */
export function withoutFences(text: string): string {
  return text.replace(/^(?=`{3}|<\/?(?:source|code|pre|codeblock|sourcecode)>)/gm, ' ');
}
