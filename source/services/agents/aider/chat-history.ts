import { after, trimEndOf } from '../../../core/text/linear.js';

/**
 * What Aider's chat history (Markdown) tells of an attempt. It is written by Aider, but a model's
 * reply stands in it word for word, so whatever is found here is a hint where to look, never evidence.
 */
export interface ChatFacts {
  /** Paths that Aider says it edits: it asks whether it may, and tells when it has. */
  readonly edited: readonly string[];
  /** What reads like a path in the replies. */
  readonly named: readonly string[];
}

/** More names than this are a listing, not a wish to see files. */
const mostNames = 60;

export function readChat(text: string): ChatFacts {
  const edited = new Set<string>();
  const named = new Set<string>();
  let before = '';
  for (const line of text.split('\n')) {
    if (line === '') {
      before = '';
      continue;
    }
    const said = after(line, '> Applied edit to ');
    if (said) edited.add(said);
    // The path stands above the question. A file is made before it is known whether it can be edited.
    const asked = /^> (Create new file\?|Allow edits to file that)/.test(line);
    const subject = asked ? after(before, '> ') : null;
    if (subject) edited.add(subject);
    before = line;
    // `####` begins what we have said, `>` what Aider says.
    if (/^(####|>)/.test(line) || named.size >= mostNames) continue;
    for (const [name] of line.matchAll(/[\w@+-][\w@.+-]*(?:\/[\w@.+-]+)*/g)) {
      // A file of another folder, or one with an extension.
      if (/[./]/.test(name) && named.size < mostNames) named.add(trimEndOf(name, '.'));
    }
  }
  return { edited: [...edited], named: [...named] };
}
