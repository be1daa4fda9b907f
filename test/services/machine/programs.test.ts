import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { setVariable, variable } from '../../../source/services/machine/environment.js';
import { which } from '../../../source/services/machine/programs.js';
import { tempFolder } from '../../rig.js';

/** Looks along this PATH, from a folder that has a program of the name. */
function lookAlong(PATH: string): Promise<string | null> {
  const [before, folder] = [variable('PATH'), process.cwd()];
  onTestFinished(() => {
    setVariable('PATH', before ?? undefined);
    process.chdir(folder);
  });
  const here = tempFolder();
  mkdirSync(path.join(here, 'sub'));
  for (const file of ['mine', 'sub/mine']) {
    writeFileSync(path.join(here, file), '#!/bin/sh\n', { mode: 0o755 });
  }
  process.chdir(here);
  setVariable('PATH', PATH);
  return which('mine');
}

test.each(['', '.', ':', '.::sub', './sub:/nowhere'])(
  'a program of the working folder is not found along %j',
  async (PATH) => expect(await lookAlong(PATH)).toBe(null),
);

test('the first executable of the absolute folders is found', async () => {
  const folder = tempFolder();
  const [plain, good, later] = ['plain', 'good', 'later'].map((name) => path.join(folder, name));
  for (const [at = '', mode] of [
    [plain, 0o644],
    [good, 0o755],
    [later, 0o755],
  ] as const) {
    mkdirSync(at);
    writeFileSync(path.join(at, 'mine'), '#!/bin/sh\n', { mode });
  }
  expect(await lookAlong(`.:${plain}:${good}:${later}`)).toBe(path.join(good ?? '', 'mine'));
});
