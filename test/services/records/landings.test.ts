import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { inTurn, landedBetween } from '../../../source/services/records/landings.js';
import { currentOwner } from '../../../source/services/records/liveness.js';
import { neighboursAtWork, writeTouched } from '../../../source/services/records/touched-files.js';
import { tempFolder } from '../../rig.js';

/** A folder of records, with a run for each stamp and the landings that are told of it. */
function records(runs: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>) {
  const folder = path.join(tempFolder(), '0123456789abcdef0123456789abcdef');
  mkdirSync(folder);
  for (const [stamp, landings] of Object.entries(runs)) {
    const head = {
      record: 'run',
      version: 1,
      stamp,
      root: '/r',
      worktrees: '/w',
      owner: currentOwner(),
    };
    const lines = landings.map(([from, commit]) => ({ record: 'landed', commit, from }));
    const text = [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
    writeFileSync(path.join(folder, `${stamp}.jsonl`), text);
  }
  return folder;
}

test('landings that lead from one commit to another are named, and nothing where somebody else has moved the branch', () => {
  const folder = records({
    '20260101_000001': [['a', 'b']],
    '20260101_000002': [['b', 'c']],
    '20260101_000003': [['x', 'y']],
  });
  expect(landedBetween(folder, 'a', 'c')).toEqual(['20260101_000001', '20260101_000002']);
  expect(landedBetween(folder, 'b', 'c')).toEqual(['20260101_000002']);
  expect(landedBetween(folder, 'a', 'y')).toEqual([]);
  expect(landedBetween(folder, 'a', 'd')).toEqual([]);
  expect(landedBetween(folder, 'c', 'c')).toEqual([]);
});

test('landings that lead in a circle, as after an undo, come to an end', () => {
  const folder = records({
    '20260101_000001': [
      ['a', 'b'],
      ['b', 'a'],
    ],
  });
  expect(landedBetween(folder, 'z', 'a')).toEqual([]);
});

test('one lands after the other', async () => {
  const folder = records({});
  let now = 0;
  let most = 0;
  const land = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => inTurn(folder, land)));
  expect(most).toBe(1);
});

test('the turn of a program that died is over', async () => {
  const folder = records({});
  const dead = { ...currentOwner(), process_started: '0' };
  writeFileSync(path.join(folder, 'landing.json'), JSON.stringify(dead));
  expect(await inTurn(folder, async () => 'landed')).toBe('landed');
});

test('what other runs that live change is known, and not what dead ones did', () => {
  const folder = records({ '20260101_000001': [], '20260101_000002': [] });
  const [one = '', other = ''] = ['20260101_000001', '20260101_000002'].map((stamp) =>
    path.join(folder, `${stamp}.jsonl`),
  );
  expect(neighboursAtWork(one)).toEqual([]);
  writeTouched(other, ['a.txt']);
  writeTouched(one, ['b.txt']);
  expect(neighboursAtWork(one)).toEqual([{ run: '20260101_000002', files: new Set(['a.txt']) }]);
  writeFileSync(other.replace('.jsonl', '.touched.json'), 'half a fi');
  expect(neighboursAtWork(one)).toEqual([]);
  writeFileSync(path.join(folder, '20260101_000009.touched.json'), '{"files":["b.txt"]}');
  expect(neighboursAtWork(one)).toEqual([]);
});
