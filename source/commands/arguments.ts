import { closest } from 'fastest-levenshtein';
import meow from 'meow';
import type { Failure } from '../core/policy/failure.js';
import { err, ok, type Result } from '../core/result.js';
import {
  type CommandName,
  commandNames,
  type FlagValues,
  flagOption,
  flagRows,
} from '../services/config/option-table.js';

/** The flags as `meow` reads them. */
const flags = Object.fromEntries(
  flagRows.map(({ name, value, many, short }) => [
    name,
    {
      type: value === undefined ? ('boolean' as const) : ('string' as const),
      ...(many && { isMultiple: true }),
      ...(short !== undefined && { shortFlag: short }),
    },
  ]),
);

export interface Arguments {
  readonly command: CommandName;
  /** What stands after the subcommand. */
  readonly rest: readonly string[];
  readonly flags: FlagValues;
  /** What stands after `--`: more arguments for Aider. */
  readonly aiderArgs: readonly string[];
}

const multiple = flagRows.flatMap(({ name, many }) => (many ? [flagOption(name)] : []));

/** `--files a b c` becomes `--files a --files b --files c`: meow alone keeps only the first value. */
export function spreadValues(argv: readonly string[]): string[] {
  const spread: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const flag = argv[at] ?? '';
    const without = flags[`without${capital(flag.slice('--no-'.length))}`];
    if (flag.startsWith('--no-') && without) {
      // meow would read it as `--prd false`.
      spread.push(flag.replace('--no-', '--without-'));
      continue;
    }
    if (flag.startsWith('--') && argv[at + 1] === '-') {
      // Standard input; on its own, meow would take the hyphen for an argument.
      spread.push(`${flag}=-`);
      at += 1;
      continue;
    }
    spread.push(flag);
    if (!multiple.includes(flag)) continue;
    spread.pop();
    while (at + 1 < argv.length && !(argv[at + 1] ?? '').startsWith('-')) {
      at += 1;
      spread.push(`${flag}=${argv[at]}`);
    }
  }
  return spread;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function usage(
  message: string,
  hint = 'aider-orchestrator --help lists all.',
): Result<never, Failure> {
  return err({ kind: 'usage', message, hint });
}

/** Reads the command line. `importMeta` is that of the entry, from which the version is found. */
export function parseArguments(
  argv: readonly string[],
  importMeta: ImportMeta,
): Result<Arguments, Failure> {
  const cut = argv.indexOf('--');
  const own = cut < 0 ? argv : argv.slice(0, cut);
  const problem = checkFlags(own);
  if (problem) return usage(problem);
  const parsed = meow({
    importMeta,
    // Not looked for: what it says of us is of no use here.
    pkg: {},
    argv: spreadValues(own),
    flags,
    autoHelp: false,
    autoVersion: false,
    allowUnknownFlags: true,
  });
  const [first, ...rest] = parsed.input;
  const command = (first ?? 'run') as CommandName;
  if (!commandNames.includes(command)) {
    const near = closest(command, [...commandNames]);
    return usage(
      `There is no subcommand ${command}.`,
      `Did you mean ${near}? A change is given with --change "…".`,
    );
  }
  if (command === 'run' && rest.length > 0) {
    return usage(
      `Unexpected argument: ${rest.join(' ')}.`,
      'A change is given with --change "…", as one argument.',
    );
  }
  return ok({
    command,
    rest,
    flags: parsed.flags as FlagValues,
    aiderArgs: cut < 0 ? [] : argv.slice(cut + 1),
  });
}

/** Unknown flags, values that are missing and values too many; null when all is well. */
function checkFlags(argv: readonly string[]): string | null {
  const byOption = new Map(
    flagRows.flatMap((row) => [
      [flagOption(row.name), row] as const,
      ...(row.short === undefined ? [] : [[`-${row.short}`, row] as const]),
    ]),
  );
  const seen = new Set<string>();
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] ?? '';
    if (!argument.startsWith('-') || argument === '-') continue;
    const [option = '', value] = argument.split(/=(.*)/s, 2);
    if (/^-[a-z]{2,}$/.test(option)) {
      const unknown = [...option.slice(1)].find(
        (letter) => byOption.get(`-${letter}`)?.value !== undefined || !byOption.has(`-${letter}`),
      );
      if (unknown) return `Unknown flag -${unknown} in ${option}.`;
      continue;
    }
    const flag = byOption.get(option);
    if (flag?.value !== undefined && !flag.many) {
      if (seen.has(option)) return `${option} is given twice.`;
      seen.add(option);
    }
    if (!flag) {
      return `Unknown flag ${option}; did you mean ${closest(option, [...byOption.keys()])}?`;
    }
    if (flag.value === undefined) {
      if (value !== undefined) return `${option} takes no value.`;
      continue;
    }
    const next = argv[at + 1];
    const missing =
      value === undefined && (next === undefined || (next.startsWith('-') && next !== '-'));
    if (missing)
      return `${option} needs a value${next === undefined ? '' : ` (one that begins with - is given as ${option}=…)`}.`;
    if (value === undefined) at += 1;
  }
  return null;
}
