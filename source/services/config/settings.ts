import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { schemaProblems } from '../../core/plan/plan.js';
import type { Failure } from '../../core/policy/failure.js';
import { redBases } from '../../core/policy/test-report.js';
import { err, ok, type Result } from '../../core/result.js';
import { settingsFile } from './folders.js';

const positive = z.number().int().min(1);

/** What a settings file may say. Every key is optional; an unknown one is a mistake. */
export const settingsSchema = z.strictObject({
  $schema: z.string().optional(),
  model: z.string().min(1).optional(),
  gemini_model: z.string().min(1).optional(),
  max_agents: positive.optional(),
  max_iterations: positive.optional(),
  timeout_minutes: z.number().positive().optional(),
  land: z.enum(['all', 'any', 'ask', 'none']).optional(),
  setup_cmd: z.string().min(1).optional(),
  copy: z.array(z.string().min(1)).optional(),
  test_cmd: z.string().min(1).optional(),
  test_timeout_minutes: z.number().positive().optional(),
  review: z.boolean().optional(),
  review_model: z.string().min(1).optional(),
  budget_usd: z.number().positive().optional(),
  red_base: z.enum(redBases).optional(),
  allow_red_base: z.boolean().optional(),
  test_report: z.string().min(1).optional(),
  protect: z.array(z.string().min(1)).optional(),
  max_file_mb: z.number().positive().optional(),
  aider: z.string().min(1).optional(),
  agent_cmd: z.string().min(1).optional(),
  aider_args: z.array(z.string()).optional(),
  warm: z.boolean().optional(),
  mouse: z.boolean().optional(),
  notify: z.enum(['bell', 'osc9', 'off']).optional(),
  keys: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
});

export type Settings = z.infer<typeof settingsSchema>;

/**
 * Keys that make a program run, choose who is asked and so who gets a key, or show more files to agents; from a
 * repository's file they need the user's trust.
 */
export const trustKeys = [
  'setup_cmd',
  'test_cmd',
  'aider',
  'agent_cmd',
  'aider_args',
  'model',
  'gemini_model',
  'review_model',
  'copy',
] as const;

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
