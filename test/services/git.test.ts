import {
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { describe as describeFailure } from '../../source/core/policy/failure.js';
import type { MergeItem } from '../../source/core/run/effect.js';
import { cacheFolder } from '../../source/services/config/folders.js';
import { land } from '../../source/services/git/land.js';
import {
  markerSize,
  mergeCommits,
  mergeOnto,
  mergeWithMarkers,
  withMarkers,
} from '../../source/services/git/merge.js';
import {
  openRepository,
  resolveFocus,
  resolveTasks,
} from '../../source/services/git/repository.js';
import {
  diffStat,
  putBack,
  restore,
  showDiff,
  treeBeside,
  treeOf,
} from '../../source/services/git/snapshot.js';
import { emptied, throwAway } from '../../source/services/git/trash.js';
import { treeChanges } from '../../source/services/git/tree-changes.js';
import { addWorktree, removeWorktree } from '../../source/services/git/worktree.js';
import { integrateBatch } from '../../source/store/integrate.js';
import { git, makeRepo, tempFolder, writeFiles } from '../rig.js';

/** A commit on top of `parent` with these files, on no branch. */
function commitOf(
  repo: string,
  parent: string,
  files: Readonly<Record<string, string | null>>,
): string {
  const index = path.join(tempFolder(), 'index');
  const env = { ...process.env, GIT_INDEX_FILE: index };
  const run = (...args: string[]) => gitWith(repo, env, ...args);
  run('read-tree', parent);
  for (const [name, text] of Object.entries(files)) {
    if (text === null) {
      run('update-index', '--force-remove', name);
    } else {
      const file = path.join(tempFolder(), 'blob');
      writeFileSync(file, text);
      run(
        'update-index',
        '--add',
        '--cacheinfo',
        `100644,${run('hash-object', '-w', file)},${name}`,
      );
    }
  }
  return run('commit-tree', run('write-tree'), '-p', parent, '-m', 'work');
}

function gitWith(cwd: string, env: NodeJS.ProcessEnv, ...args: string[]): string {
  const saved = process.env['GIT_INDEX_FILE'];
  process.env['GIT_INDEX_FILE'] = env['GIT_INDEX_FILE'];
  try {
    return git(cwd, ...args);
  } finally {
    if (saved === undefined) delete process.env['GIT_INDEX_FILE'];
    else process.env['GIT_INDEX_FILE'] = saved;
  }
}

async function open(repo: string) {
  const opened = await openRepository(repo);
  if (!opened.ok) throw new Error(describeFailure(opened.failure).message);
  return opened.value;
}

describe('the repository', () => {
  test('no repository, no commits, a missing folder: each has its own words', async () => {
    const words = async (folder: string) => {
      const opened = await openRepository(folder);
      return opened.ok ? '' : describeFailure(opened.failure).message;
    };
    expect(await words(tempFolder())).toContain('is not in a git repository');
    const empty = tempFolder();
    git(empty, 'init', '-q');
    expect(await words(empty)).toContain('has no commits');
    expect(await words('/no/such/folder')).toContain('does not exist');
    const repo = makeRepo({ a: '1' });
    expect(await words(path.join(repo, '.git'))).toContain('git folder');
  });

  test('a subfolder, a linked worktree, blanks and accents in the path', async () => {
    const repo = makeRepo({ 'sub dir/ä.txt': '1' }, path.join(tempFolder(), 'mein répo'));
    expect(await open(path.join(repo, 'sub dir'))).toMatchObject({
      root: repo,
      prefix: 'sub dir',
      branch: 'main',
    });
    const linked = path.join(tempFolder(), 'linked');
    git(repo, 'worktree', 'add', '-q', '-b', 'other', linked);
    const opened = await open(linked);
    expect(opened).toMatchObject({ root: linked, branch: 'other' });
    expect(opened.commonDir).toBe(path.join(repo, '.git'));
    expect([...opened.tracked.keys()]).toEqual(['sub dir/ä.txt']);
  });

  test('--files: files, folders, globs, new files; seen from the working folder', async () => {
    const repo = await open(
      path.join(
        makeRepo({ 'src/a.ts': '', 'src/b.js': '', 'src/x/c.ts': '', 'top.md': '' }),
        'src',
      ),
    );
    const focus = async (...values: string[]) => {
      const found = await resolveFocus(repo, values);
      return found.ok ? found.value : describeFailure(found.failure).message;
    };
    expect(await focus('a.ts')).toEqual(['src/a.ts']);
    expect(await focus('x')).toEqual(['src/x/c.ts']);
    expect(await focus('**/*.ts')).toEqual(['src/a.ts', 'src/x/c.ts']);
    expect(await focus('../top.md', 'new.ts')).toEqual(['top.md', 'src/new.ts']);
    expect(await focus('.')).toEqual(['src/a.ts', 'src/b.js', 'src/x/c.ts']);
    expect(await focus('*.py')).toContain('matches no tracked file');
    expect(await focus('../../out.ts')).toContain('outside the repository');
  });

  test('what an agent cannot be given is named: outside, ignored, a folder, git, a submodule, a case-only twin', async () => {
    const inner = makeRepo({ lib: '1' });
    const folder = makeRepo({ '.gitignore': '*.log\n', 'src/a.ts': '', 'Readme.md': '' });
    git(folder, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', inner, 'vendor/lib');
    git(folder, 'commit', '-q', '-m', 'sub');
    const repo = await open(folder);
    const check = async (...files: string[]) =>
      (
        await resolveTasks(repo, [
          { id: 'T1', title: 't', description: '', files, read: [], depends_on: [] },
        ])
      ).problems.join('\n');
    expect(await check('src/a.ts', './src/../new/b.ts')).toBe('');
    expect(await check('../x')).toContain('outside the repository');
    expect(await check('/etc/passwd')).toContain('outside the repository');
    expect(await check('debug.log')).toContain('ignored by git');
    expect(await check('src')).toContain('is a folder');
    expect(await check('.git/hooks/pre-commit')).toContain('belongs to git');
    expect(await check('vendor/lib/lib')).toContain('submodule vendor/lib');
    expect(await check('README.md')).toContain('by case only');
    expect(await check('src/a.ts/b.ts')).toContain('which is a file');
  });
});

describe('worktrees and snapshots', () => {
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
});

/** A batch merged by git itself, and tested by nothing. */
function integrate(
  repo: string,
  base: string,
  onto: { commit: string; merged: number[] } | null,
  items: readonly MergeItem[],
) {
  return integrateBatch(
    {
      merge: (tip, item) => mergeCommits(repo, tip, item.commit, item.title),
      advance: (commit) => {
        git(repo, 'update-ref', 'refs/heads/aider/x/merged', commit);
        return diffStat(repo, base, commit);
      },
      tests: null,
    },
    base,
    onto,
    items,
  );
}

describe('merging', () => {
  test('in order, without touching the checkout; a conflict leaves out the agent and those that build on it', async () => {
    const repo = makeRepo({ 'a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\n' });
    const base = git(repo, 'rev-parse', 'HEAD');
    const one = commitOf(repo, base, { 'a.txt': 'one\n' });
    const two = commitOf(repo, base, { 'a.txt': 'two\n', 'b.txt': 'two\n' });
    const three = commitOf(repo, two, { 'c.txt': 'three\n' });
    const four = commitOf(repo, base, { 'c.txt': null, 'd.txt': 'four\n' });
    const merged = await integrate(repo, base, null, [
      { agent: 0, title: 'one', commit: one, needs: [] },
      { agent: 1, title: 'two', commit: two, needs: [] },
      { agent: 2, title: 'three', commit: three, needs: [1] },
      { agent: 3, title: 'four', commit: four, needs: [] },
    ]);
    expect(merged.ok && merged.value).toMatchObject({
      merged: [0, 3],
      conflicts: [{ agent: 1, files: ['a.txt'] }],
      because: [{ agent: 2, of: 1 }],
      diff: {
        files: [{ path: 'a.txt' }, { path: 'c.txt', status: 'D' }, { path: 'd.txt', status: 'A' }],
      },
    });
    expect(git(repo, 'show', 'aider/x/merged:a.txt')).toBe('one');
    expect(git(repo, 'status', '--porcelain')).toBe('');
  });

  test('a later wave is added to what is merged', async () => {
    const repo = makeRepo({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
    const base = git(repo, 'rev-parse', 'HEAD');
    const one = commitOf(repo, base, { 'a.txt': 'one\n' });
    const first = await integrate(repo, base, null, [
      { agent: 0, title: 'one', commit: one, needs: [] },
    ]);
    const tip = (first.ok && first.value.commit) as string;
    const two = commitOf(repo, tip, { 'b.txt': 'two\n' });
    const onto = { commit: tip, merged: [0] };
    const again = await integrate(repo, base, onto, [
      { agent: 1, title: 'two', commit: two, needs: [] },
    ]);
    expect(again.ok && again.value).toMatchObject({ commit: two, merged: [1] });
    expect(again.ok && again.value.diff.files.map((file) => file.path)).toEqual(['a.txt', 'b.txt']);
    // Nothing new: what was merged stays merged.
    const none = await integrate(repo, base, onto, []);
    expect(none.ok && none.value).toMatchObject({ commit: tip, merged: [] });
  });

  test('a conflict stands between long markers, which Aider does not take for its own, and is found', async () => {
    const repo = makeRepo({ 'a.txt': 'one\ntwo\n', 'b.txt': 'b\n' });
    const base = git(repo, 'rev-parse', 'HEAD');
    const ours = commitOf(repo, base, { 'a.txt': 'one\nours\n' });
    const theirs = commitOf(repo, base, { 'a.txt': 'one\ntheirs\n', 'b.txt': '<<<<<<< b\n' });
    const attributes = path.join(tempFolder(), 'attributes');
    writeFileSync(attributes, `* conflict-marker-size=${markerSize}\n`);
    const tree = await mergeWithMarkers(repo, ours, theirs, attributes);
    if (!tree.ok) throw new Error('no tree');
    const [begin, middle, end] = ['<', '=', '>'].map((sign) => sign.repeat(15));
    expect(git(repo, 'show', `${tree.value}:a.txt`)).toMatch(
      new RegExp(`^one\n${begin} \\w+\nours\n${middle}\ntheirs\n${end} \\w+$`),
    );
    // A marker of the usual length is the project's own business.
    const found = await withMarkers(repo, tree.value, ['a.txt', 'b.txt']);
    expect(found).toEqual({ ok: true, value: ['a.txt'] });
    expect(await withMarkers(repo, ours, ['a.txt'])).toEqual({ ok: true, value: [] });
  });

  test('dependencies as one commit, or the files in which they conflict', async () => {
    const repo = makeRepo({ 'a.txt': 'a\n' });
    const base = git(repo, 'rev-parse', 'HEAD');
    const one = commitOf(repo, base, { 'b.txt': '1\n' });
    const two = commitOf(repo, base, { 'c.txt': '2\n' });
    const bad = commitOf(repo, base, { 'b.txt': 'other\n' });
    const clean = await mergeOnto(repo, base, [one, two]);
    expect(
      clean.ok &&
        clean.value.clean &&
        git(repo, 'ls-tree', '--name-only', clean.value.commit).split('\n'),
    ).toEqual(['a.txt', 'b.txt', 'c.txt']);
    expect(await mergeOnto(repo, base, [])).toEqual({
      ok: true,
      value: { clean: true, commit: base },
    });
    expect(await mergeOnto(repo, base, [one, bad])).toEqual({
      ok: true,
      value: { clean: false, files: ['b.txt'] },
    });
  });
});

describe('landing', () => {
  function prepared(files: Readonly<Record<string, string | null>> = { 'a.txt': '2\n' }) {
    const repo = makeRepo({ 'a.txt': '1\n', 'b.txt': '1\n' });
    const base = git(repo, 'rev-parse', 'HEAD');
    const commit = commitOf(repo, base, files);
    return { repo, base, commit, branch: 'main' as string | null, merged: 'm', later: 'later' };
  }

  test('a fast-forward; hooks do not run', async () => {
    const request = prepared({ 'a.txt': '2\n', 'new.txt': 'n\n' });
    writeFileSync(path.join(request.repo, '.git/hooks/post-merge'), '#!/bin/sh\ntouch hook-ran\n', {
      mode: 0o755,
    });
    expect(await land(request)).toEqual({
      state: 'landed',
      commit: request.commit,
      branch: 'main',
    });
    expect(git(request.repo, 'rev-parse', 'main')).toBe(request.commit);
    expect(readFileSync(path.join(request.repo, 'a.txt'), 'utf8')).toBe('2\n');
    expect(git(request.repo, 'status', '--porcelain')).toBe('');
  });

  test('a case-only rename lands', async () => {
    const request = prepared({ 'a.txt': null, 'A.txt': '1\n' });
    expect(await land(request)).toMatchObject({ state: 'landed' });
    expect(git(request.repo, 'ls-files').split('\n')).toContain('A.txt');
  });

  test.each([
    [
      'a tracked file is changed',
      (repo: string) => writeFiles(repo, { 'b.txt': 'mine\n' }),
      'tracked files are changed: b.txt',
    ],
    [
      'a change is staged',
      (repo: string) => {
        writeFiles(repo, { 'b.txt': 'mine\n' });
        git(repo, 'add', '-A');
      },
      'tracked files are changed: b.txt',
    ],
    [
      'an untracked file is in the way',
      (repo: string) => writeFiles(repo, { 'new.txt': 'mine\n' }),
      'untracked files would be overwritten: new.txt',
    ],
    [
      'an ignored file is in the way',
      (repo: string) => {
        writeFiles(repo, { 'new.txt': 'mine\n' });
        writeFiles(repo, { '.git/info/exclude': 'new.txt\n' });
      },
      'untracked files would be overwritten: new.txt',
    ],
    [
      'the branch has moved',
      (repo: string) => {
        git(repo, 'commit', '-q', '--allow-empty', '-m', 'more');
      },
      'has moved',
    ],
    [
      'another branch is checked out',
      (repo: string) => {
        git(repo, 'switch', '-q', '-c', 'other');
      },
      'the current branch is other',
    ],
    [
      'HEAD is detached',
      (repo: string) => {
        git(repo, 'switch', '-q', '--detach');
      },
      'HEAD is detached',
    ],
  ])('refused, and nothing is touched: %s', async (_name, disturb, reason) => {
    const request = prepared({ 'a.txt': '2\n', 'new.txt': 'n\n' });
    disturb(request.repo);
    const state = () => [
      git(request.repo, 'status', '--porcelain', '--ignored'),
      git(request.repo, 'rev-parse', 'HEAD'),
      readFileSync(path.join(request.repo, 'a.txt'), 'utf8'),
    ];
    const before = state();
    const landing = await land(request);
    const how = reason === 'has moved' ? 'git merge m' : 'later';
    expect(landing).toMatchObject({ state: 'refused', how });
    expect(landing.state === 'refused' && landing.reason).toContain(reason);
    expect(state()).toEqual(before);
  });

  test('an unrelated untracked file is no hindrance', async () => {
    const request = prepared();
    writeFiles(request.repo, { 'docs/prd/prd_x.md': 'p' });
    expect(await land(request)).toMatchObject({ state: 'landed' });
  });
});

describe('while an agent works', () => {
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
});
