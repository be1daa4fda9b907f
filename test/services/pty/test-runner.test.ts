import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { TestRunner } from '../../../source/services/pty/test-runner.js';
import { eventually } from '../../eventually.js';
import { processesWith, tempFolder } from '../../rig.js';

function checker(command: string, timeoutMs = 60_000, report: string | null = null) {
  const folder = tempFolder();
  const plan = { command, from: '--test-cmd', timeoutMs, report };
  const check = new TestRunner({ PATH: process.env['PATH'] ?? '', SECRET: 'hunter2-hunter2' }, [
    'hunter2-hunter2',
  ]);
  const run = (log: string, signal = new AbortController().signal) =>
    check.run(plan, folder, path.join(folder, log), signal);
  return { folder, run };
}

describe('the test command', () => {
  test('a runner that does not know what it is asked for is run as it was named', async () => {
    const { folder, run } = checker('./pytest -q');
    const runner = path.join(folder, 'pytest');
    const write = (end: string) =>
      writeFileSync(runner, `#!/bin/sh\ncase "$*" in *junitxml*) exit 4;; esac\n${end}\n`);
    write('exit 0');
    chmodSync(runner, 0o755);
    expect(await run('log')).toMatchObject({ state: 'passed' });
    write('echo "error: no"; exit 1');
    expect(await run('log')).toMatchObject({ state: 'failed', words: 'exit code 1' });
    expect(readFileSync(path.join(folder, 'log'), 'utf8')).toMatch(/^\$ \.\/pytest -q\n/);
  });

  test('a report that was there before is no word of these tests', async () => {
    const report = (end: string) => `<testsuite><testcase name="a">${end}</testcase></testsuite>`;
    const { folder, run } = checker('test -f new && cp new out.xml; exit 1', 60_000, '*.xml');
    writeFileSync(path.join(folder, 'out.xml'), report(''));
    expect(await run('log')).not.toHaveProperty('report');
    writeFileSync(path.join(folder, 'new'), report('<failure/>'));
    expect(await run('log')).toMatchObject({ report: { failed: ['a'], passed: 0 } });
  });

  test('passes, fails with what matters of its output, and keeps no secret', async () => {
    expect(await checker('echo fine').run('log')).toMatchObject({ state: 'passed', output: '' });
    const { folder, run } = checker('echo "error: no $SECRET"; exit 3');
    expect(await run('log')).toMatchObject({
      state: 'failed',
      words: 'exit code 3',
      output: 'error: no ***',
    });
    expect(readFileSync(path.join(folder, 'log'), 'utf8')).not.toContain('hunter2');
  });

  test('told to end: before it begins, while it waits for another one, and while it runs', async () => {
    const { folder, run } = checker('touch begun; sleep 541');
    expect(await run('none', AbortSignal.abort())).toMatchObject({ state: 'stopped' });
    expect(existsSync(path.join(folder, 'begun'))).toBe(false);
    const [first, second] = [new AbortController(), new AbortController()];
    const running = run('first', first.signal);
    const waiting = run('second', second.signal);
    await eventually(() => expect(existsSync(path.join(folder, 'begun'))).toBe(true));
    second.abort();
    first.abort();
    expect(await running).toMatchObject({ state: 'stopped' });
    expect(await waiting).toMatchObject({ state: 'stopped' });
    expect(existsSync(path.join(folder, 'second'))).toBe(false);
    expect(processesWith('sleep 541')).toEqual([]);
  });

  test.runIf(process.platform === 'linux')('what it has started does not outlive it', async () => {
    const { run } = checker('setsid sleep 542 & echo started');
    expect(await run('log')).toMatchObject({ state: 'passed' });
    expect(processesWith('sleep 542')).toEqual([]);
  });
});
