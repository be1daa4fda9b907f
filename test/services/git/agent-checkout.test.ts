import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { diffStat, showDiff, treeBeside } from '../../../source/services/git/snapshot.js';
import { git, makeRepo, tempFolder, writeFiles } from '../../rig.js';

test('its change is seen, and its own index is not touched', async () => {
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
