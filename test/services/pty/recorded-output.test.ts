import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { recordedOutput, recordedSince } from '../../../source/services/pty/recorded-output.js';
import { Terminals } from '../../../source/services/pty/terminals.js';
import { tempFolder } from '../../rig.js';

const lines = (...events: unknown[]) => events.map((one) => `${JSON.stringify(one)}\n`).join('');
const head = { version: 2, width: 80, height: 24, timestamp: 1000, title: 't' };

test('the output of a recording, all or since an attempt; what is no event is passed over', () => {
  const file = path.join(tempFolder(), 'a.cast');
  expect([recordedOutput(file), recordedSince(file)]).toEqual(['', null]);
  const events = lines(
    [0, 'm', 'attempt 1'],
    [1, 'o', 'one'],
    [2, 'm', 'attempt 2'],
    [3, 'o', 'two'],
  );
  writeFileSync(file, `${lines(head)}${events}nonsense\n[4]\n{"o":1}\n[5,"o",7]\n[6,"o","ha`);
  expect(recordedOutput(file)).toBe('onetwo');
  expect(recordedOutput(file, 2)).toBe('two');
  expect(recordedOutput(file, 3)).toBe('');
  expect(recordedSince(file)).toBe(1_000_000);
  mkdirSync(path.join(tempFolder(), 'folder'));
  expect(recordedOutput(tempFolder())).toBe('');
});

test('a terminal that is opened again shows what it showed, and its recording goes on', async () => {
  const file = path.join(tempFolder(), 'a.cast');
  writeFileSync(file, lines(head, [1, 'o', 'before\r\n']));
  // Half a line, of a program that was killed.
  appendFileSync(file, '[2,"o","hal');
  const terminals = new Terminals(() => file);
  onTestFinished(() => terminals.close());
  const { emulator, recording } = terminals.open(0, 'One');
  await emulator.drawn();
  expect(emulator.lines().join('\n').trimEnd()).toBe('before');
  recording.output(Buffer.from('after'));
  recording.close();
  const events = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(
    events
      .slice(1)
      .map((line) => JSON.parse(line))
      .filter(([, code]) => code === 'o'),
  ).toMatchObject([
    [1, 'o', 'before\r\n'],
    [expect.any(Number), 'o', 'after'],
  ]);
});
