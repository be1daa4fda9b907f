import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { schemaProblems } from '../../core/plan/plan.js';
import type { Failure } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import { settingsFile } from './folders.js';
import { optionRows, type SettingKey, type SettingValues } from './option-table.js';

const text = z.string().min(1);
/** What each kind of setting is read by. */
const kinds = {
  text,
  texts: z.array(z.string()),
  globs: z.array(text),
  whole: z.number().int().min(1),
  positive: z.number().positive(),
  switch: z.boolean(),
  keys: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
} as const;

const shape = Object.fromEntries(
  optionRows.flatMap(({ setting, kind, choices }) => {
    if (setting === undefined) return [];
    const schema = choices
      ? z.enum(choices as readonly [string, ...string[]])
      : kinds[kind ?? 'text'];
    return [[setting, schema.optional()] as const];
  }),
) as unknown as { [Key in SettingKey]: z.ZodOptional<z.ZodType<SettingValues[Key]>> };

/** What a settings file may say. Every key is optional; an unknown one is a mistake. */
export const settingsSchema = z.strictObject({ $schema: z.string().optional(), ...shape });

export type Settings = z.infer<typeof settingsSchema>;

/** Keys that need the user's trust where a repository's file has them: see the table of options. */
export const trustKeys: readonly SettingKey[] = optionRows.flatMap(({ setting, needsTrust }) =>
  setting !== undefined && needsTrust ? [setting as SettingKey] : [],
);

export const repoSettingsName = '.aider-orchestrator.json';

export interface SettingsFile {
  readonly path: string;
  /** The text as it is on disk: what trust is given to. */
  readonly text: string;
  readonly settings: Settings;
}

/** Reads a settings file; null when there is none. A mistake is named by file, key and what was expected. */
export function readSettings(file: string): Result<SettingsFile | null, Failure> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ok(null);
    return err({ kind: 'settings', file, problems: [(error as Error).message] });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return err({ kind: 'settings', file, problems: [`not JSON (${(error as Error).message})`] });
  }
  const parsed = settingsSchema.safeParse(value);
  if (!parsed.success)
    return err({ kind: 'settings', file, problems: schemaProblems(parsed.error) });
  return ok({ path: file, text, settings: parsed.data });
}

/** The repository's file; a path in it is relative to the repository. */
export function readRepoSettings(repo: string): Result<SettingsFile | null, Failure> {
  const file = readSettings(path.join(repo, repoSettingsName));
  const aider = file.ok ? file.value?.settings.aider : undefined;
  if (!file.ok || !file.value || !aider?.includes('/')) return file;
  const settings = { ...file.value.settings, aider: path.resolve(repo, aider) };
  return ok({ ...file.value, settings });
}

export function readUserSettings(): Result<SettingsFile | null, Failure> {
  return readSettings(settingsFile());
}
