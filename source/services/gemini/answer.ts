import { type ResponseSchema, SchemaType } from '@google/generative-ai';
import { parse as parsePartial } from 'partial-json';
import * as z from 'zod';
import { schemaProblems, type Task, taskSchema } from '../../core/plan.js';
import type { PlanRequest } from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';

/** The form of the answer, as Gemini is told; the field names are those of the plan. */
export const responseSchema: ResponseSchema = {
  type: SchemaType.OBJECT,
  required: ['prd', 'parallel', 'tasks'],
  properties: {
    prd: {
      type: SchemaType.STRING,
      description:
        'The PRD in Markdown, beginning with "# ", with the sections Problem, Goals, Non-goals, Requirements (R1, R2, …), Acceptance criteria, Risks',
    },
    parallel: {
      type: SchemaType.BOOLEAN,
      description: 'False when the work should be one task, because splitting it would do harm',
    },
    tasks: {
      type: SchemaType.ARRAY,
      items: {
        type: SchemaType.OBJECT,
        required: [
          'id',
          'title',
          'description',
          'files',
          'new_files',
          'read',
          'depends_on',
          'requirements',
        ],
        properties: {
          id: { type: SchemaType.STRING, description: 'T1, T2, …' },
          title: { type: SchemaType.STRING, description: 'One line, imperative' },
          description: {
            type: SchemaType.STRING,
            description: 'All an engineer needs who sees only these files',
          },
          files: strings('Existing files this task changes'),
          new_files: strings('Files this task creates'),
          read: strings('Files it must know, but does not change'),
          depends_on: strings('Ids of tasks whose result it needs'),
          requirements: strings('Ids of the requirements it serves'),
        },
      },
    },
  },
};

function strings(description: string): ResponseSchema {
  return { type: SchemaType.ARRAY, description, items: { type: SchemaType.STRING } };
}

const list = z
  .array(z.string())
  .nullish()
  .transform((value) => (value ?? []).map((item) => item.trim()).filter(Boolean));

const answerSchema = z.object({
  prd: z.string().trim().min(1),
  parallel: z.boolean().nullish(),
  tasks: z
    .array(
      z.object({
        id: z.string(),
        title: z.string().trim().min(1),
        description: z.string().nullish(),
        files: list,
        new_files: list,
        read: list,
        depends_on: list,
        requirements: list,
      }),
    )
    .min(1),
});

export interface Answer {
  readonly prd: string;
  readonly parallel: boolean;
  readonly tasks: readonly Task[];
}

/** Reads the model's answer; a fence around it is taken off. The failure says what is wrong with it. */
export function readAnswer(text: string): Result<Answer, string> {
  const bare = text.trim().replace(/^```(?:json)?\s*\n([\s\S]*?)\n?```$/i, '$1');
  let value: unknown;
  try {
    value = JSON.parse(bare);
  } catch (error) {
    return err(`not JSON: ${(error as Error).message}`);
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) return err(schemaProblems(parsed.error).join('; '));
  const tasks: Task[] = [];
  for (const task of parsed.data.tasks) {
    const checked = taskSchema.safeParse({
      id: task.id.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40),
      title: task.title.replace(/\s+/g, ' ').slice(0, 200),
      description: task.description ?? '',
      files: [...new Set([...task.files, ...task.new_files])],
      read: task.read,
      depends_on: task.depends_on,
      ...(task.requirements.length > 0 ? { requirements: task.requirements } : {}),
    });
    if (!checked.success)
      return err(`task ${task.id}: ${schemaProblems(checked.error).join('; ')}`);
    tasks.push(checked.data);
  }
  return ok({ prd: parsed.data.prd, parallel: parsed.data.parallel ?? true, tasks });
}

/** The PRD in an answer that is still arriving; '' before it begins. */
export function prdSoFar(text: string): string {
  try {
    const answer: unknown = parsePartial(text.trim().replace(/^```(?:json)?\s*\n/i, ''));
    const prd = (answer as { prd?: unknown } | null)?.prd;
    return typeof prd === 'string' ? prd : '';
  } catch {
    return '';
  }
}

/** The instructions for the plan. */
export function planPrompt(
  change: string,
  digest: string,
  focus: readonly string[],
  maxAgents: number,
  again: PlanRequest['again'] = null,
): string {
  const focused =
    focus.length > 0
      ? `\nChange only these files (new ones may be added where they are needed):\n${focus.map((file) => `- ${file}`).join('\n')}\n`
      : '';
  const revised = again
    ? `
# The last PRD, which does not do

${again.prd}

# What is to be different

${again.remark}
`
    : '';
  return `You plan a change to a software repository. Write a PRD for it and split the work into tasks for coding agents.

The agents work at the same time, at most ${maxAgents} of them, each on files of its own, and none sees what the others do.
- No file may be in two tasks, unless one depends on the other.
- Give each task all files it has to change, and nothing it need not change. New files belong into new_files.
- A task that needs another's result depends on it. Prefer few dependencies and few tasks; do not split what belongs together.
- A manifest or lock file belongs to one task.
- Paths are relative to the repository, exactly as listed below.
- When splitting would do harm, make one task and set parallel to false.
${focused}
# The change

${change}

# The repository

${digest}
${revised}`;
}
