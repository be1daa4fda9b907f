import { existsSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  diffStat,
  putBack,
  restore,
  showDiff,
  treeBeside,
  treeOf,
} from '../../../source/services/git/snapshot.js';
import { treeChanges } from '../../../source/services/git/tree-changes.js';
import { git, makeRepo, tempFolder, writeFiles } from '../../rig.js';

test("a snapshot has new, changed and removed files, and nothing of Aider's own", async () => {
  const repo = makeRepo({ 'keep.txt': '1\n', 'gone.txt': '1\n', 'bin.dat': '\0\x01' });
  writeFiles(repo, {
    'keep.txt': '2\n3\n',
    'new dir/ü.txt': 'x\n',
    '.aider.tags.cache.v4/cache.db': 'x',
    '.aider.chat.history.md': 'x',
    'bin.dat': '\0\x02',
  });
  git(repo, 'rm', '-q', '--cached', 'gone.txt');
  git(repo, 'checkout', '-q', 'HEAD', '--', 'gone.txt');
  writeFileSync(path.join(repo, 'gone.txt'), '');
  const tree = await treeOf(repo);
  if (!tree.ok) throw new Error('no snapshot');
  const diff = await diffStat(repo, 'HEAD', tree.value);
  expect(diff.ok && diff.value.files).toEqual([
    { path: 'bin.dat', status: 'M', added: null, removed: null },
    { path: 'gone.txt', status: 'M', added: 0, removed: 1 },
    { path: 'keep.txt', status: 'M', added: 2, removed: 1 },
    { path: 'new dir/ü.txt', status: 'A', added: 1, removed: 0 },
  ]);
});

test('trees are compared without the index, however it is', async () => {
  const repo = makeRepo({ '.gitattributes': '*.dat binary\n', 'a.dat': '1\n', 'a.txt': '1\n' });
  writeFiles(repo, { 'a.dat': '2\n', 'a.txt': '2\n' });
  const tree = await treeOf(repo);
  if (!tree.ok) throw new Error('no snapshot');
  writeFileSync(path.join(repo, '.git/index'), 'no index');
  const diff = await diffStat(repo, 'HEAD', tree.value);
  expect(diff.ok && diff.value.files).toEqual([
    { path: 'a.dat', status: 'M', added: null, removed: null },
    { path: 'a.txt', status: 'M', added: 1, removed: 1 },
  ]);
  const changes = await treeChanges(repo, 'HEAD', tree.value);
  expect(changes.ok && changes.value.map((change) => change.path)).toEqual(['a.dat', 'a.txt']);
});

test('what is put back is as it was: changed, new, removed, replaced by a link', async () => {
  const repo = makeRepo({ 'a.txt': 'a\n', 'b.txt': 'b\n', 'own.txt': 'o\n' });
  const before = await treeOf(repo);
  writeFiles(repo, { 'a.txt': 'changed\n', 'new.txt': 'n\n', 'own.txt': 'mine\n' });
  git(repo, 'rm', '-q', 'b.txt');
  symlinkSync('/etc/passwd', path.join(repo, 'link'));
  const after = await treeOf(repo);
  if (!before.ok || !after.ok) throw new Error('no snapshot');
  const done = await putBack(repo, before.value, ['a.txt', 'b.txt', 'new.txt', 'link']);
  expect(done.ok).toBe(true);
  expect(git(repo, 'status', '--porcelain')).toBe('M  own.txt');
  expect(existsSync(path.join(repo, 'link'))).toBe(false);
  await restore(repo, before.value);
  expect(git(repo, 'status', '--porcelain')).toBe('');
});

test('the change of an agent at work is seen, and its own index is not touched', async () => {
  const repo = makeRepo({ 'a.txt': '1\n', 'b.txt': '1\n' });
  const base = git(repo, 'rev-parse', 'HEAD');
  writeFiles(repo, { 'a.txt': '2\n', 'new.txt': 'n\n', '.aider.chat.history.md': 'x' });
  const before = readFileSync(path.join(repo, '.git/index'));
  // Aider may hold the lock at any moment.
  writeFiles(repo, { '.git/index.lock': '' });
  const index = path.join(tempFolder(), 'beside.index');
  const tree = await treeBeside(repo, [], index);
  const diff = await diffStat(repo, base, (tree.ok && tree.value) as string);
  expect(diff.ok && diff.value.files).toEqual([
    { path: 'a.txt', status: 'M', added: 1, removed: 1 },
    { path: 'new.txt', status: 'A', added: 1, removed: 0 },
  ]);
  expect(readFileSync(path.join(repo, '.git/index'))).toEqual(before);
  const shown = await showDiff(repo, base, (tree.ok && tree.value) as string);
  expect(shown.ok && shown.value).toMatch(/2 files changed[\s\S]*\+n/);
});

test('a change of the same size in the same second as the index is seen', async () => {
  const repo = makeRepo({ 'a.txt': 'one\n' });
  // Stands for an edit so soon that no time tells of it.
  git(repo, 'config', 'core.trustctime', 'false');
  const second = 1_700_000_000;
  const write = (text: string) => {
    writeFileSync(path.join(repo, 'a.txt'), text);
    utimesSync(path.join(repo, 'a.txt'), second, second);
  };
  write('one\n');
  git(repo, 'add', '--all');
  utimesSync(path.join(repo, '.git', 'index'), second, second);
  write('two\n');
  const tree = await treeBeside(repo, [], path.join(tempFolder(), 'beside.index'));
  if (!tree.ok) throw new Error('no tree');
  expect(git(repo, 'show', `${tree.value}:a.txt`)).toBe('two');
});
