import { parsePatch, type StructuredPatch } from 'diff';
import * as z from 'zod';
import type { Task } from '../plan/plan.js';
import type { Criterion } from './criteria.js';

export const verdicts = ['met', 'not_met', 'cannot_tell'] as const;
export type CriterionVerdict = (typeof verdicts)[number];

export interface Judged extends Criterion {
  readonly verdict: CriterionVerdict;
  /** Where in the diff it is seen; null where nothing is to be seen. */
  readonly file: string | null;
  readonly line: number | null;
  /** The reviewer's words, or ours when its answer could not be used. */
  readonly note: string;
}

export interface Review {
  readonly criteria: readonly Judged[];
  readonly remarks: string;
  /** The model that answered; null when none did. */
  readonly model: string | null;
  /** Why the answer could not be used; null when it could. */
  readonly problem: string | null;
}

/** The form of a reviewer's answer. */
export const reviewSchema = z.object({
  criteria: z.array(
    z.object({
      id: z.string(),
      verdict: z.enum(verdicts),
      file: z.string().nullish(),
      line: z.number().nullish(),
      note: z.string().nullish(),
    }),
  ),
  remarks: z.string().nullish(),
});

/**
 * The lines of each file that a patch shows, by their numbers after the change. Of a text that is no patch of git's
 * none: then nothing in it is evidence.
 */
export function linesOfPatch(patch: string): Map<string, Set<number>> {
  const files = new Map<string, Set<number>>();
  for (const { oldFileName = '', newFileName = '', hunks } of patchesIn(patch)) {
    if (newFileName === '/dev/null') {
      // A file that is gone is evidence too, at its first line.
      files.set(oldFileName.replace(/^a\//, ''), new Set([1]));
      continue;
    }
    const lines = new Set<number>();
    files.set(newFileName.replace(/^b\//, ''), lines);
    for (const { newStart, lines: rows } of hunks) {
      let next = newStart;
      for (const row of rows) {
        if (row.startsWith('\\')) continue;
        // Where something was taken away, the line that follows stands for it.
        lines.add(Math.max(1, next));
        if (!row.startsWith('-')) next += 1;
      }
    }
  }
  return files;
}

function patchesIn(patch: string): StructuredPatch[] {
  try {
    return parsePatch(patch);
  } catch (error) {
    // The one kind that it throws.
    if (error instanceof Error) return [];
    throw error;
  }
}

/**
 * Reads a reviewer's answer. Whatever is broken, missing, or points to what the diff does not show
 * counts as "cannot tell": never as met, and never as not met.
 */
export function readReview(
  answer: string,
  asked: readonly Criterion[],
  patch: string,
  model: string,
): Review {
  const nothing = (problem: string): Review => ({
    criteria: asked.map((one) => cannotTell(one, problem)),
    remarks: '',
    model,
    problem,
  });
  const [first, last] = [answer.indexOf('{'), answer.lastIndexOf('}')];
  if (first < 0 || last < first) return nothing('the answer holds no JSON');
  const json = answer.slice(first, last + 1);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return nothing('the answer is no JSON');
    throw error;
  }
  const parsed = reviewSchema.safeParse(value);
  if (!parsed.success) return nothing('the answer does not have the form that was asked for');
  const shown = linesOfPatch(patch);
  const criteria = asked.map((one): Judged => {
    const all = parsed.data.criteria.filter(({ id }) => id.toUpperCase() === one.id.toUpperCase());
    const [said] = all;
    if (!said) return cannotTell(one, 'the answer says nothing of it');
    if (all.some(({ verdict }) => verdict !== said.verdict)) {
      return cannotTell(one, 'the answer contradicts itself');
    }
    const file = said.file?.replace(/^(\.\/|b\/)/, '') || null;
    const line = said.line ?? null;
    const seen = file !== null && line !== null && shown.get(file)?.has(line) === true;
    const where = file === null ? '' : ` (${file}${line === null ? '' : `:${line}`})`;
    if (said.verdict === 'met' && !seen) {
      return cannotTell(one, `called met without evidence in the diff${where}`);
    }
    // What is missing cannot be pointed at; what is pointed at has to be there.
    if (said.verdict === 'not_met' && file !== null && !shown.has(file)) {
      return cannotTell(one, `called not met by what the diff does not show${where}`);
    }
    return { ...one, verdict: said.verdict, file, line, note: said.note?.trim() ?? '' };
  });
  return { criteria, remarks: parsed.data.remarks?.trim() ?? '', model, problem: null };
}

function cannotTell(criterion: Criterion, note: string): Judged {
  return { ...criterion, verdict: 'cannot_tell', file: null, line: null, note };
}

/** A review that did not come about. */
export function noReview(asked: readonly Criterion[], problem: string): Review {
  return {
    criteria: asked.map((one) => cannotTell(one, problem)),
    remarks: '',
    model: null,
    problem,
  };
}

export function notMet({ criteria }: Review): readonly Judged[] {
  return criteria.filter(({ verdict }) => verdict === 'not_met');
}

/** One review in words: `2 met, 1 not met (R2), 1 cannot be told`. */
export function reviewWords({ criteria, problem }: Review): string {
  const of = (verdict: CriterionVerdict) => criteria.filter((one) => one.verdict === verdict);
  const ids = (list: readonly Judged[]) => list.map(({ id }) => id).join(', ');
  const [met, bad, open] = [of('met'), of('not_met'), of('cannot_tell')];
  const parts = [
    ...(met.length > 0 ? [`${met.length} met`] : []),
    ...(bad.length > 0 ? [`${bad.length} not met (${ids(bad)})`] : []),
    ...(open.length > 0 ? [`${open.length} cannot be told (${ids(open)})`] : []),
  ];
  return `review: ${parts.join(', ')}${problem === null ? '' : `, as ${problem}`}`;
}

/** The instructions for a reviewer: what was asked for and the change, nothing of how it came about. */
export function reviewPrompt(
  criteria: readonly Criterion[],
  task: Pick<Task, 'title' | 'description'> | null,
  patch: string,
): string {
  const what = task
    ? `The change is the work on one task: ${task.title}\n\n${task.description.trim()}\n\nOther tasks are done by others, so judge each criterion only as far as this task is to serve it; where it is another task's to serve, you cannot tell.`
    : 'The change is the whole work on a PRD.';
  return `You review a change to a software repository. ${what}

For each criterion say whether the change meets it:
- "met" only when the diff shows it: name the file and a line of the new version that is in the diff.
- "not_met" when the diff shows that it is wrong or missing; name file and line where there is one.
- "cannot_tell" when the diff alone does not tell. Do not guess.
Answer with JSON alone, of this form:
{"criteria": [{"id": "R1", "verdict": "met", "file": "src/a.ts", "line": 12, "note": "why"}], "remarks": "what is to be mended, for the one who made the change"}

# Criteria

${criteria.map(({ id, text }) => `- ${id}: ${text}`).join('\n')}

# The change

${patch}
`;
}
