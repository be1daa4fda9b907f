import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Failure } from '../../core/policy/failure.js';
import { ok, type Result } from '../../core/result.js';
import { unlessLater, unreadable } from '../files/private-files.js';
import { ignoredOf } from './repository.js';
import { git, gitText, splitNul } from './run-git.js';

interface Entry {
  readonly mode: string;
  readonly object: string;
}

/** Names are bytes, kept as latin1. */
type Entries = Map<string, Entry>;

const folderMode = '40000';

/**
 * The tree `base` with some files as they are in a worktree, without a look at any other file and without
 * an index: in a large repository to read and write an index costs more than all else.
 * @param base a tree or a commit
 * @param files paths relative to the worktree
 * @returns the tree; null where it takes an index (a link, a folder, a submodule in place of a file)
 */
export async function patchTree(
  worktree: string,
  base: string,
  files: readonly string[],
): Promise<Result<string | null, Failure>> {
  const states = await Promise.all(files.map((file) => stateOf(worktree, file)));
  if (states.includes('other')) return ok(null);
  const there = files.filter((_, at) => states[at] !== 'gone');
  if (there.some((file) => /[\n\r"]/.test(file))) return ok(null);
  const [hashed, folders, depends] = await Promise.all([
    hashFiles(worktree, there),
    readFolders(worktree, base, files),
    dependsOnIndex(worktree, there),
  ]);
  if (!depends.ok) return depends;
  if (depends.value) return ok(null);
  if (!hashed.ok) return hashed;
  if (!folders.ok) return folders;
  if (folders.value === null) return ok(null);
  const trees = folders.value;
  const oldOf = (file: string) => trees.get(folderOf(file))?.get(latin1(path.posix.basename(file)));
  const ignored = await ignoredOf(
    worktree,
    there.filter((file) => !oldOf(file)),
  );
  for (const [at, file] of files.entries()) {
    const name = latin1(path.posix.basename(file));
    const entries = trees.get(folderOf(file)) as Entries;
    const old = oldOf(file);
    if (old && !old.mode.startsWith('100')) return ok(null);
    const state = states[at];
    const object = hashed.value.get(file);
    if (state === 'gone') entries.delete(name);
    else if (object && !ignored.has(file)) {
      entries.set(name, { mode: state === 'script' ? '100755' : '100644', object });
    }
  }
  return writeTrees(worktree, trees);
}

/** What stands at a path: a plain file, one that can be run, nothing, or what only git can judge. */
async function stateOf(
  worktree: string,
  file: string,
): Promise<'file' | 'script' | 'gone' | 'other'> {
  const parts = file.split('/');
  if (path.posix.isAbsolute(file) || parts.some((part) => /^(\.{0,2}|\.git)$/i.test(part))) {
    return 'other';
  }
  // A folder that is a link leads out of the worktree.
  for (let depth = 1; depth < parts.length; depth++) {
    const folder = await statOf(path.join(worktree, ...parts.slice(0, depth)));
    if (folder === null) return 'gone';
    if (!folder.isDirectory()) return 'other';
  }
  const stat = await statOf(path.join(worktree, file));
  if (stat === null) return 'gone';
  if (!stat.isFile()) return 'other';
  return stat.mode & 0o100 ? 'script' : 'file';
}

function statOf(file: string) {
  return unlessLater(unreadable, null, lstat(file));
}

/** Writes files as git would add them, with its filters. */
async function hashFiles(
  worktree: string,
  files: readonly string[],
): Promise<Result<ReadonlyMap<string, string>, Failure>> {
  if (files.length === 0) return ok(new Map());
  const answer = await gitText(worktree, ['hash-object', '-w', '--stdin-paths'], {
    input: files.map((file) => `${file}\n`).join(''),
  });
  if (!answer.ok) return answer;
  const objects = answer.value.split('\n');
  return ok(new Map(files.map((file, at) => [file, objects[at] ?? ''])));
}

/**
 * Whether how git would add one of these files depends on what its index holds: with `text=auto`, or `core.autocrlf`,
 * line ends of Windows stay where they were committed so (gitattributes(5)).
 */
async function dependsOnIndex(
  worktree: string,
  files: readonly string[],
): Promise<Result<boolean, Failure>> {
  const crlf: string[] = [];
  for (const file of files) {
    const bytes = await unlessLater(unreadable, null, readFile(path.join(worktree, file)));
    if (bytes?.includes('\r\n')) crlf.push(file);
  }
  if (crlf.length === 0) return ok(false);
  const [attributes, setting] = await Promise.all([
    git(worktree, ['check-attr', '-z', '--stdin', 'text'], {
      input: crlf.map((file) => `${file}\0`).join(''),
    }),
    gitText(worktree, ['config', '--get', 'core.autocrlf'], { answers: [1] }),
  ]);
  if (!attributes.ok) return attributes;
  if (!setting.ok) return setting;
  const auto = setting.value !== '' && setting.value !== 'false';
  // Path, attribute and value of each.
  const values = splitNul(attributes.value.stdout).filter((_, at) => at % 3 === 2);
  return ok(values.some((value) => value === 'auto' || (auto && value === 'unspecified')));
}

/** '' for the root. */
function folderOf(file: string): string {
  const folder = path.posix.dirname(file);
  return folder === '.' ? '' : folder;
}

/** The folders above some files, from the root down; null where one of them is no folder in the tree. */
async function readFolders(
  worktree: string,
  base: string,
  files: readonly string[],
): Promise<Result<Map<string, Entries> | null, Failure>> {
  const names = new Set(['']);
  for (const file of files) {
    for (let folder = folderOf(file); folder !== ''; folder = folderOf(folder)) names.add(folder);
  }
  const answer = await git(worktree, ['cat-file', '--batch'], {
    input: [...names].map((name) => `${base}${name === '' ? '^{tree}' : `:${name}`}\n`).join(''),
    bytes: true,
  });
  if (!answer.ok) return answer;
  const text = answer.value.stdout;
  const trees = new Map<string, Entries>();
  let at = 0;
  for (const name of names) {
    const end = text.indexOf('\n', at);
    const [object = '', type, size] = text.slice(at, end).split(' ');
    at = end + 1;
    if (text.slice(0, end).endsWith(' missing')) {
      trees.set(name, new Map());
      continue;
    }
    if (type !== 'tree') return ok(null);
    const body = text.slice(at, at + Number(size));
    trees.set(name, parseTree(body, object.length / 2));
    at += Number(size) + 1;
  }
  return ok(trees);
}

/** Reads a tree object: mode, name and binary object name of each entry. */
function parseTree(body: string, objectBytes: number): Entries {
  const entries: Entries = new Map();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(' ', at);
    const end = body.indexOf('\0', space);
    const object = Buffer.from(body.slice(end + 1, end + 1 + objectBytes), 'latin1');
    entries.set(body.slice(space + 1, end), {
      mode: body.slice(at, space),
      object: object.toString('hex'),
    });
    at = end + 1 + objectBytes;
  }
  return entries;
}

/** Writes folders, the deepest first, each into the one above it. Gives the root's tree. */
async function writeTrees(
  worktree: string,
  trees: ReadonlyMap<string, Entries>,
): Promise<Result<string | null, Failure>> {
  const depth = (folder: string) => (folder === '' ? 0 : folder.split('/').length);
  const deepestFirst = [...trees.keys()].sort((one, other) => depth(other) - depth(one));
  const written: string[] = [];
  let root = '';
  for (const folder of deepestFirst) {
    const entries = trees.get(folder) as Entries;
    if (folder !== '' && entries.size === 0) {
      trees.get(folderOf(folder))?.delete(latin1(path.posix.basename(folder)));
      continue;
    }
    const object = treeName(entries);
    written.push(
      [...entries]
        .map(
          ([name, { mode, object: of }]) =>
            `${mode.padStart(6, '0')} ${kindOf(mode)} ${of}\t${name}\0`,
        )
        .join(''),
    );
    if (folder === '') root = object;
    else {
      const above = trees.get(folderOf(folder)) as Entries;
      above.set(latin1(path.posix.basename(folder)), { mode: folderMode, object });
    }
  }
  const made = await gitText(worktree, ['mktree', '-z', '--missing', '--batch'], {
    // A tree ends with an empty line.
    input: Buffer.from(written.map((tree) => `${tree}\0`).join(''), 'latin1'),
  });
  if (!made.ok) return made;
  const last = made.value.split('\n').at(-1) ?? '';
  return ok(last === root ? root : null);
}

function kindOf(mode: string): string {
  return mode === folderMode ? 'tree' : mode === '160000' ? 'commit' : 'blob';
}

/** The name that git gives to a tree with these entries. */
function treeName(entries: Entries): string {
  // Folders are sorted as if their names ended with a slash.
  const key = ([name, { mode }]: [string, Entry]) => (mode === folderMode ? `${name}/` : name);
  const sorted = [...entries].sort((one, other) => (key(one) < key(other) ? -1 : 1));
  const body = Buffer.concat(
    sorted.map(([name, { mode, object }]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(object, 'hex')]),
    ),
  );
  const [first] = sorted;
  const algorithm = first && first[1].object.length > 40 ? 'sha256' : 'sha1';
  return createHash(algorithm).update(`tree ${body.length}\0`).update(body).digest('hex');
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
