import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { forgetDraft, readDraft, writeDraft } from '../../../source/services/records/kept-draft.js';
import { git, makeRepo } from '../../rig.js';
import { ownHome } from './rig.js';

test('a draft is kept for its checkout alone, readable by the user alone; a damaged one is none', () => {
  const home = ownHome();
  const [repo, other] = [makeRepo({ a: '1' }), makeRepo({ a: '1' })];
  const draft = {
    change: 'Größer',
    prd: '# P\n',
    tasks: [{ id: 'T1', title: 'A', description: '', files: ['a'], read: [], depends_on: [] }],
    model: null,
    draftChange: 'Größer',
    maxAgents: 2,
  };
  expect(readDraft(repo)).toBe(null);
  expect(writeDraft(repo, draft)).toBe(true);
  expect(readDraft(repo)).toMatchObject(draft);
  expect(readDraft(other)).toBe(null);
  const folder = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /drafts\/.*\.json$/.test(name),
  );
  expect(folder).toHaveLength(1);
  const file = path.join(home, folder[0] as string);
  expect(statSync(file).mode & 0o077).toBe(0);
  // Nothing of it lies in the repository.
  expect(git(repo, 'status', '--porcelain', '--ignored')).toBe('');
  const whole = readFileSync(file, 'utf8');
  for (const text of ['', whole.slice(0, 40), '[]', whole.replace('"version":1', '"version":2')]) {
    writeFileSync(file, text);
    expect(readDraft(repo)).toBe(null);
  }
  writeFileSync(file, whole);
  forgetDraft(repo);
  expect(readDraft(repo)).toBe(null);
  forgetDraft(repo);
  // Where it cannot be written that is told, and nothing more.
  rmSync(path.dirname(file), { recursive: true });
  writeFileSync(path.dirname(file), 'no folder');
  expect(writeDraft(repo, draft)).toBe(false);
  expect(readDraft(repo)).toBe(null);
});
