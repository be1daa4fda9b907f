import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { writeWhole } from '../logs/write-whole.js';
import { trustFile } from './folders.js';
import { commandKeys, type Settings, type SettingsFile } from './settings.js';

const trustSchema = z.record(z.string(), z.string());

/** The commands a repository's settings file would run, as lines to show before trusting it. */
export function commandsIn(file: SettingsFile): string[] {
  return commandKeys.flatMap((key) => {
    const value = file.settings[key];
    return value === undefined ? [] : [`${key}: ${JSON.stringify(value)}`];
  });
}

/** A file of a repository that trust can be given to. */
export type Trustable = Pick<SettingsFile, 'path' | 'text'>;

function digest(file: Trustable): string {
  return createHash('sha256').update(file.text).digest('hex');
}

function readTrust(): Record<string, string> {
  try {
    return trustSchema.parse(JSON.parse(readFileSync(trustFile(), 'utf8')));
  } catch {
    return {};
  }
}

/** Trust is given to a file's content: a changed file asks again. */
export function isTrusted(file: Trustable): boolean {
  return readTrust()[file.path] === digest(file);
}

export function recordTrust(file: Trustable): void {
  writeWhole(
    trustFile(),
    `${JSON.stringify({ ...readTrust(), [file.path]: digest(file) }, null, 2)}\n`,
    0o600,
  );
}

/** The settings of a repository's file, without its commands unless the user trusts it. */
export function trustedSettings(file: SettingsFile): Settings {
  if (isTrusted(file)) return file.settings;
  const { setup_cmd: _, aider: __, aider_args: ___, test_cmd: ____, ...rest } = file.settings;
  return rest;
}
