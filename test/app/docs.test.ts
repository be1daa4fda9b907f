import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Context, contexts, makeKeymap } from '../../source/app/keymap.js';
import { commandNames, flagOption, flags } from '../../source/commands/arguments.js';
import { helpText } from '../../source/commands/help.js';
import { settingsSchema } from '../../source/services/config/settings.js';
import { root } from '../rig.js';

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
];

/** The table of keys in the docs, as the key table in the code has them. */
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

test('the keys are listed as they are', () => {
  const plain = (text: string) =>
    text.replace(/ +\|/g, ' |').replace(/\| +/g, '| ').replace(/-{3,}/g, '---');
  expect(plain(read('docs/keys.md'))).toContain(plain(keysAsMarkdown()));
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

test('each flag and subcommand is in the docs and in --help, and each one that they name is there', () => {
  const options = Object.keys(flags).map(flagOption);
  // Of others, or short for a pair.
  const foreign = ['--help', '--version'];
  for (const [name, text] of [
    ['docs/cli.md', read('docs/cli.md')],
    ['--help', helpText],
  ] as const) {
    const named = flagsIn(text);
    const missing = options.filter((flag) => !named.has(flag) && flag !== '--version');
    expect(
      missing.filter((flag) => flag !== '--help'),
      name,
    ).toEqual([]);
    for (const command of commandNames.filter((one) => one !== 'run')) {
      expect(text, name).toContain(command);
    }
  }
  const cli = [...flagsIn(read('docs/cli.md'))];
  expect(cli.filter((flag) => !options.includes(flag) && !foreign.includes(flag))).toEqual([]);
});

test('each key of the settings files is in the docs', () => {
  const text = read('docs/configuration.md');
  const keys = Object.keys(settingsSchema.shape).filter((key) => key !== '$schema');
  expect(keys.length).toBeGreaterThan(20);
  // One that stays valid for older files.
  const missing = keys.filter((key) => !text.includes(`\`${key}\``) && key !== 'allow_red_base');
  expect(missing).toEqual([]);
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
