import { cpSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ownershipOf, repairLink } from '../../../source/services/git/own-worktree.js';
import { git, makeRepo, tempFolder } from '../../rig.js';

test('a worktree is ours when git says so from both sides; of a moved repository it is led back', () => {
  const parent = tempFolder();
  const first = makeRepo({ 'a.txt': '1\n' }, path.join(parent, 'first'));
  const worktree = path.join(parent, 'tree');
  git(first, 'worktree', 'add', '-q', worktree);
  const common = path.join(first, '.git');
  expect(ownershipOf(common, worktree)).toBe('ours');
  expect(ownershipOf(common, path.join(parent, 'none'))).toBe('gone');
  // Another project, and one that a link leads to.
  const other = makeRepo({ 'b.txt': '1\n' }, path.join(parent, 'other'));
  expect(ownershipOf(common, other)).toBe('foreign');
  symlinkSync(worktree, path.join(parent, 'link'));
  expect(ownershipOf(common, path.join(parent, 'link'))).toBe('foreign');
  const copy = path.join(parent, 'copy');
  cpSync(first, copy, { recursive: true });
  expect(ownershipOf(path.join(copy, '.git'), worktree)).toBe('foreign');
  const moved = path.join(parent, 'moved');
  renameSync(first, moved);
  const now = path.join(moved, '.git');
  expect(ownershipOf(now, worktree)).toBe('ours');
  repairLink(now, worktree);
  expect(git(worktree, 'rev-parse', '--git-common-dir')).toBe(now);
});
