import { rmSync } from 'node:fs';
import { copyFile, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import type { DiffStat, FileChange } from '../../core/agent/agent.js';
import type { Failure } from '../../core/policy/failure.js';
import { fileFailure } from '../../core/policy/work-problem.js';
import { err, ok, type Result } from '../../core/result.js';
import { writePrivate } from '../files/private-files.js';
import { git, gitText, splitNul, withoutIndex } from './run-git.js';

/**
 * Pathspecs for all but what Aider leaves in a checkout for itself, which is never part of anybody's
 * work. Other names that begin like these (`.aider.conf.yml`) are files like any other.
 */
export const notAidersOwn = [
  '.',
  ':(exclude,glob)**/.aider.chat.history.md',
  ':(exclude,glob)**/.aider.input.history',
  ':(exclude,glob)**/.aider.llm.history',
  ':(exclude,glob)**/.aider.tags.cache*/**',
] as const;

/**
 * Writes the whole state of a worktree as a tree object, without a commit.
 * @param without paths and folders that are nobody's work; they stay as they are in the index
 */
export async function treeOf(
  worktree: string,
  without: readonly string[] = [],
): Promise<Result<string, Failure>> {
  const excluded = without.map((path) => `:(exclude,top,literal)${path}`);
  const added = await git(worktree, [
    'add',
    '--all',
    '--sparse',
    '--',
    ...notAidersOwn,
    ...excluded,
  ]);
  if (!added.ok) return added;
  return gitText(worktree, ['write-tree']);
}

/**
 * The state of a worktree as a tree object, without a touch on its own index.
 * @param index a file of ours for the index; it is written anew
 * @param more variables for git
 */
export async function treeBeside(
  worktree: string,
  without: readonly string[],
  index: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Result<string, Failure>> {
  const own = await gitText(worktree, [
    'rev-parse',
    '--path-format=absolute',
    '--git-path',
    'index',
  ]);
  if (!own.ok) return own;
  try {
    // Its cache of file times comes with it, so that only what changed is read.
    const { atimeMs, mtimeMs } = await stat(own.value);
    await copyFile(own.value, index);
    // With its time: git reads a file that is as old as the index, as it may have changed just after
    // (Documentation/technical/racy-git). Most builds of git compare whole seconds.
    await utimes(index, atimeMs / 1000, Math.floor(mtimeMs / 1000));
  } catch (error) {
    return err(fileFailure(error, index));
  }
  const env = { ...more, GIT_INDEX_FILE: index };
  const excluded = without.map((path) => `:(exclude,top,literal)${path}`);
  const added = await git(
    worktree,
    ['add', '--all', '--sparse', '--', ...notAidersOwn, ...excluded],
    { env },
  );
  return added.ok ? gitText(worktree, ['write-tree'], { env }) : added;
}

/**
 * Brings a worktree back to a tree, after something that is nobody's work, such as the project's tests, may have
 * changed it and left files behind. What it left is never written into the repository: it may be large.
 * @param index a file of ours for an index; a folder beside it holds the objects meanwhile
 */
export async function undoBeside(
  worktree: string,
  tree: string,
  without: readonly string[],
  index: string,
): Promise<Result<void, Failure>> {
  const objects = await gitText(worktree, [
    'rev-parse',
    '--path-format=absolute',
    '--git-path',
    'objects',
  ]);
  if (!objects.ok) return objects;
  const own = `${index}.objects`;
  try {
    writePrivate(path.join(own, 'info', 'alternates'), `${objects.value}\n`);
    const env = { GIT_OBJECT_DIRECTORY: own };
    const now = await treeBeside(worktree, without, index, env);
    if (!now.ok) return now;
    if (now.value === tree) return ok(undefined);
    // By the index that knows what is new, so that it goes.
    const all = { ...env, GIT_INDEX_FILE: index };
    const back = await git(worktree, ['read-tree', '--reset', '-u', tree], { env: all });
    return back.ok ? ok(undefined) : back;
  } catch (error) {
    return err(fileFailure(error, own));
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** A difference for people: the stat, then the patch; plain text, control bytes and all. */
export async function showDiff(
  cwd: string,
  from: string,
  to: string,
): Promise<Result<string, Failure>> {
  const plain = ['--no-color', '--no-ext-diff', '--no-textconv', '--ignore-submodules=none'];
  return gitText(cwd, ['diff', ...plain, '--stat', '--patch', from, to, '--']);
}

/** A difference for a reviewer: the patch alone, with plain names and more lines around each change. */
export async function showPatch(
  cwd: string,
  from: string,
  to: string,
): Promise<Result<string, Failure>> {
  const plain = [
    '--no-color',
    '--no-ext-diff',
    '--no-textconv',
    '--no-renames',
    '--ignore-submodules=none',
    '--unified=8',
  ];
  const names = ['--src-prefix=a/', '--dst-prefix=b/'];
  return gitText(cwd, ['diff', ...plain, ...names, '--patch', from, to, '--']);
}

/** Brings a worktree back to a tree: tracked files are restored, files new since then are removed. */
export async function restore(worktree: string, tree: string): Promise<Result<void, Failure>> {
  const answer = await git(worktree, ['read-tree', '--reset', '-u', tree]);
  return answer.ok ? ok(undefined) : answer;
}

/** Takes single paths of a worktree back to what they are in `tree`, also where they are not in it. */
export async function putBack(
  worktree: string,
  tree: string,
  paths: readonly string[],
): Promise<Result<void, Failure>> {
  for (const file of paths) {
    const literal = `:(literal)${file}`;
    const inTree = await git(worktree, ['ls-tree', '-z', '--full-tree', tree, '--', literal]);
    if (!inTree.ok) return inTree;
    const answer =
      inTree.value.stdout === ''
        ? await git(worktree, ['rm', '-rfq', '--ignore-unmatch', '--', literal])
        : await git(worktree, ['checkout', '-q', tree, '--', literal]);
    if (!answer.ok) return answer;
  }
  return ok(undefined);
}

/** The tree `to` with some paths as they are in `from`; nothing of a worktree is touched. */
export async function mixTrees(
  cwd: string,
  from: string,
  to: string,
  paths: readonly string[],
  index: string,
): Promise<Result<string, Failure>> {
  // Without a path, git would list the whole tree.
  if (paths.length === 0) return ok(to);
  const env = { GIT_INDEX_FILE: index };
  const read = await git(cwd, ['read-tree', to], { env });
  if (!read.ok) return read;
  const literal = paths.map((path) => `:(literal)${path}`);
  const old = await git(cwd, ['ls-tree', '-z', '--full-tree', from, '--', ...literal]);
  if (!old.ok) return old;
  // As many digits as the repository's objects have.
  const none = '0'.repeat(to.length);
  const removed = paths.map((path) => `0 ${none}\t${path}`);
  const kept = splitNul(old.value.stdout).flatMap((line) => {
    const [head = '', name = ''] = line.split(/\t(.*)/s);
    const [mode, type, object] = head.split(' ');
    return type === 'tree' ? [] : [`${mode} ${object}\t${name}`];
  });
  const set = await git(cwd, ['update-index', '-z', '--replace', '--add', '--index-info'], {
    env,
    input: [...removed, ...kept].map((entry) => `${entry}\0`).join(''),
  });
  // Of a partial clone not all objects are here.
  return set.ok ? gitText(cwd, ['write-tree', '--missing-ok'], { env }) : set;
}

/** The difference between two trees or commits, renames told as D and A. */
export async function diffStat(
  cwd: string,
  from: string,
  to: string,
): Promise<Result<DiffStat, Failure>> {
  const how = ['-r', '-z', '--no-renames', '--ignore-submodules=none', '--raw', '--numstat'];
  const answer = await git(cwd, ['diff-tree', ...how, from, to, '--'], { env: withoutIndex });
  if (!answer.ok) return answer;
  const parts = splitNul(answer.value.stdout);
  const statuses: (readonly [path: string, status: string])[] = [];
  let at = 0;
  // ":100644 100644 <old object> <new object> M", and the path; then "<added>\t<removed>\t<path>" for each.
  for (; parts[at]?.startsWith(':'); at += 2) {
    statuses.push([parts[at + 1] ?? '', (parts[at] ?? '').slice(-1)]);
  }
  const counts = new Map<string, [number | null, number | null]>();
  for (const line of parts.slice(at)) {
    const [added = '-', removed = '-', ...name] = line.split('\t');
    const number = (text: string) => (text === '-' ? null : Number(text));
    counts.set(name.join('\t'), [number(added), number(removed)]);
  }
  const files = statuses.map(([path, status]): FileChange => {
    const [added, removed] = counts.get(path) ?? [null, null];
    return { path, status, added, removed };
  });
  return ok({ files });
}

/** Writes the difference to a file, as a patch that `git apply` takes; binary files included. */
export async function writePatch(
  cwd: string,
  from: string,
  to: string,
  paths: readonly string[],
  file: string,
): Promise<Result<void, Failure>> {
  const literal = paths.map((path) => `:(literal)${path}`);
  // By git itself: a text in another encoding than UTF-8 must stay as it is.
  const args = [
    'diff',
    '--binary',
    '--full-index',
    '--no-color',
    '--no-ext-diff',
    '--no-textconv',
    '--no-renames',
    '--ignore-submodules=none',
    `--output=${file}`,
  ];
  try {
    // Made by us, as git would make it for others to read.
    writePrivate(file, '');
  } catch (error) {
    return err(fileFailure(error, file));
  }
  const answer = await git(cwd, [...args, from, to, '--', ...literal]);
  return answer.ok ? ok(undefined) : answer;
}
