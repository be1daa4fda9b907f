import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../files/private-files.js';
import type { Trustable } from './trust.js';

/**
 * What a repository says to Aider by files in its root. Each Aider would obey them: run commands (`load`,
 * `test-cmd`), lead keys elsewhere (`openai-api-base`, `api_base`). So agents never read them there. A short
 * list of settings that can do no harm is handed on at once; all else when the person trusts that very content.
 */

/** Larger than this none of them is. */
const mostBytes = 256 * 1024;

/** Settings of `.aider.conf.yml` that need no trust. The docs list them. */
export const harmlessSettings: ReadonlySet<string> = new Set([
  'edit-format',
  'editor-edit-format',
  'encoding',
  'line-endings',
  'chat-language',
  'code-theme',
]);

/** Settings that we give ourselves: what an agent did is judged by them, or they name its files. */
const ownSettings: ReadonlySet<string> = new Set([
  'message',
  'msg',
  'message-file',
  'yes',
  'yes-always',
  'file',
  'read',
  'aiderignore',
  'auto-commits',
  'dirty-commits',
  'dry-run',
  'exit',
  'chat-history-file',
  'input-history-file',
  'llm-history-file',
  'analytics',
  'analytics-log',
  'analytics-disable',
  'pretty',
  'stream',
  'dark-mode',
  'light-mode',
  'tool-error-color',
  'tool-warning-color',
  'model',
  'test-cmd',
  'auto-test',
  'auto-lint',
  'gitignore',
  'git',
  'config',
  'env-file',
  'model-settings-file',
  'model-metadata-file',
]);

export const confName = '.aider.conf.yml';
const settingsName = '.aider.model.settings.yml';
const metadataName = '.aider.model.metadata.json';

export interface RepoAiderFiles {
  /** `.aider.conf.yml`; null when there is none. */
  readonly conf: (Trustable & { readonly settings: Readonly<Record<string, unknown>> }) | null;
  readonly modelSettings: Trustable | null;
  readonly modelMetadata: Trustable | null;
  /** Files that cannot be used, as sentences. */
  readonly problems: readonly string[];
}

/** What agents are handed of it. */
export interface HandedSettings {
  /** Settings for a configuration file of ours. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Files to read, as they are named there. */
  readonly read: readonly string[];
  /** Texts of the files on models. */
  readonly modelSettings: string | null;
  readonly modelMetadata: string | null;
}

export const nothingHanded: HandedSettings = {
  settings: {},
  read: [],
  modelSettings: null,
  modelMetadata: null,
};

function readSmall(file: string): string | null | 'large' {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) return null;
    return stats.size > mostBytes ? 'large' : readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP')) return null;
    throw error;
  }
}

/** Reads what a folder says to Aider. */
export async function readRepoAiderFiles(folder: string): Promise<RepoAiderFiles> {
  const problems: string[] = [];
  const read = (name: string): Trustable | null => {
    const file = path.join(folder, name);
    const text = readSmall(file);
    if (text === 'large')
      problems.push(`${file} is too large to be a configuration; it is not used`);
    return text === null || text === 'large' ? null : { path: file, text };
  };
  const conf = read(confName);
  let settings: Record<string, unknown> | null = null;
  if (conf !== null) {
    const value = await parseConf(conf.text);
    if (typeof value === 'string') problems.push(`${conf.path} is not used: ${value}`);
    else settings = value;
  }
  return {
    conf: conf !== null && settings !== null ? { ...conf, settings } : null,
    modelSettings: read(settingsName),
    modelMetadata: read(metadataName),
    problems,
  };
}

/** The settings of a configuration, or why it is none. */
async function parseConf(text: string): Promise<Record<string, unknown> | string> {
  const { parseYaml, YamlError } = await import('./yaml.js');
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    if (error instanceof YamlError || error instanceof ReferenceError) {
      return `it is no YAML (${error.message.split('\n', 1)[0]})`;
    }
    throw error;
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return 'it is no list of settings';
  // Aider takes both `test-cmd` and `test_cmd`.
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name.replaceAll('_', '-'), one]),
  );
}

/** The project's tests by a configuration; null when it names none. */
export function testCommandIn(settings: Readonly<Record<string, unknown>>): string | null {
  const named = settings['test-cmd'];
  const single = Array.isArray(named) && named.length === 1 ? named[0] : named;
  return typeof single === 'string' && single.trim() !== '' ? single.trim() : null;
}

/** Plain words: no path, no address, and not the format in which two models are asked. */
function isPlain(value: unknown): boolean {
  return typeof value === 'string' && /^[\w -]{1,40}$/.test(value) && value !== 'architect';
}

function namesIn(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');
}

/** What of each file needs the person's trust, as lines to show; empty when nothing does. */
export function askedOf(
  files: RepoAiderFiles,
  isTracked: (file: string) => boolean,
): { readonly file: Trustable; readonly lines: readonly string[] }[] {
  const { conf, modelSettings, modelMetadata } = files;
  const asked: { file: Trustable; lines: string[] }[] = [];
  if (conf !== null) {
    const lines = Object.entries(conf.settings).flatMap(([name, value]) => {
      if (name === 'test-cmd') return [`test-cmd: ${JSON.stringify(value)}`];
      if (name === 'read') {
        const other = namesIn(value).filter((one) => !isTracked(one));
        return other.length > 0 ? [`read: ${JSON.stringify(other)}`] : [];
      }
      const unasked = ownSettings.has(name) || (harmlessSettings.has(name) && isPlain(value));
      return unasked ? [] : [`${name}: ${JSON.stringify(value)}`];
    });
    if (lines.length > 0) asked.push({ file: conf, lines });
  }
  for (const file of [modelSettings, modelMetadata]) {
    if (file !== null && file.text.trim() !== '')
      asked.push({ file, lines: file.text.split('\n') });
  }
  return asked;
}

/** What agents are handed, by what the person trusts. */
export function handedFrom(
  files: RepoAiderFiles,
  isTrusted: (file: Trustable) => boolean,
  isTracked: (file: string) => boolean,
): HandedSettings {
  const { conf, modelSettings, modelMetadata } = files;
  const all = conf !== null && isTrusted(conf);
  const settings = Object.entries(conf?.settings ?? {}).filter(
    ([name, value]) =>
      !ownSettings.has(name) && (all || (harmlessSettings.has(name) && isPlain(value))),
  );
  const trusted = (file: Trustable | null) => (file !== null && isTrusted(file) ? file.text : null);
  return {
    settings: Object.fromEntries(settings),
    read: namesIn(conf?.settings['read']).filter((name) => all || isTracked(name)),
    modelSettings: trusted(modelSettings),
    modelMetadata: trusted(modelMetadata),
  };
}
