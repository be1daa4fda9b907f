import type { Flaw } from '../../../core/agent/evidence.js';
import { unreachable } from '../../../core/result.js';
import { trimEndOf, trimStartOf } from '../../../core/text/linear.js';
import { editFences } from './edit-fence.js';

/**
 * What a model's last reply says of its own edits. Aider applies much that a reader would not: a file
 * whose block was never closed, a block without a name to whatever file is at hand, one with a wrong
 * name to a file with a similar one; and it drops what it does not understand. None of that leaves a
 * word on its screen, so the reply itself is read. (Aider 0.86, `coders/editblock_coder.py` and
 * `wholefile_coder.py`.)
 */
export type ReplyFlaw =
  /** It ends within a block: the rest never came. */
  | 'cut'
  /** Its markers do not alternate, so a part of an edit was lost. */
  | 'markers'
  /** A block without the name of its file. */
  | 'unnamed'
  /** A block with the name of another file. */
  | 'misnamed'
  /** A block that is no edit in this format. */
  | 'ignored'
  /** It leaves out code and says so. */
  | 'placeholder'
  /** Its blocks stand in another fence than Aider reads, so none of them was read. */
  | 'fence';

export interface FoundFlaw {
  readonly kind: ReplyFlaw;
  /** The name or line it is about; may be empty. */
  readonly detail: string;
}

const head = /^<{5,9} SEARCH>?\s*$/;
const divider = /^={5,9}\s*$/;
const updated = /^>{5,9} REPLACE\s*$/;
const fence = /^(`{3,})([^`]*)$/;
const leftOut =
  /^\s*(?:#|\/\/|\/\*|<!--|--|;|%)\s*(?:\.\.\.|…).*\b(?:rest|existing|remaining|unchanged|same|other|previous)\b/i;

/**
 * The first flaw of a reply; null when it is sound.
 * @param format Aider's edit format; only `diff` and `whole` are looked at
 * @param files the agent's files, relative; empty for the whole repository, whose names are not checked
 * @param root the worktree, as a model may name files by their absolute path
 * @param fence the fence that Aider reads, by its place in `editFences`; only whole files depend on it
 */
export function checkReply(
  reply: string,
  format: string,
  files: readonly string[],
  root: string,
  fence = 0,
): FoundFlaw | null {
  const lines = reply.split('\n');
  if (format === 'diff') return checkDiff(lines, files, root);
  if (format !== 'whole') return null;
  return checkFence(lines, fence) ?? checkWhole(lines, files, root);
}

/** Whole files in another fence than the one that is read: nothing of the reply is taken. */
function checkFence(lines: readonly string[], fence: number): FoundFlaw | null {
  const [open, close] = editFences[fence] ?? ['```', '```'];
  const isRead = (line: string) => line.startsWith(open) || line.startsWith(close);
  if (lines.some(isRead)) return null;
  const other = editFences.find(([mark]) => lines.some((line) => line.startsWith(mark)));
  return other ? { kind: 'fence', detail: `${other[0]} instead of ${open}` } : null;
}

/** As Aider takes a name from a line: without the marks around it. */
function nameOf(line: string): string {
  let name = trimStartOf(trimEndOf(line.trim(), ':'), '#').trim();
  for (const mark of ['`', '*']) name = trimStartOf(trimEndOf(name, mark), mark);
  return name.trim();
}

/** The agent's file that a name means without doubt; null when it means none, or several. */
function fileOf(name: string, files: readonly string[], root: string): string | null {
  let plain = name.startsWith(`${root}/`) ? name.slice(root.length + 1) : name;
  let at = 0;
  while (plain.startsWith('./', at)) at += 2;
  plain = plain.slice(at);
  if (files.includes(plain)) return plain;
  if (plain.includes('/')) return null;
  const alike = files.filter((file) => file.slice(file.lastIndexOf('/') + 1) === plain);
  return alike.length === 1 ? (alike[0] ?? '') : null;
}

function looksLikePath(text: string): boolean {
  return text !== '' && !/\s\S+\s/.test(text) && /[./]/.test(text) && !/[.!?,;]$/.test(text);
}

function checkDiff(
  lines: readonly string[],
  files: readonly string[],
  root: string,
): FoundFlaw | null {
  let state: 'out' | 'search' | 'replace' = 'out';
  let named = false;
  const seen = new Set<string>();
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    if (state === 'out') {
      if (!head.test(line)) {
        if (updated.test(line)) return { kind: 'markers', detail: line.trim() };
        seen.add(line);
        continue;
      }
      state = 'search';
      if (files.length === 0) continue;
      const name = nameAbove(lines, index, (one) => fileOf(one, files, root) !== null);
      if (name !== null && fileOf(name, files, root) === null) {
        return { kind: 'misnamed', detail: name };
      }
      // A block that follows another one is of the same file.
      if (name === null && !named) return { kind: 'unnamed', detail: '' };
      named = true;
    } else if (head.test(line)) {
      return { kind: 'markers', detail: line.trim() };
    } else if (state === 'search') {
      if (updated.test(line)) return { kind: 'markers', detail: line.trim() };
      if (divider.test(line)) state = 'replace';
    } else if (divider.test(line)) {
      return { kind: 'markers', detail: line.trim() };
    } else if (updated.test(line)) state = 'out';
    else if (leftOut.test(line) && !seen.has(line)) {
      return { kind: 'placeholder', detail: line.trim() };
    }
    seen.add(line);
  }
  if (state !== 'out') return { kind: 'cut', detail: '' };
  for (const { name, from, to } of blocks(lines).list) {
    const own = name !== null && files.includes(name);
    if (own && !lines.slice(from, to).some((line) => head.test(line) || updated.test(line))) {
      return { kind: 'ignored', detail: name };
    }
  }
  return null;
}

