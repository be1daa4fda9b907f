import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { land } from '../../../source/services/git/land.js';
import { git, makeRepo, writeFiles } from '../../rig.js';
import { commitOf } from './rig.js';

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
