import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Context, contexts, makeKeymap } from '../app/keymap.js';
import { flagUsage } from '../commands/help.js';
import {
  flagOption,
  flagRows,
  optionRows,
  subcommandRows,
} from '../services/config/option-table.js';

/** Tables of the docs that are made from the code, by the page and the name of their marks. */
const tables = {
  'docs/cli.md': { flags: flagTable, subcommands: subcommandTable },
  'docs/configuration.md': { settings: settingsTable },
  'docs/keys.md': { keys: keyTable },
} as const;

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function sentence(help: string, more: string | undefined): string {
  // Words that the shell or a file reads.
  const marked = help.replace(
    /(?<![\w-])(--[a-z][a-z-]*|\$[A-Z_]+|\.[a-z]+(?:\.[a-z]+)+)/g,
    '`$1`',
  );
  return more === undefined ? marked : `${marked}. ${more}`;
}

function flagTable(): string {
  const rows = flagRows.map((row) => [
    `${row.short === undefined ? '' : `${code(`-${row.short}`)}, `}${code(flagUsage(row))}`,
    sentence(row.help, row.more),
    row.default ?? '',
  ]);
  return table(['flag', 'meaning', 'default'], rows);
}

function subcommandTable(): string {
  const rows = subcommandRows.map(({ usage, help, more }) => [code(usage), sentence(help, more)]);
  return table(['subcommand', 'what it does'], rows);
}

function settingsTable(): string {
  const rows = optionRows.flatMap((row) => {
    if (row.setting === undefined) return [];
    const trust = row.needsTrust ? 'yes' : '';
    const otherwise = row.default === undefined ? '' : ` (default ${row.default})`;
    const is =
      row.flag === false
        ? `${sentence(row.help, row.more)}${row.more === undefined ? otherwise : ''}`
        : code(flagOption(row.name));
    return [[code(row.setting), is, row.variable === undefined ? '' : code(row.variable), trust]];
  });
  return table(['key', 'flag, or what it says', 'variable', 'needs trust'], rows);
}

function keyTable(): string {
  const help = makeKeymap().help();
  const rows = (Object.keys(contexts) as Context[]).map((context) => {
    const keys = help
      .filter((line) => line.context === context)
      .map((line) => `${line.keys.map(code).join(' ')} ${line.help}`);
    return [contexts[context], keys.join(' · ')];
  });
  return table(['where', 'keys'], rows);
}

/** A page of the docs with its tables as the code has them. @throws where a page has lost its marks */
export function withTables(page: string, text: string): string {
  let result = text;
  for (const [name, make] of Object.entries(tables[page as keyof typeof tables])) {
    const [from, to] = [`<!-- ${name}: made by npm run docs -->`, `<!-- end of ${name} -->`];
    const [start, end] = [result.indexOf(from), result.indexOf(to)];
    if (start < 0 || end < start) throw new Error(`${page} has lost the marks of ${name}`);
    result = `${result.slice(0, start + from.length)}\n\n${make()}\n\n${result.slice(end)}`;
  }
  return result;
}

/** The pages that have such tables. */
export const pagesWithTables = Object.keys(tables);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const page of pagesWithTables) {
    const file = path.resolve(page);
    writeFileSync(file, withTables(page, readFileSync(file, 'utf8')));
  }
}
