import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cacheFolder } from '../../../source/services/config/folders.js';
import { emptied, throwAway } from '../../../source/services/git/trash.js';
import { addWorktree, removeWorktree } from '../../../source/services/git/worktree.js';
import { git, makeRepo, tempFolder, writeFiles } from '../../rig.js';
import { commitOf } from './rig.js';

test('parallel calls make worktrees without a failure, and leave nothing', async () => {
  const repo = makeRepo({ 'a.txt': '1\n' });
  const parent = tempFolder();
  const places = Array.from({ length: 12 }, (_, index) =>
    path.join(parent, `agent${index}`, 'tree'),
  );
  const made = await Promise.all(
    places.map((place, index) => addWorktree(repo, place, `aider/x/agent${index}`, 'HEAD')),
  );
  expect(made.every((one) => one.ok)).toBe(true);
  expect(readFileSync(path.join(places[11] as string, 'a.txt'), 'utf8')).toBe('1\n');
  await Promise.all(places.map((place) => removeWorktree(repo, place)));
  expect(git(repo, 'worktree', 'list').split('\n').length).toBe(1);
  expect(existsSync(path.join(parent, 'agent0'))).toBe(false);
  expect(git(repo, 'branch', '--list', 'aider/*').split('\n').length).toBe(12);
});

test('what is thrown away is gone at once, and its files soon, also those that were left before', async () => {
  const saved = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = tempFolder();
  try {
    const trash = path.join(cacheFolder(), 'trash');
    writeFiles(trash, { 'left-before/a.txt': '1\n' });
    const folder = path.join(tempFolder(), 'worktree');
    writeFiles(folder, { 'a.txt': '1\n', 'sub/b.txt': '2\n' });
    await throwAway(folder);
    expect(existsSync(folder)).toBe(false);
    await emptied(30_000);
    expect(readdirSync(trash)).toEqual([]);
    // Nothing there is nothing to do.
    await throwAway(folder);
  } finally {
    if (saved === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = saved;
  }
});

test('a new round keeps the branch of the one before, once it has a worktree', async () => {
  const repo = makeRepo({ 'a.txt': '1\n' });
  const base = git(repo, 'rev-parse', 'HEAD');
  const work = commitOf(repo, base, { 'a.txt': '2\n' });
  const branch = 'aider/20260102_030405/agent0';
  git(repo, 'branch', branch, work);
  const place = (name: string) => path.join(tempFolder(), name, 'tree');
  // Where the worktree cannot be made, the branch is what it was.
  const blocked = place('blocked');
  writeFiles(path.dirname(path.dirname(blocked)), { blocked: 'a file' });
  expect((await addWorktree(repo, blocked, branch, base, { round: 1 })).ok).toBe(false);
  expect(git(repo, 'rev-parse', branch)).toBe(work);
  const next = place('next');
  expect((await addWorktree(repo, next, branch, base, { round: 1 })).ok).toBe(true);
  expect(git(repo, 'rev-parse', `${branch}-round0`)).toBe(work);
  expect(git(repo, 'rev-parse', branch)).toBe(base);
  expect(git(next, 'symbolic-ref', 'HEAD')).toBe(`refs/heads/${branch}`);
  expect(readFileSync(path.join(next, 'a.txt'), 'utf8')).toBe('1\n');
});
