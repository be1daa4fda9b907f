import { flagOption, flagRows, sections, subcommandRows } from '../services/config/option-table.js';

const examples = `
Examples
  $ aider-orchestrator                                   opens the screen
  $ aider-orchestrator --change "Add a dark mode"         opens it with the change
  $ aider-orchestrator --change "Fix the parser" --files src/parser --max-agents 2 --yes
  $ git log -1 --format=%b | aider-orchestrator --change - --headless --json
  $ aider-orchestrator --change "Split utils" --dry-run > plan.json
  $ aider-orchestrator --change "Split utils" --plan plan.json --yes
  $ aider-orchestrator demo                              see it work, without a key

Usage
  $ aider-orchestrator [flags] [-- more arguments for aider]
  $ aider-orchestrator SUBCOMMAND
`;

const end = `
Exit codes
  0 all succeeded and landed (or was asked not to)   1 something failed
  2 wrong use, or a prerequisite is missing          130, 143, 129 by a signal

On Windows, use it inside WSL (Windows Subsystem for Linux).
`;

/** Where what a flag means begins, and where a line ends. */
const column = 24;
const width = 80;

/** `--help`: examples first, then the table of options. */
export function helpText(): string {
  const headings = Object.entries(sections).map(([section, heading]) => {
    const rows = flagRows.filter((row) => row.section === section);
    return rows.length === 0 ? '' : `\n${heading}\n${rows.map(flagLines).join('')}`;
  });
  const subcommands = subcommandRows.map(({ usage, help }) => lines(usage, help)).join('');
  return `${examples}${headings.join('')}\nSubcommands\n${subcommands}${end}`;
}

function flagLines(row: (typeof flagRows)[number]): string {
  const flag = `${row.short === undefined ? '' : `-${row.short}, `}${flagUsage(row)}`;
  const otherwise = row.default === undefined ? '' : ` (default: ${row.default})`;
  return lines(flag, `${row.help}${otherwise}`);
}

function lines(name: string, help: string): string {
  const [first = '', ...more] = wrapped(help, width - column);
  const head = `  ${name}`;
  const start =
    head.length < column - 1 ? [head.padEnd(column) + first] : [head, ' '.repeat(column) + first];
  return [...start, ...more.map((line) => ' '.repeat(column) + line)].join('\n').concat('\n');
}

/** A flag with what it takes: `--land all|any|ask|none`, `--files FILE...`. */
export function flagUsage({ name, value, choices, many }: (typeof flagRows)[number]): string {
  const taken = choices?.join('|') ?? value;
  return `${flagOption(name)}${taken === undefined ? '' : ` ${taken}`}${many ? '...' : ''}`;
}

function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
