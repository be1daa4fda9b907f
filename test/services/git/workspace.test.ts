import path from 'node:path';
import { expect, test } from 'vitest';
import { integrationBranch } from '../../../source/core/run/branches.js';
import { mergeCommits } from '../../../source/services/git/merge.js';
import { git, makeRepo, tempFolder } from '../../rig.js';
import { openTestWorkspace, testConfig } from '../../test-config.js';
import { commitOf } from './rig.js';

function workspace(isOver: boolean) {
  const repo = makeRepo({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  const base = git(repo, 'rev-parse', 'HEAD');
  const config = { ...testConfig, repo, base };
  const branch = integrationBranch(config.stamp);
  const opened = openTestWorkspace(config, path.join(tempFolder(), 'worktrees'), { isOver });
  return { repo, base, opened, tip: () => git(repo, 'rev-parse', branch) };
}

async function merged(repo: string, ours: string, theirs: string): Promise<string> {
  const done = await mergeCommits(repo, ours, theirs, 'Merge');
  if (!done.ok || !done.value.clean) throw new Error('no merge');
  return done.value.commit;
}

test.each([
  ['goes where the run says', false],
  ['never loses work once the run is over', true],
])('the merged branch %s', async (_name, isOver) => {
  const { repo, base, opened, tip } = workspace(isOver);
  const one = commitOf(repo, base, { 'a.txt': '1\n' });
  const other = commitOf(repo, base, { 'b.txt': '2\n' });
  const both = await merged(repo, one, other);
  expect(await opened.advance(one)).toMatchObject({ ok: true });
  expect(tip()).toBe(one);
  expect(await opened.advance(both)).toMatchObject({ ok: true });
  expect(tip()).toBe(both);
  // What it told of is less than there is, as where a journal has lost its end: its own answer is the same.
  const less = await opened.advance(one);
  expect(less.ok && less.value.files.map((file) => file.path)).toEqual(['a.txt']);
  expect(tip()).toBe(isOver ? both : one);
});
