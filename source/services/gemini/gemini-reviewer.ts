import * as z from 'zod';
import type { Failure } from '../../core/policy/failure.js';
import { verdicts } from '../../core/policy/review.js';
import type { Reviewer, ReviewerAnswer } from '../../core/ports.js';
import { ok, type Result } from '../../core/result.js';
import { type GeminiOptions, GeminiPlanner } from './gemini-planner.js';
import { geminiSchema } from './gemini-schema.js';

const schema = geminiSchema(
  z.object({
    criteria: z.array(
      z.object({
        id: z.string(),
        verdict: z.enum(verdicts),
        file: z.string().nullable().optional().describe('As the diff names it'),
        line: z.int().nullable().optional().describe('Of the new version'),
        note: z.string().nullable().optional(),
      }),
    ),
    remarks: z.string().nullable().optional(),
  }),
);

/** Reviews with Gemini, by the planner's way of asking. */
export class GeminiReviewer implements Reviewer {
  private readonly gemini: GeminiPlanner;

  constructor(options: GeminiOptions) {
    this.gemini = new GeminiPlanner(options);
  }

  async review(prompt: string, signal: AbortSignal): Promise<Result<ReviewerAnswer, Failure>> {
    const answer = await this.gemini.answer(prompt, schema, signal);
    return answer.ok ? ok({ ...answer.value, usage: null }) : answer;
  }
}
