import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { git, makeRepo, root, tempFolder, world } from '../rig.js';

test('npm pack makes a package that installs into an empty folder and whose command runs', () => {
  const folder = tempFolder('pack');
  const npm = (cwd: string, ...args: string[]) =>
    execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  // Without `prepack`: the tests run on this very build, which must stay where it is meanwhile.
  npm(root, 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder);
  const [tarball] = readdirSync(folder);
  writeFileSync(path.join(folder, 'package.json'), '{"private":true}');
  npm(folder, 'install', '--silent', '--no-audit', '--no-fund', `./${tarball}`);
  const bin = path.join(folder, 'node_modules/.bin/aider-orchestrator');
  const installed = path.join(folder, 'node_modules/aider-orchestrator');
  expect(readdirSync(installed).sort()).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'package.json']),
  );
  expect(existsSync(path.join(installed, 'source'))).toBe(false);
  // All else is in the bundle, with its licences.
  const others = readdirSync(path.join(folder, 'node_modules')).filter((name) => name[0] !== '.');
  expect(others.sort()).toEqual(['aider-orchestrator', 'node-addon-api', 'node-pty']);
  const licences = readFileSync(path.join(installed, 'dist/LICENCES.txt'), 'utf8');
  for (const name of ['ink', 'react', 'zod', 'sax', '@xterm/xterm', 'yaml']) {
    expect(licences).toMatch(new RegExp(`^${name} \\d.* \\(.+\\)$`, 'm'));
  }
  for (const name of ['plan', 'summary', 'settings']) {
    expect(existsSync(path.join(installed, `dist/schema/${name}.schema.json`))).toBe(true);
  }
  // A browser loads all of the page before it shows anything.
  const page = path.join(installed, 'dist/page');
  const sizes = readdirSync(page).map(
    (name) => gzipSync(readFileSync(path.join(page, name))).length,
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(500_000);
  const { env } = world(null);
  const repo = makeRepo({ 'a.ts': '1\n' });
  const run = (...args: string[]) => execFileSync(bin, args, { cwd: repo, env, encoding: 'utf8' });
  expect(run('--help')).toContain('aider-orchestrator demo');
  const plan = JSON.parse(run('--change', 'x', '--no-prd', '--dry-run'));
  expect(plan.tasks).toHaveLength(1);
  expect(git(repo, 'status', '--porcelain')).toBe('');
});
