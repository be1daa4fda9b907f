import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pagesWithTables, withTables } from '../../source/build/write-docs.js';
import { helpText } from '../../source/commands/help.js';
import { flagOption, flagRows, subcommandRows } from '../../source/services/config/option-table.js';
import { root } from '../rig.js';

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
];

test.each(pagesWithTables)('the tables of %s are as the code has them', (page) => {
  // Else: npm run docs.
  expect(read(page)).toBe(withTables(page, read(page)));
});

test('what the benchmarks measured is quoted', () => {
  const quoted = read('docs/benchmarks.md');
  const told = read('test/bench/results.md')
    .split('\n')
    .filter((line) => line.startsWith('|') || line.startsWith('`npm'));
  expect(told.length).toBeGreaterThan(10);
  expect(told.filter((line) => !quoted.includes(line))).toEqual([]);
});

/** Flags that a page speaks of as this program's own. */
function flagsIn(text: string): Set<string> {
  return new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag));
}

test('each flag that the docs name is there', () => {
  const options = flagRows.map(({ name }) => flagOption(name));
  expect([...flagsIn(read('docs/cli.md'))].filter((flag) => !options.includes(flag))).toEqual([]);
});

test('--help fits a terminal of 80 columns, but for its examples', () => {
  const [, ...rest] = helpText().split('\nUsage\n');
  expect(rest.length).toBe(1);
  expect(rest[0]?.split('\n').filter((line) => line.length > 80)).toEqual([]);
  for (const { name } of subcommandRows) expect(rest[0]).toContain(`\n  ${name}`);
});

test('each link of the docs leads somewhere', () => {
  const anchorsOf = (file: string) =>
    new Set(
      [...read(file).matchAll(/^#{1,4} (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replace(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      ),
    );
  const broken: string[] = [];
  let seen = 0;
  for (const page of pages) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      seen += 1;
      const [file = '', anchor] = target.split('#');
      const to = file === '' ? page : path.join(path.dirname(page), file);
      const isThere = existsSync(path.join(root, to));
      if (!isThere || (anchor && !anchorsOf(to).has(anchor))) broken.push(`${page}: ${target}`);
    }
  }
  expect(seen).toBeGreaterThan(20);
  expect(broken).toEqual([]);
});

test('the README is a page, not a book', () => {
  expect(Buffer.byteLength(read('README.md'))).toBeLessThan(12_000);
});

test('each file that the docs name is there', () => {
  const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).split('\n');
  const gone: string[] = [];
  let seen = 0;
  for (const page of pages.filter((one) => /CONTRIBUTING|docs.dev/.test(one))) {
    for (const [, name = ''] of read(page).matchAll(/`([\w./-]+\.(?:tsx?|mjs|py))`/g)) {
      seen += 1;
      if (!files.some((file) => `/${file}`.endsWith(`/${name}`))) gone.push(`${page}: ${name}`);
    }
  }
  expect(seen).toBeGreaterThan(40);
  // What came before this program.
  expect(gone.filter((one) => !one.endsWith('aider_orchestrator.py'))).toEqual([]);
});