/** The name above a block, at most three lines up, its fence left aside; null when there is none. */
function nameAbove(
  lines: readonly string[],
  at: number,
  isFile: (name: string) => boolean,
): string | null {
  for (let index = at - 1; index >= Math.max(0, at - 3); index--) {
    const line = lines[index] ?? '';
    if (updated.test(line)) return null;
    if (fence.test(line) || line.trim() === '') continue;
    const name = nameOf(line);
    return isFile(name) || looksLikePath(name) ? name : null;
  }
  return null;
}

interface Block {
  /** What stands in the line before it, as a name; null for a blank one. */
  readonly name: string | null;
  /** Its lines, the end exclusive. */
  readonly from: number;
  readonly to: number;
}

/** Fenced blocks; `open` when the last one is not closed. */
function blocks(lines: readonly string[]): { list: Block[]; open: boolean } {
  const list: Block[] = [];
  let begun: { name: string | null; from: number; ticks: string } | null = null;
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('`')) continue;
    const match = fence.exec(line.trimEnd());
    if (begun === null) {
      if (!match) continue;
      const above = nameOf(lines[index - 1] ?? '');
      begun = { name: above === '' ? null : above, from: index + 1, ticks: match[1] ?? '' };
    } else if (line.trimEnd() === begun.ticks) {
      list.push({ name: begun.name, from: begun.from, to: index });
      begun = null;
    }
  }
  return { list, open: begun !== null };
}

function checkWhole(
  lines: readonly string[],
  files: readonly string[],
  root: string,
): FoundFlaw | null {
  const { list, open } = blocks(lines);
  if (open) return { kind: 'cut', detail: '' };
  for (const { from, to } of list) {
    const line = lines.slice(from, to).find((one) => leftOut.test(one));
    if (line !== undefined) return { kind: 'placeholder', detail: line.trim() };
  }
  if (files.length === 0) return null;
  const known = new Set(list.flatMap(({ name }) => (name && fileOf(name, files, root)) || []));
  for (const { name } of list) {
    if (name !== null && fileOf(name, files, root) !== null) continue;
    if (name !== null && looksLikePath(name)) return { kind: 'misnamed', detail: name };
    // Aider gives a block without a name to a file that has none with its name.
    if (files.some((file) => !known.has(file))) return { kind: 'unnamed', detail: '' };
  }
  return null;
}

/**
 * The last reply in Aider's `--llm-history-file`: sections that begin with `TO LLM` or `LLM RESPONSE`
 * and a time, in which every line of a reply stands behind `ASSISTANT `. Null when there is none.
 */
export function lastReply(history: string): string | null {
  const begin = /^(TO LLM|LLM RESPONSE) \d{4}-\d\d-\d\dT\S+$/gm;
  const marks = [...history.matchAll(begin)];
  const last = marks.findLastIndex((mark) => mark[1] === 'LLM RESPONSE');
  const mark = marks[last];
  if (!mark) return null;
  const from = (mark.index as number) + mark[0].length + 1;
  const text = history.slice(from, marks[last + 1]?.index ?? history.length);
  return text.replace(/\n$/, '').replace(/^ASSISTANT ?/gm, '');
}

const words: Record<ReplyFlaw, string> = {
  cut: 'it ends within a block',
  markers: 'a line of its text reads like a marker of the edit format',
  unnamed: 'a block without the name of its file',
  misnamed: 'a block for a file that is not its own',
  ignored: 'a block that is no edit',
  placeholder: 'it leaves code out',
  fence: 'its blocks stand in another fence than the one that is read',
};

function flawWords({ kind, detail }: FoundFlaw): string {
  return detail === '' ? words[kind] : `${words[kind]}: ${detail}`;
}

/** A flaw as it is told to those who judge. */
export function asFlaw(found: FoundFlaw): Flaw {
  const words = flawWords(found);
  switch (found.kind) {
    case 'cut':
      return { kind: 'cut', subject: '', words };
    case 'fence':
      return { kind: 'unread', subject: '', words };
    case 'misnamed':
      return { kind: 'misnamed', subject: found.detail, words };
    case 'markers':
    case 'unnamed':
    case 'ignored':
    case 'placeholder':
      return { kind: 'unsafe', subject: '', words };
    default:
      return unreachable(found.kind);
  }
}
