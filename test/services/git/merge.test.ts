import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MergeItem } from '../../../source/core/run/effect.js';
import {
  markerSize,
  mergeCommits,
  mergeOnto,
  mergeWithMarkers,
  withMarkers,
} from '../../../source/services/git/merge.js';
import { diffStat } from '../../../source/services/git/snapshot.js';
import { integrateBatch } from '../../../source/store/integrate.js';
import { git, makeRepo, tempFolder } from '../../rig.js';
import { commitOf } from './rig.js';

/** The same commit at another date, which may be one that git itself would not give. */
function commitAt(repo: string, commit: string, date: string): string {
  const [tree, parent] = git(repo, 'show', '-s', '--format=%T %P', commit).split(' ');
  const by = `x <x> ${date.slice(1)}`;
  const file = path.join(tempFolder(), 'commit');
  writeFileSync(file, `tree ${tree}\nparent ${parent}\nauthor ${by}\ncommitter ${by}\n\nx\n`);
  return git(repo, 'hash-object', '-t', 'commit', '-w', '--literally', file);
}

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

  test('the same merge is the same commit, whatever dates its parents tell', async () => {
    const repo = makeRepo({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
    const base = git(repo, 'rev-parse', 'HEAD');
    const one = commitOf(repo, base, { 'a.txt': '1\n' });
    const other = commitOf(repo, base, { 'b.txt': '2\n' });
    const again = async () => mergeCommits(repo, one, other, 'Merge');
    const first = await again();
    expect(await again()).toEqual(first);
    // Not by the clock, which may have stood still between the two.
    const dateOf = (commit: string) => git(repo, 'show', '-s', '--format=%ct', commit);
    const dated = commitAt(repo, other, '@1500000000 +0000');
    const datedToo = commitAt(repo, one, '@1400000000 +0000');
    const old = await mergeCommits(repo, dated, datedToo, 'Merge');
    expect(old.ok && old.value.clean && dateOf(old.value.commit)).toBe('1500000000');
    // Before 1973 and far from now, as a stranger's commit may be.
    for (const date of ['@5 +0000', '@99999999999 +0000', '@999999999999999 +0000']) {
      const odd = commitAt(repo, other, date);
      expect(await mergeCommits(repo, one, odd, 'Merge')).toMatchObject({
        ok: true,
        value: { clean: true },
      });
      expect(await mergeCommits(repo, odd, odd, 'Merge')).toMatchObject({ ok: true });
    }
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
