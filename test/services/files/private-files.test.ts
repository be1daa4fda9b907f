import { appendFileSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeWhole } from '../../../source/services/files/private-files.js';
import { tempFolder } from '../../rig.js';

test('a file is written whole or not at all, for its owner alone, and never through a link', () => {
  const folder = tempFolder();
  const file = path.join(folder, 'x.json');
  const umask = process.umask(0);
  onTestFinished(() => void process.umask(umask));
  writeWhole(file, 'one');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(() => writeWhole(path.join(file, 'below'), 'two')).toThrow();
  expect(readFileSync(file, 'utf8')).toBe('one');
  const target = path.join(folder, 'target');
  appendFileSync(target, 'theirs');
  symlinkSync(target, path.join(folder, 'link'));
  writeWhole(path.join(folder, 'link'), 'ours');
  expect(readFileSync(target, 'utf8')).toBe('theirs');
  expect(existsSync(path.join(folder, 'link'))).toBe(true);
});
