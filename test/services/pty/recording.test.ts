import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Recording } from '../../../source/services/pty/recording.js';
import { RecordingWriter } from '../../../source/services/pty/recording-writer.js';
import { tempFolder } from '../../rig.js';

const writer = new RecordingWriter();

test('a recording is an asciicast: split characters are whole again', () => {
  const file = path.join(tempFolder(), 'x.cast');
  const recording = new Recording(file, 80, 24, 'title', writer, 1_700_000_000_000);
  const bytes = Buffer.from('größe 👍');
  for (const byte of bytes) recording.output(Buffer.from([byte]));
  recording.mark('attempt 2');
  recording.close();
  const [head, ...events] = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(head).toEqual({
    version: 2,
    width: 80,
    height: 24,
    timestamp: 1_700_000_000,
    title: 'title',
  });
  expect(
    events
      .filter(([, code]) => code === 'o')
      .map(([, , data]) => data)
      .join(''),
  ).toBe('größe 👍');
});

test('a recording holds any text, however it is cut, and is JSON whatever the bytes', () => {
  const folder = tempFolder();
  const anyText = fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\x1b', '\0', '\n', '\t', '\x7f', 'ß', '日', '👍🏽'),
    maxLength: 200,
  });
  const record = (chunks: readonly Buffer[]) => {
    const file = path.join(folder, 'x.cast');
    rmSync(file, { force: true });
    const recording = new Recording(file, 80, 24, 'title', writer);
    for (const chunk of chunks) recording.output(chunk);
    recording.close();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(1);
    return lines.map((line) => JSON.parse(line)[2]).join('');
  };
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 50 }), fc.nat(70_000), (text, size, before) => {
      const bytes = Buffer.from('-'.repeat(before) + text);
      const cuts = Array.from({ length: Math.ceil(bytes.length / size / 1000) + 1 }, (_, at) =>
        bytes.subarray(at * size * 1000, (at + 1) * size * 1000),
      );
      expect(record(cuts)).toBe(bytes.toString());
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (chunks) => {
      const bytes = chunks.map((chunk) => Buffer.from(chunk));
      const printable = (text: string) => text.replaceAll('\ufffd', '');
      expect(printable(record(bytes))).toBe(printable(Buffer.concat(bytes).toString()));
    }),
  );
});

test('recordings that are written at once are each whole, however much is given', () => {
  const folder = tempFolder();
  const files = [0, 1, 2].map((index) => path.join(folder, `${index}.cast`));
  const recordings = files.map((file) => new Recording(file, 80, 24, 'title', writer));
  const wanted = files.map(() => '');
  for (let round = 0; round < 60; round++) {
    for (const [index, recording] of recordings.entries()) {
      const text = `${index}:${round} `.repeat(1 + ((round * 7919 + index * 4001) % 9000));
      wanted[index] += text;
      recording.output(Buffer.from(text));
    }
  }
  for (const recording of recordings) expect(recording.problem()).toBe(null);
  for (const recording of recordings) recording.close();
  for (const [index, file] of files.entries()) {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(1);
    // Not by toBe: it would print megabytes.
    expect(lines.map((line) => JSON.parse(line)[2]).join('') === wanted[index]).toBe(true);
  }
});

test.runIf(existsSync('/dev/full'))('a full disk stops a recording, and is told', () => {
  const full = new Recording('/dev/full', 80, 24, 'title', writer);
  const file = path.join(tempFolder(), 'x.cast');
  const other = new Recording(file, 80, 24, 'title', writer);
  full.output(Buffer.from('text'));
  other.output(Buffer.from('text'));
  expect(full.problem()).toMatch(/ENOSPC/);
  expect(other.problem()).toBe(null);
  full.close();
  other.close();
  expect(readFileSync(file, 'utf8')).toContain('text');
});
