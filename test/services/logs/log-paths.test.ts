import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { claimRun, type RunRecord } from '../../../source/services/records/run-records.js';
import { makeRepo, tempFolder } from '../../rig.js';

const now = new Date(2026, 0, 2, 3, 4, 5).getTime();

/** A home of its own for the records of a test. */
function ownHome(): string {
  const home = tempFolder('home');
  for (const name of ['XDG_DATA_HOME', 'XDG_CACHE_HOME']) {
    const saved = process.env[name];
    process.env[name] = path.join(home, name);
    onTestFinished(() => {
      if (saved === undefined) delete process.env[name];
      else process.env[name] = saved;
    });
  }
  return home;
}

const placeOf = (root: string) => ({ root, commonDir: path.join(root, '.git') });

function claim(root: string, at = now): RunRecord {
  const claimed = claimRun(placeOf(root), at);
  if (!claimed.ok) throw new Error(JSON.stringify(claimed.failure));
  onTestFinished(() => claimed.value.letGo());
  return claimed.value;
}

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
