import { readFileSync, rmSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LineFile } from '../../../source/services/logs/line-file.js';
import { ensureLogs, logPaths } from '../../../source/services/logs/log-paths.js';
import { tempFolder } from '../../rig.js';

test('logs that are removed while a run goes begin anew, and ignore themselves again', () => {
  const repo = tempFolder();
  const { journal, ignore, logs } = logPaths(repo, '20260102_030405');
  const said: string[] = [];
  const file = new LineFile(journal, (text) => said.push(text), {
    head: { journal: 1 },
    prepare: () => ensureLogs(repo),
  });
  file.append({ at: 1 });
  rmSync(logs, { recursive: true });
  file.append({ at: 2 }, true);
  file.close();
  expect(said).toHaveLength(1);
  expect(readFileSync(journal, 'utf8')).toBe('{"journal":1}\n{"at":2}\n');
  expect(readFileSync(ignore, 'utf8')).toBe('*\n');
  expect(statSync(journal).mode & 0o077).toBe(0);
});
