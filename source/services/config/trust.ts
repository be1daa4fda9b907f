import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { parseJson } from '../../core/text/parse-json.js';
import { hasCode, writeWhole } from '../files/private-files.js';
import { trustFile } from './folders.js';
import { type Settings, type SettingsFile, trustKeys } from './settings.js';

const trustSchema = z.record(z.string(), z.string());

/** What of a repository's settings file needs trust, as lines to show before it is given. */
export function trustLines(file: SettingsFile): string[] {
  return trustKeys.flatMap((key) => {
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
  let text: string;
  try {
    text = readFileSync(trustFile(), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return {};
    throw error;
  }
  // A file that is damaged trusts nothing.
  const parsed = trustSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : {};
}

/** Trust is given to a file's content: a changed file asks again. */
export function isTrusted(file: Trustable): boolean {
  return readTrust()[file.path] === digest(file);
}

export function recordTrust(file: Trustable): void {
  record(file, digest(file));
}

/** What stands before the digest of a content that the person has said no to. */
const no = 'no ';

/** Whether the person has said no to this very content, and need not be asked again. */
export function isRefused(file: Trustable): boolean {
  return readTrust()[file.path] === `${no}${digest(file)}`;
}

export function recordRefusal(file: Trustable): void {
  record(file, `${no}${digest(file)}`);
}

function record(file: Trustable, value: string): void {
  writeWhole(trustFile(), `${JSON.stringify({ ...readTrust(), [file.path]: value }, null, 2)}\n`);
}

/** The settings of a repository's file, without those that need trust unless the user trusts it. */
export function trustedSettings(file: SettingsFile): Settings {
  if (isTrusted(file)) return file.settings;
  const isFree = (name: string) => !(trustKeys as readonly string[]).includes(name);
  return Object.fromEntries(Object.entries(file.settings).filter(([name]) => isFree(name)));
}
