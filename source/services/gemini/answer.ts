import * as z from 'zod';
import { mostTasks, schemaProblems, type Task, taskSchema } from '../../core/plan/plan.js';
import type { PlanRequest } from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';
import { geminiSchema } from './gemini-schema.js';

/** The answer as Gemini is asked for it; the field names are those of the plan. */
const asked = z.object({
  prd: z
    .string()
    .describe(
      'The PRD in Markdown, beginning with "# ", with the sections Problem, Goals, Non-goals, Requirements (R1, R2, …), Acceptance criteria, Risks',
    ),
  parallel: z
    .boolean()
    .describe('False when the work should be one task, because splitting it would do harm'),
  tasks: z.array(
    z.object({
      id: z.string().describe('T1, T2, …'),
      title: z.string().describe('One line, imperative'),
      description: z.string().describe('All an engineer needs who sees only these files'),
      files: z.array(z.string()).describe('Existing files this task changes'),
      new_files: z.array(z.string()).describe('Files this task creates'),
      read: z.array(z.string()).describe('Files it must know, but does not change'),
      depends_on: z.array(z.string()).describe('Ids of tasks whose result it needs'),
      requirements: z.array(z.string()).describe('Ids of the requirements it serves'),
    }),
  ),
});

export const responseSchema = geminiSchema(asked);

const task = asked.shape.tasks.element.shape;

/** What may be missing or null in an answer all the same. */
const lenient = (list: z.ZodArray<z.ZodString>) =>
  list.nullish().transform((value) => (value ?? []).map((item) => item.trim()).filter(Boolean));

const answerSchema = asked.extend({
  prd: z.string().trim().min(1),
  parallel: asked.shape.parallel.nullish(),
  tasks: z
    .array(
      z.object({
        ...task,
        title: z.string().trim().min(1),
        description: task.description.nullish(),
        files: lenient(task.files),
        new_files: lenient(task.new_files),
        read: lenient(task.read),
        depends_on: lenient(task.depends_on),
        requirements: lenient(task.requirements),
      }),
    )
    .min(1)
    .max(mostTasks),
});

export interface Answer {
  readonly prd: string;
  readonly parallel: boolean;
  readonly tasks: readonly Task[];
}

/** Reads the model's answer; a fence around it is taken off. The failure says what is wrong with it. */
export function readAnswer(text: string): Result<Answer, string> {
  const bare = withoutFence(text);
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

/** An answer without the fence that some models put around it. */
function withoutFence(text: string): string {
  const bare = text.trim();
  const begun = /^```(?:json)?[^\S\n]*\n/i.exec(bare)?.[0].length ?? 0;
  if (begun === 0) return bare;
  return bare.endsWith('```') ? bare.slice(begun, -3) : bare.slice(begun);
}

/**
 * Reads the PRD out of an answer while that arrives: the string that is the value of the key `prd` of the
 * outermost object. Each character is looked at once, however the answer is cut into pieces.
 */
export class PrdReader {
  private depth = 0;
  private state: 'between' | 'string' | 'escape' = 'between';
  /** The string that is read now, as JSON. */
  private raw: string[] = [];
  private key = '';
  private isValue = false;
  private text = '';
  /** Of the PRD what has come and is no half escape. */
  private half = '';

  /** Takes the next piece of the answer. */
  push(piece: string): void {
    for (const char of piece) this.take(char);
    if (this.isPrd) this.flush();
  }

  /** The PRD so far; '' before it begins. */
  get prd(): string {
    return this.text;
  }

  private get isPrd(): boolean {
    return this.depth === 1 && this.isValue && this.key === 'prd' && this.state !== 'between';
  }

  private take(char: string): void {
    if (this.state === 'escape') {
      this.raw.push(char);
      this.state = 'string';
    } else if (this.state === 'string') {
      if (char === '"') this.endString();
      else {
        this.raw.push(char);
        if (char === '\\') this.state = 'escape';
      }
    } else if (char === '"') {
      this.raw = [];
      this.state = 'string';
    } else if (char === '{' || char === '[') {
      this.depth += 1;
      this.isValue = false;
    } else if (char === '}' || char === ']') this.depth -= 1;
    else if (char === ':') this.isValue = true;
    else if (char === ',') this.isValue = false;
  }

  private endString(): void {
    if (this.isPrd) this.flush();
    this.state = 'between';
    if (this.depth === 1 && !this.isValue) this.key = this.raw.join('');
    this.raw = [];
  }

  /** Takes over what is whole: an escape may have come by half. */
  private flush(): void {
    const text = this.half + this.raw.join('');
    this.raw = [];
    const cut = /\\(?:u[0-9a-fA-F]{0,3})?$/.exec(text.slice(-6));
    const even = cut !== null && isEscaped(text, text.length - cut[0].length);
    const whole = cut === null || even ? text : text.slice(0, text.length - cut[0].length);
    this.half = text.slice(whole.length);
    if (whole === '') return;
    try {
      this.text += JSON.parse(`"${whole.replaceAll('\n', '\\n').replaceAll('\r', '')}"`);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // Not JSON after all; the whole answer is judged in the end.
      this.text += whole;
    }
  }
}

/** Whether the backslash at a place is itself escaped by one before it. */
function isEscaped(text: string, at: number): boolean {
  let before = 0;
  while (at - 1 - before >= 0 && text[at - 1 - before] === '\\') before += 1;
  return before % 2 === 1;
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
