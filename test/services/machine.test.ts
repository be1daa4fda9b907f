import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkLazyModules, lazyImports } from '../../source/build/lazy-modules.js';
import { faultOfError, faultOfText } from '../../source/core/policy/machine-fault.js';
import { haltedBy, noteFailures } from '../../source/core/run/circuit-breaker.js';
import { initialState } from '../../source/core/run/run.js';
import { LineFile } from '../../source/services/logs/line-file.js';
import { ensureLogs, logPaths } from '../../source/services/logs/log-paths.js';
import { steadyClock } from '../../source/services/machine/clock.js';
import { confirmedFault } from '../../source/services/machine/confirm-fault.js';
import { lookingElsewhere } from '../../source/services/machine/own-environment.js';
import { processesBelow, untilQuiet } from '../../source/services/machine/processes-below.js';
import { integrateBatch } from '../../source/store/integrate.js';
import { root, tempFolder } from '../rig.js';
import { testConfig } from '../test-config.js';

describe('faults of the machine', () => {
  test('are recognised by code and by words, and nothing else is', () => {
    const known: readonly (readonly [unknown, string | null])[] = [
      [{ code: 'ENOSPC', message: '' }, 'disk_full'],
      [{ code: 'EDQUOT', message: '' }, 'disk_full'],
      [{ code: 'EMFILE', message: '' }, 'descriptors'],
      [{ code: 'EAGAIN', message: '' }, 'processes'],
      [{ code: 'ENOMEM', message: '' }, 'memory'],
      [new Error('fatal: write error: No space left on device'), 'disk_full'],
      [new Error('sh: 0: Cannot fork'), 'processes'],
      [{ code: 'ENOENT', message: 'spawn git ENOENT' }, null],
      [new Error('merge conflict'), null],
    ];
    for (const [error, fault] of known) expect(faultOfError(error)).toBe(fault);
    expect(faultOfText('tests: 3 failed')).toBe(null);
  });

  test('what a test prints is believed of the disk only when the disk is full', () => {
    const folder = tempFolder();
    expect(confirmedFault('No space left on device', folder)).toBe(null);
    expect(confirmedFault('anything', path.join(folder, 'gone'))).toBe('folder_gone');
  });

  test('the first one halts the run; tests that could not be run blame no work', async () => {
    const run = initialState({ ...testConfig, unattended: false }, 0);
    const halted = haltedBy(run, 'disk_full', 'x', []);
    expect(halted).toMatchObject({ paused: true, circuitBreaker: { reason: 'disk_full' } });
    expect(halted.warnings[0]).toMatch(/the disk is full.*Free some space/);
    expect(noteFailures(halted, halted)).toBe(halted);
    const done = await integrateBatch(
      {
        merge: async (_, item) => ({ ok: true, value: { clean: true, commit: item.commit } }),
        advance: async () => ({ ok: true, value: { files: [] } }),
        tests: {
          mode: 'decides',
          accepts: () => false,
          run: async () => {
            const fault = 'disk_full' as const;
            return { state: 'faulted', fault, words: 'full', output: '', ms: 0, flaky: false };
          },
        },
      },
      'base',
      null,
      [{ agent: 0, title: 'x', commit: 'c', needs: [] }],
    );
    expect(done).toMatchObject({ ok: false, failure: { kind: 'machine', fault: 'disk_full' } });
  });
});

test('a clock that is set back takes no time away', () => {
  const wall = [1000, 2000, -86_400_000, -86_399_000, 5000];
  const passed = [0, 1000, 2000, 3000, 4000];
  const clock = steadyClock(
    () => wall.shift() ?? 0,
    () => passed.shift() ?? 0,
  );
  expect([clock(), clock(), clock(), clock()]).toEqual([2000, 3000, 4000, 5000]);
});

test('nothing is looked up below the working folder', () => {
  const env = { PATH: '/bin:.::node_modules/.bin:/usr/bin', PYTHONPATH: ':lib:/x', HOME: '.' };
  expect(lookingElsewhere(env)).toEqual({ PATH: '/bin:/usr/bin', PYTHONPATH: '/x', HOME: '.' });
});

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

test('the build finds what a lazily loaded module does not give', () => {
  const input = 'source/services/config/repo-aider-files.ts';
  expect(lazyImports(path.join(root, input))).toMatchObject([
    { specifier: './yaml.js', names: ['parseYaml', 'YamlError'] },
  ]);
  const yaml = 'source/services/config/yaml.ts';
  const meta = (exports: string[]) => ({
    inputs: {
      [input]: {
        bytes: 1,
        imports: [{ path: yaml, kind: 'dynamic-import' as const, original: './yaml.js' }],
      },
    },
    outputs: { 'dist/yaml.js': { bytes: 1, inputs: {}, imports: [], exports, entryPoint: yaml } },
  });
  expect(checkLazyModules(meta(['parseYaml', 'YamlError']), root)).toBe(2);
  expect(() => checkLazyModules(meta(['default']), root)).toThrow(/takes parseYaml/);
  expect(existsSync(path.join(root, 'dist/cli.js.map'))).toBe(true);
});

test.runIf(process.platform === 'linux')(
  'what works in a folder is waited for, by its command line or where it stands, and not for ever',
  async () => {
    const folder = tempFolder();
    const ends = spawn('sh', ['-c', `sleep 0.3; : ${folder}/x`]);
    expect(processesBelow(folder)).toContain(ends.pid);
    await untilQuiet(folder, 10_000);
    expect(processesBelow(folder)).toEqual([]);
    const stays = spawn('sleep', ['1000'], { cwd: folder });
    expect(processesBelow(folder)).toContain(stays.pid);
    await untilQuiet(folder, 100);
    expect(processesBelow(folder)).toContain(stays.pid);
    stays.kill('SIGKILL');
    await untilQuiet(folder, 10_000);
    expect(processesBelow(folder)).toEqual([]);
  },
);
