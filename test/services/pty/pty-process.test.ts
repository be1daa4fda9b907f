import { closeSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { spawnPty } from '../../../source/services/pty/pty-process.js';
import { runCommand } from '../../../source/services/pty/run-command.js';
import { until } from '../../eventually.js';
import { isAlive } from '../../rig.js';
import { env, exitOf, start } from './rig.js';

describe('a process in a pseudo-terminal', () => {
  test('no byte is lost at the exit, in 200 bursts, also while the reader pauses', async () => {
    for (let run = 0; run < 200; run++) {
      const size = 20_000 + ((run * 7919) % 300_000);
      const process = spawnPty({
        file: 'head',
        args: ['-c', String(size), '/dev/zero'],
        cwd: '/',
        env,
        cols: 80,
        rows: 24,
      });
      let got = 0;
      process.onData((bytes) => {
        got += bytes.length;
        if (run % 4 !== 0) return;
        process.pause();
        setImmediate(() => process.resume());
      });
      await exitOf(process);
      expect(got, `run ${run}`).toBe(size);
    }
  });

  test('exit code and signal are told', async () => {
    expect(await exitOf(start('exit 7'))).toEqual({ code: 7, signal: null });
    expect(await exitOf(start('kill -TERM $$'))).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('a signal reaches the whole group', async () => {
    const process = start('sleep 300 & echo child $!; wait');
    const child = await new Promise<number>((resolve) => {
      let text = '';
      process.onData((bytes) => {
        text += bytes;
        const match = /child (\d+)/.exec(text);
        if (match) resolve(Number(match[1]));
      });
    });
    process.signal('SIGKILL');
    await exitOf(process);
    await until(() => !isAlive(child));
    expect(isAlive(process.pid)).toBe(false);
  });

  test.runIf(process.platform === 'linux')(
    "no descriptor of another agent's terminal is in a child",
    async () => {
      // With gaps among the descriptors, as every program has them after a while.
      const files = Array.from({ length: 60 }, () => openSync('/dev/null', 'r'));
      for (const fd of files.filter((_, at) => at % 3 === 0)) closeSync(fd);
      const others = Array.from({ length: 4 }, () => start('sleep 300'));
      for (const fd of files.filter((_, at) => at % 3 === 1)) closeSync(fd);
      const end = await runCommand({
        file: '/bin/sh',
        args: ['-c', 'ls -l /proc/self/fd'],
        cwd: '/',
        env,
      });
      for (const other of others) other.signal('SIGKILL');
      for (const fd of files.filter((_, at) => at % 3 === 2)) closeSync(fd);
      expect(end.text).not.toContain('ptmx');
      expect(new Set(end.text.match(/\/dev\/pts\/\d+/g)).size).toBe(1);
    },
  );
});

test('a resize at the very end of a process does not throw', async () => {
  for (let round = 0; round < 10; round++) {
    const pty = spawnPty({
      file: '/bin/sh',
      args: ['-c', 'exit 0'],
      cwd: '/',
      env: {},
      cols: 80,
      rows: 24,
    });
    let ended = false;
    pty.onExit(() => {
      ended = true;
    });
    for (let cols = 40; !ended; cols = cols === 40 ? 41 : 40) {
      pty.resize(cols, 20);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
});
