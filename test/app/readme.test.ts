import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Context, contexts, makeKeymap } from '../../source/app/keymap.js';
import { root } from '../rig.js';

/** The README's table of keys, as the key table in the code has them. */
function keysAsMarkdown(): string {
  const help = makeKeymap().help();
  const code = (key: string) => `\`${key.replace('|', '\\|')}\``;
  const rows = (Object.keys(contexts) as Context[]).map((context) => {
    const keys = help
      .filter((line) => line.context === context)
      .map((line) => `${line.keys.map(code).join(' ')} ${line.help}`);
    return `| ${contexts[context]} | ${keys.join(' · ')} |`;
  });
  return ['| where | keys |', '| --- | --- |', ...rows].join('\n');
}

test('the README lists the keys as they are', () => {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  const plain = (text: string) =>
    text.replace(/ +\|/g, ' |').replace(/\| +/g, '| ').replace(/-{3,}/g, '---');
  expect(plain(readme)).toContain(plain(keysAsMarkdown()));
});

test('the README quotes what the benchmarks measured', () => {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  const results = readFileSync(path.join(root, 'test/bench/results.md'), 'utf8');
  const told = results
    .split('\n')
    .filter((line) => line.startsWith('|') || line.startsWith('`npm'));
  expect(told.length).toBeGreaterThan(10);
  expect(told.filter((line) => !readme.includes(line))).toEqual([]);
});
