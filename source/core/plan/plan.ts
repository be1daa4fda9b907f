import * as z from 'zod';
import type { Failure } from '../policy/failure.js';
import { err, ok, type Result } from '../result.js';

/**
 * The plan format: what `--plan` reads, `--dry-run` prints and Gemini fills in.
 * The JSON schema that ships in the package is generated from this.
 */
export const taskSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'letters, digits, ".", "_" and "-", at most 40')
    .describe('Unique name of the task, such as T1'),
  title: z.string().trim().min(1).max(200).describe('One line; becomes the commit subject'),
  description: z.string().default('').describe('What the agent is told to do'),
  files: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Files the task may change, relative to the repository; one that does not exist is new',
    ),
  read: z.array(z.string().min(1)).default([]).describe('Files the agent may read, not change'),
  depends_on: z.array(z.string()).default([]).describe('Ids of the tasks this one builds on'),
  requirements: z.array(z.string()).optional().describe('Ids of the requirements it serves'),
});

/** More tasks than this are no plan that anybody has read. */
export const mostTasks = 1000;

export const planSchema = z.strictObject({
  tasks: z
    .array(taskSchema)
    .min(1)
    .max(mostTasks, `a plan has at most ${mostTasks} tasks`)
    .describe('In the order in which they are to be merged'),
});

export type Task = z.infer<typeof taskSchema>;
export type Plan = z.infer<typeof planSchema>;

/** Turns zod's issues into sentences that name the place and what was expected. */
export function schemaProblems(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const where = issue.path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
      .replace(/^\./, '');
    return where === '' ? issue.message : `${where}: ${issue.message}`;
  });
}

/**
 * Reads a plan from JSON text. Checks the form only; `checkPlan` and `resolvePaths` check the rules.
 * @param source names the text in errors, such as a file name
 */
export function parsePlan(text: string, source: string): Result<Plan, Failure> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return err({ kind: 'plan', source, problems: [`not JSON (${(error as Error).message})`] });
  }
  const count = (value as { tasks?: { length?: unknown } } | null)?.tasks?.length;
  if (typeof count === 'number' && count > mostTasks) {
    const problem = `it has ${count} tasks, and a plan has at most ${mostTasks}`;
    return err({ kind: 'plan', source, problems: [problem] });
  }
  const parsed = planSchema.safeParse(value);
  if (!parsed.success) {
    return err({ kind: 'plan', source, problems: schemaProblems(parsed.error) });
  }
  return ok(parsed.data);
}
