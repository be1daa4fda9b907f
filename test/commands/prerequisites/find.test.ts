import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Overrides } from '../../../source/commands/aider-command.js';
import { resolveOptions } from '../../../source/commands/options.js';
import type { Asked } from '../../../source/commands/prerequisites/asked.js';
import {
  checkPrerequisites,
  findPrerequisites,
} from '../../../source/commands/prerequisites/find.js';
import type { Failure } from '../../../source/core/policy/failure.js';
import { err, ok } from '../../../source/core/result.js';
import type { FlagValues } from '../../../source/services/config/option-table.js';
import { nothingHanded } from '../../../source/services/config/repo-aider-files.js';
import { openRepository } from '../../../source/services/git/repository.js';
import { git, makeRepo, writeFiles } from '../../rig.js';

/** So that none is looked for. */
const overrides: Overrides = {
  aider: { command: ['aider'], version: '0.86.2', interpreter: null, simulated: true },
};

async function asked(flags: FlagValues, more: Partial<Asked> = {}) {
  const repo = makeRepo({ 'a.txt': 'a\n' });
  const options = resolveOptions({ flags, env: {}, repo: {}, user: {} }, []);
  const found: Asked = {
    repository: await openRepository(repo),
    options,
    planner: false,
    agents: true,
    isFinal: false,
    geminiKey: null,
    handed: nothingHanded,
    overrides: {},
    findAider: async () => err({ kind: 'aider', message: 'There is no Aider.', hint: 'setup' }),
    ...more,
  };
  return { repo, found };
}

/** What is missing or warned of, by name. */
async function told(found: Asked, moment: 'doctor' | 'screen' | 'start') {
  const all = await findPrerequisites(found, moment);
  return Object.fromEntries(
    all.filter(({ state }) => state !== 'ok').map(({ name, state }) => [name, state]),
  );
}

test('a repository that is gone is told on the screen, and what needs it is not asked', async () => {
  const { repo, found } = await asked({});
  expect(await told(found, 'screen')).not.toHaveProperty('repository');
  rmSync(repo, { recursive: true });
  const gone = { ...found, repository: await openRepository(repo) };
  const answer = await told(gone, 'screen');
  expect(answer).toMatchObject({ repository: 'missing' });
  expect(Object.keys(answer)).not.toContain('identity');
});

test('a review without a key is a warning as long as it can be turned off, then it is missing', async () => {
  const { found } = await asked({ review: true });
  expect(await told(found, 'screen')).toMatchObject({ review: 'warning' });
  expect(await told({ ...found, isFinal: true }, 'start')).toMatchObject({ review: 'missing' });
  expect(await told({ ...found, geminiKey: 'k', planner: false }, 'screen')).not.toHaveProperty(
    'review',
  );
});

test('an Aider that is there but would obey the repository is not one that is missing', async () => {
  const findAider = async () =>
    ok({
      command: '/bin/aider',
      version: '0.86.2',
      source: 'PATH',
      python: null,
      interpreter: null,
    } as const);
  const { repo, found } = await asked({}, { findAider });
  expect(await told(found, 'screen')).not.toHaveProperty('isolation');
  writeFiles(repo, { '.aider.conf.yml': 'load: evil\n' });
  git(repo, 'add', '-A');
  git(repo, 'commit', '-q', '-m', 'Aider');
  const now = { ...found, repository: await openRepository(repo) };
  expect(await told(now, 'screen')).toMatchObject({ isolation: 'missing' });
});

test('the doctor tells of each wrong settings file, and of the rest all the same', async () => {
  const wrongSettings: Failure[] = ['one', 'two'].map((message) => ({
    kind: 'usage',
    message,
    hint: '',
  }));
  const { found } = await asked({}, { wrongSettings });
  const all = await findPrerequisites({ ...found, overrides }, 'doctor');
  expect(all.filter(({ name }) => name === 'settings').map(({ text }) => text)).toEqual([
    'one',
    'two',
  ]);
  expect(all.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['model', 'disk', 'identity']),
  );
});

test('all that is missing at the start is named together', async () => {
  const { found } = await asked({ review: true }, { isFinal: true });
  const checked = await checkPrerequisites(found);
  if (checked.ok || checked.failure.kind !== 'prerequisites') throw new Error('nothing is missing');
  expect(checked.failure.missing.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['Aider', 'review']),
  );
});
