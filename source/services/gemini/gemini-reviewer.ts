import { type ResponseSchema, SchemaType } from '@google/generative-ai';
import type { Failure } from '../../core/policy/failure.js';
import { verdicts } from '../../core/policy/review.js';
import type { Reviewer, ReviewerAnswer } from '../../core/ports.js';
import { ok, type Result } from '../../core/result.js';
import { type GeminiOptions, GeminiPlanner } from './gemini-planner.js';

const schema: ResponseSchema = {
  type: SchemaType.OBJECT,
  required: ['criteria'],
  properties: {
    criteria: {
      type: SchemaType.ARRAY,
      items: {
        type: SchemaType.OBJECT,
        required: ['id', 'verdict'],
        properties: {
          id: { type: SchemaType.STRING },
          verdict: { type: SchemaType.STRING, format: 'enum', enum: [...verdicts] },
          file: { type: SchemaType.STRING, description: 'As the diff names it', nullable: true },
          line: { type: SchemaType.INTEGER, description: 'Of the new version', nullable: true },
          note: { type: SchemaType.STRING, nullable: true },
        },
      },
    },
    remarks: { type: SchemaType.STRING, nullable: true },
  },
};

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
