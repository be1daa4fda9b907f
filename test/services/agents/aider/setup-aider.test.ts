import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCli, tempFolder, world } from '../../../rig.js';

test('setup says what to do where only Python 3.13 is there', async () => {
  const bin = tempFolder('bin');
  for (const [name, body] of [
    ['python3', 'echo 3.13'],
    ['ps', 'exit 1'],
  ] as const) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  const { env, home } = world(null);
  const end = await runCli(['setup'], { cwd: home, env: { ...env, PATH: bin } });
  expect(end.code).toBe(1);
  expect(end.stderr).toContain('only Python 3.13');
  expect(end.stderr).toContain('Install uv');
  expect(end.stdout + readFileSync(path.join(bin, 'python3'), 'utf8')).not.toContain('installed:');
});
