import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { claimRun } from '../../../source/services/records/run-records.js';
import { makeRepo, tempFolder } from '../../rig.js';
import { claim, now, ownHome, placeOf } from '../records/rig.js';

test('links that a repository ships in the place of our files are refused; a link of docs within is fine', () => {
  ownHome();
  const outside = tempFolder('outside');
  for (const name of [
    '.aider_logs',
    'docs/prd',
    'docs',
    '.aider_logs/.gitignore',
    '.aider_logs/runs',
  ]) {
    const root = makeRepo({ 'a.txt': '1\n' });
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    symlinkSync(path.join(outside, 'there'), path.join(root, name));
    const claimed = claimRun(placeOf(root), now);
    expect(claimed, name).toMatchObject({ ok: false, failure: { kind: 'usage' } });
  }
  expect(readdirSync(outside)).toEqual([]);
  const fine = makeRepo({ 'site/docs/a.md': '1\n' });
  symlinkSync('site/docs', path.join(fine, 'docs'));
  claim(fine);
});
