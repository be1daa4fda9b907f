import { existsSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { land } from '../../../source/services/git/land.js';
import { git, makeRepo, writeFiles } from '../../rig.js';
import { canMount, smallDisk } from '../../small-disk.js';
import { commitOf } from './rig.js';

/** A branch with changes to land, on a base that is checked out. */
function toLand(files: Record<string, string>, changes: Record<string, string>, folder?: string) {
  const repo = makeRepo(files, folder);
  const base = git(repo, 'rev-parse', 'HEAD');
  git(repo, 'checkout', '-q', '-b', 'work');
  writeFiles(repo, changes);
  git(repo, 'add', '-A');
  git(repo, 'commit', '-q', '-m', 'work');
  const commit = git(repo, 'rev-parse', 'HEAD');
  git(repo, 'checkout', '-q', 'main');
  const request = { repo, base, branch: 'main', commit, merged: 'work', later: 'later' };
  return { repo, base, commit, request };
}

test('a landing that fails half-way is taken back, and can be tried again', async () => {
  const { repo, base, commit, request } = toLand(
    { 'a.txt': '1\n', 'z.txt': '1\n', '.gitattributes': '*.bad filter=bad\n' },
    { 'a.txt': '2\n', 'b/new.txt': 'new\n', 'c.bad': 'x\n', 'z.txt': '2\n' },
  );
  // Git gives up in the middle of the files.
  git(repo, 'config', 'filter.bad.required', 'true');
  git(repo, 'config', 'filter.bad.clean', 'cat');
  git(repo, 'config', 'filter.bad.smudge', 'false');
  writeFiles(repo, { 'mine.txt': 'untracked\n' });
  const landing = await land(request);
  expect(landing).toMatchObject({ state: 'refused', how: 'later' });
  expect(landing).toHaveProperty('reason', expect.stringMatching(/filter/));
  expect(git(repo, 'rev-parse', 'HEAD')).toBe(base);
  expect(git(repo, 'status', '--porcelain')).toBe('?? mine.txt');
  expect(readFileSync(path.join(repo, 'a.txt'), 'utf8')).toBe('1\n');
  expect(existsSync(path.join(repo, 'b'))).toBe(false);
  git(repo, 'config', 'filter.bad.smudge', 'cat');
  expect(await land(request)).toEqual({ state: 'landed', commit, branch: 'main' });
  expect(git(repo, 'status', '--porcelain')).toBe('?? mine.txt');
});

test.runIf(canMount)('a disk that is full in the middle of a landing', async () => {
  const disk = smallDisk(80);
  // The index alone takes some hundred kilobytes: there is room for the files, and none for that.
  const many = Object.fromEntries(Array.from({ length: 4000 }, (_, n) => [`f/${n}.txt`, `${n}\n`]));
  const { repo, base, commit, request } = toLand(
    { ...many, 'a.txt': '1\n' },
    { 'a.txt': '2\n', 'new.txt': 'new\n' },
    `${disk}/repo`,
  );
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(`${disk}/filler`, Buffer.alloc(bavail * bsize - 160 * 1024));
  const landing = await land(request);
  expect(landing).toEqual({
    state: 'refused',
    reason: 'The disk is full (git merge)',
    how: 'later',
  });
  expect(readFileSync(path.join(repo, 'a.txt'), 'utf8')).toBe('1\n');
  rmSync(`${disk}/filler`);
  expect(git(repo, 'rev-parse', 'HEAD')).toBe(base);
  expect(git(repo, 'status', '--porcelain')).toBe('');
  expect(await land(request)).toEqual({ state: 'landed', commit, branch: 'main' });
});

test('a lock that passes is waited for', async () => {
  const { repo, request } = toLand({ 'a.txt': '1\n' }, { 'a.txt': '2\n' });
  const lock = path.join(repo, '.git/index.lock');
  writeFileSync(lock, '');
  const landing = land(request);
  setTimeout(() => rmSync(lock), 400);
  expect(await landing).toMatchObject({ state: 'landed' });
});

test('a tag of the branch’s name does not keep the work from landing', async () => {
  const { repo, request } = toLand({ 'a.txt': '1\n' }, { 'a.txt': '2\n' });
  git(repo, 'tag', 'main');
  expect(await land(request)).toMatchObject({ state: 'landed' });
});

test('a name that changes in its case only lands, also where case does not count', async () => {
  const { repo, request } = toLand({ 'Readme.txt': '1\n' }, { 'README.txt': '1\n' });
  git(repo, 'checkout', '-q', 'work');
  git(repo, 'rm', '-q', 'Readme.txt');
  git(repo, 'commit', '-q', '-m', 'renamed');
  const commit = git(repo, 'rev-parse', 'HEAD');
  git(repo, 'checkout', '-q', 'main');
  git(repo, 'config', 'core.ignorecase', 'true');
  expect(await land({ ...request, commit })).toMatchObject({ state: 'landed' });
  expect(git(repo, 'ls-files')).toBe('README.txt');
  expect(git(repo, 'status', '--porcelain')).toBe('');
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
