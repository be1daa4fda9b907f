import {
  type FlagValues,
  flagOption,
  type OptionName,
  optionRows,
  type SettingKey,
} from '../services/config/option-table.js';
import type { Settings } from '../services/config/settings.js';

/** Where the value of an option can be given. */
export interface Sources {
  readonly flags: FlagValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The repository's settings file, and the user's. */
  readonly repo: Settings;
  readonly user: Settings;
}

type Given = readonly [value: unknown, from: string];

/**
 * The value of an option, with the name of where it comes from: flags over environment over the repository's
 * settings over the user's; undefined where it is given nowhere. What is empty is not given.
 */
function given(sources: Sources, name: OptionName): Given | undefined {
  const row: (typeof optionRows)[number] | undefined = byName.get(name);
  const { flags, env, repo, user } = sources;
  const { variable, setting } = row ?? {};
  const all: readonly Given[] = [
    [flagValue(flags, name), flagOption(name)],
    ...(variable === undefined ? [] : [[env[variable], variable] as const]),
    ...(setting === undefined
      ? []
      : [
          [repo[setting as SettingKey], setting] as const,
          [user[setting as SettingKey], setting] as const,
        ]),
  ];
  return all.find(([value]) => value !== undefined && value !== '');
}

/** A flag that is not there is undefined, false or an empty list. */
export function flagValue(flags: FlagValues, name: OptionName): unknown {
  const value = (flags as Readonly<Record<string, unknown>>)[name];
  return value === false || (Array.isArray(value) && value.length === 0) ? undefined : value;
}

const byName = new Map(optionRows.map((row) => [row.name, row]));

/** Reads options one by one, and gathers what is wrong with them. */
export class OptionReader {
  readonly problems: string[] = [];

  constructor(private readonly sources: Sources) {}

  text(name: OptionName): string | null {
    const found = given(this.sources, name);
    return found === undefined ? null : String(found[0]);
  }

  isOn(name: OptionName, otherwise = false): boolean {
    return Boolean(given(this.sources, name)?.[0] ?? otherwise);
  }

  list(name: OptionName): readonly string[] {
    return (given(this.sources, name)?.[0] as readonly string[] | undefined) ?? [];
  }

  whole(name: OptionName, otherwise: number): number {
    const found = given(this.sources, name);
    // As many CPUs as there may be are no mistake.
    if (found === undefined) return otherwise;
    const [value, from] = found;
    const number = Number(value);
    if (Number.isInteger(number) && number >= 1 && number <= 1000) return number;
    this.problems.push(`${from} needs a whole number from 1 to 1000, not ${value}`);
    return otherwise;
  }

  /** @returns milliseconds */
  minutes(name: OptionName, otherwise: number): number {
    const [value, from] = given(this.sources, name) ?? [otherwise];
    const minutes = Number(value);
    // A timer of the system holds at most 2^31-1 ms, about 24.8 days.
    if (!(minutes > 0 && minutes <= 35_000))
      this.problems.push(`${from} needs minutes above 0 and up to 35000, not ${value}`);
    return minutes * 60_000;
  }

  dollars(name: OptionName): number | null {
    const found = given(this.sources, name);
    if (found === undefined) return null;
    const amount = Number(String(found[0]).replace(/^\$/, ''));
    if (amount > 0 && amount < 1e9) return amount;
    this.problems.push(`${found[1]} needs an amount of US dollars above 0, not ${found[0]}`);
    return null;
  }

  choice<Choice extends string>(name: OptionName, choices: readonly Choice[]): Choice | null {
    const [value, from] = given(this.sources, name) ?? [];
    if (value === undefined) return null;
    const choice = choices.find((one) => one === value);
    if (choice === undefined) this.problems.push(`${from} is ${oneOf(choices)}, not ${value}`);
    return choice ?? null;
  }

  /** The one place where the value was given. */
  source(name: OptionName): string | null {
    return given(this.sources, name)?.[1] ?? null;
  }
}

/** `all, any, ask or none`. */
function oneOf(choices: readonly string[]): string {
  return choices.join(', ').replace(/, (?=[^,]*$)/, ' or ');
}
