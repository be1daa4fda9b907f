import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CheckCommand } from '../../source/services/pty/check-command.js';
import { eventually } from '../eventually.js';
import { processesWith, tempFolder } from '../rig.js';

function checker(command: string, timeoutMs = 60_000) {
  const folder = tempFolder();
  const check = new CheckCommand(
    () => ({ command, from: '--test-cmd', timeoutMs, report: null }),
    { PATH: process.env.PATH ?? '', SECRET: 'hunter2-hunter2' },
    ['hunter2-hunter2'],
  );
  const run = (log: string, signal = new AbortController().signal) =>
    check.run(folder, path.join(folder, log), signal);
  return { folder, run };
}

describe('the test command', () => {
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
