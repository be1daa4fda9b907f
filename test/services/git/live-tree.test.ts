import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LiveTree, LookBudget } from '../../../source/services/git/live-tree.js';
import { patchTree } from '../../../source/services/git/patch-tree.js';
import { treeBeside } from '../../../source/services/git/snapshot.js';
import { git, makeRepo, tempFolder } from '../../rig.js';

const names = [
  'a.txt',
  'a',
  'ä.txt',
  'b c.txt',
  'sub/a.txt',
  'sub/deep/z.sh',
  'sub-x',
  'new/n.txt',
];

/** What may happen to a file. */
const edit = fc.record({
  name: fc.constantFrom(...names, 'ignored.log', 'crlf.bat', 'old.auto', 'x.new'),
  what: fc.constantFrom('write', 'remove', 'run', 'link', 'folder'),
  text: fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('one\r\ntwo\r\n', 'one\ntwo\r\n')),
});

function apply(
  worktree: string,
  { name, what, text }: typeof edit extends fc.Arbitrary<infer E> ? E : never,
) {
  const file = path.join(worktree, name);
  try {
    if (what !== 'write' && what !== 'run') rmSync(file, { recursive: true, force: true });
    mkdirSync(path.dirname(file), { recursive: true });
    if (what === 'write' || what === 'run') writeFileSync(file, text);
    if (what === 'run') chmodSync(file, 0o755);
    if (what === 'link') symlinkSync('a.txt', file);
    if (what === 'folder') {
      mkdirSync(file);
      writeFileSync(path.join(file, 'inside.txt'), text);
    }
  } catch {
    // A file where a folder would have to be, or the other way round.
  }
}

const first = {
  'a.txt': 'one\n',
  'sub/a.txt': 'two\n',
  'sub/deep/z.sh': '#!/bin/sh\n',
  'sub-x': 'three\n',
  'other/far/away.txt': 'four\n',
  '.gitignore': '*.log\n',
  'crlf.bat': 'echo\n',
  'old.auto': 'one\r\n',
};

/** With rules for line ends that came after the files, as in old repositories. */
function makeOldRepo(): string {
  const repo = makeRepo(first);
  const rules = '*.bat text eol=crlf\n*.auto text=auto\n*.new text=auto\n';
  writeFileSync(path.join(repo, '.gitattributes'), rules);
  git(repo, 'add', '.gitattributes');
  git(repo, 'commit', '-q', '-m', 'rules');
  return repo;
}

test('a tree with some files as they are now is the one that git makes of them with an index', async () => {
  let patched = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 6 }), async (edits) => {
      const repo = makeOldRepo();
      const base = git(repo, 'rev-parse', 'HEAD');
      for (const one of edits) apply(repo, one);
      const files = [...new Set(edits.map(({ name }) => name))];
      const own = await patchTree(repo, base, files);
      const whole = await treeBeside(repo, [], path.join(tempFolder(), 'index'));
      if (!own.ok || !whole.ok) throw new Error('git');
      if (own.value === null) return;
      patched += 1;
      expect(own.value).toBe(whole.value);
      // All of it is in the repository.
      expect(git(repo, 'fsck', '--connectivity-only', own.value)).not.toMatch(/missing|broken/);
    }),
    { numRuns: 60 },
  );
  expect(patched).toBeGreaterThan(10);
});

test('what is no path in the worktree, or leads out of it, is left to git', async () => {
  const repo = await makeRepo(first);
  symlinkSync(tempFolder(), path.join(repo, 'out'));
  for (const file of [
    '../a.txt',
    '/etc/passwd',
    'out/a.txt',
    '.git/config',
    'sub',
    'sub//a.txt',
    '',
  ]) {
    expect(await patchTree(repo, 'HEAD', [file]), file).toEqual({ ok: true, value: null });
  }
});

test('a large worktree: known files are followed at once, others when there is time', async () => {
  const repo = await makeRepo(first);
  const index = path.join(tempFolder(), 'index');
  let looks = 0;
  const open = (budget: LookBudget) =>
    new LiveTree({
      worktree: repo,
      start: git(repo, 'rev-parse', 'HEAD'),
      count: 100_000,
      budget,
      whole: () => {
        looks += 1;
        return treeBeside(repo, [], index);
      },
    });
  const shows = async (tree: LiveTree) => {
    const seen = await tree.treeNow(['a.txt']);
    if (!seen.ok) throw new Error('git');
    return git(repo, 'diff', '--name-only', 'HEAD', seen.value);
  };
  const spent = new LookBudget();
  spent.spent(1e6);
  const busy = open(spent);
  expect(await shows(busy)).toBe('');
  writeFileSync(path.join(repo, 'a.txt'), 'changed\n');
  writeFileSync(path.join(repo, 'sub-x'), 'changed too\n');
  expect(await shows(busy)).toBe('a.txt');
  rmSync(path.join(repo, 'a.txt'));
  expect(await shows(busy)).toBe('a.txt');
  expect(looks).toBe(0);
  expect(await shows(open(new LookBudget()))).toBe('a.txt\nsub-x');
  expect(looks).toBe(1);
});
