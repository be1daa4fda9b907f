import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Content,
  FinishReason,
  type GenerateContentResponse,
  GoogleGenerativeAI,
  type ResponseSchema,
} from '@google/generative-ai';
import type { Failure, PlannerProblem } from '../../core/policy/failure.js';
import type { Planner, PlannerAnswer, PlanRequest, PlanWait } from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';
import { unlessLater } from '../files/private-files.js';
import { PrdReader, planPrompt, readAnswer, responseSchema } from './answer.js';
import { classify } from './failures.js';
import { listModels } from './models.js';

export interface GeminiOptions {
  readonly key: string;
  readonly model: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** First wait before a retry, milliseconds; doubles each time. */
  readonly backoffMs?: number;
  /** Longest silence before a request is given up, milliseconds. */
  readonly silenceMs?: number;
}

const tries = 4;
/** A longer wait than this is not worth a person's time: the quota is used up. */
const longestWaitMs = 60_000;

type Reply = { readonly text: string; readonly model: string };

/** What a call needs beside its contents. */
interface Question {
  readonly signal: AbortSignal;
  readonly schema: ResponseSchema;
  readonly onText?: (prd: string) => void;
  readonly onWait?: (wait: PlanWait) => void;
}

/** Writes the PRD with Gemini: one streamed call with a response schema, at most one repair. */
export class GeminiPlanner implements Planner {
  /** The model that gave the last answer of its own form: one that is gone is not asked each time. */
  private answering: string | null = null;

  constructor(private readonly options: GeminiOptions) {}

  async makePlan(request: PlanRequest): Promise<Result<PlannerAnswer, Failure>> {
    const prompt = planPrompt(
      request.change,
      request.digest,
      request.focus,
      request.maxAgents,
      request.again,
    );
    const question: Content = { role: 'user', parts: [{ text: prompt }] };
    const warnings: string[] = [];
    const asked: Question = { ...request, schema: responseSchema };
    const first = await this.askAny(asked, [question], this.options.model, warnings);
    if (!first.ok) return first;
    const read = readAnswer(first.value.text);
    if (read.ok) return ok({ ...read.value, model: first.value.model, warnings });
    const repair: Content[] = [
      question,
      { role: 'model', parts: [{ text: first.value.text }] },
      {
        role: 'user',
        parts: [
          {
            text: `That answer cannot be used: ${read.failure}. Answer again, with the JSON alone.`,
          },
        ],
      },
    ];
    const second = await this.askAny(asked, repair, first.value.model, warnings);
    if (!second.ok) return second;
    const again = readAnswer(second.value.text);
    if (!again.ok) return problem('broken_json', again.failure);
    return ok({ ...again.value, model: second.value.model, warnings });
  }

  /** One question whose answer has a form of its own; by the same retries and the same choice of model. */
  async answer(
    prompt: string,
    schema: ResponseSchema,
    signal: AbortSignal,
  ): Promise<Result<Reply, Failure>> {
    const question: Content = { role: 'user', parts: [{ text: prompt }] };
    const model = this.answering ?? this.options.model;
    const reply = await this.askAny({ signal, schema }, [question], model, []);
    if (reply.ok) this.answering = reply.value.model;
    return reply;
  }

  /** Asks the model that was named or, when that is gone, the best one there is. */
  private async askAny(
    request: Question,
    contents: Content[],
    model: string,
    warnings: string[],
  ): Promise<Result<Reply, Failure>> {
    const answer = await this.ask(request, contents, model);
    const gone =
      !answer.ok && answer.failure.kind === 'planner' && answer.failure.problem === 'model_gone';
    if (!gone) return answer;
    const others = await this.others(request.signal);
    const best = others.find((name) => name !== model);
    if (!best)
      return problem('model_gone', `${model} is not available, and no other model can be found`);
    warnings.push(
      `The Gemini model ${model} is gone; ${best} was used instead. Name another with --gemini-model.`,
    );
    return this.ask(request, contents, best);
  }

  private async others(signal: AbortSignal): Promise<string[]> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(20_000)]);
    // Whatever fails there: then there is no other one to be found.
    return listModels(this.options.baseUrl, this.options.key, limit).catch((): string[] => []);
  }

  private async ask(
    request: Question,
    contents: Content[],
    model: string,
  ): Promise<Result<Reply, Failure>> {
    let wait = this.options.backoffMs ?? 1000;
    for (let attempt = 1; ; attempt++) {
      const silence = new AbortController();
      try {
        const text = await this.stream(request, contents, model, silence);
        return text.ok ? ok({ text: text.value, model }) : text;
      } catch (error) {
        if (request.signal.aborted) return problem('cancelled', '');
        if (silence.signal.aborted)
          return problem(
            'timeout',
            `no answer for ${(this.options.silenceMs ?? 120_000) / 1000} s`,
          );
        const trouble = classify(error, this.options.key);
        const pause = trouble.waitMs ?? wait * (1 + Math.random() / 4);
        if (!trouble.retry || attempt === tries || pause > longestWaitMs)
          return problem(trouble.problem, trouble.detail);
        request.onWait?.({
          problem: trouble.problem,
          detail: trouble.detail,
          until: Date.now() + pause,
          attempt: attempt + 1,
          attempts: tries,
        });
        await unlessLater(['ABORT_ERR'], null, sleep(pause, undefined, { signal: request.signal }));
        if (request.signal.aborted) return problem('cancelled', '');
        wait *= 2;
      }
    }
  }

  private async stream(
    request: Question,
    contents: Content[],
    model: string,
    silence: AbortController,
  ): Promise<Result<string, Failure>> {
    const client = new GoogleGenerativeAI(this.options.key).getGenerativeModel(
      {
        model,
        generationConfig: {
          responseMimeType: 'application/json',
          responseSchema: request.schema,
          temperature: 0.2,
        },
      },
      { baseUrl: this.options.baseUrl },
    );
    const signal = AbortSignal.any([request.signal, silence.signal]);
    let timer = this.watch(silence);
    try {
      const { stream, response } = await client.generateContentStream({ contents }, { signal });
      // The library reads the stream twice; what breaks is told by the one that is read here.
      response.then(undefined, () => {});
      let text = '';
      const reader = new PrdReader();
      let last: GenerateContentResponse | null = null;
      for await (const chunk of stream) {
        clearTimeout(timer);
        timer = this.watch(silence);
        last = chunk;
        const blocked = blockReason(chunk);
        if (blocked !== null) return problem('blocked', blocked);
        const piece = (chunk.candidates?.[0]?.content?.parts ?? [])
          .map((part) => part.text ?? '')
          .join('');
        text += piece;
        reader.push(piece);
        request.onText?.(reader.prd);
      }
      if (signal.aborted) throw new Error('aborted');
      if (last?.candidates?.[0]?.finishReason === FinishReason.MAX_TOKENS) {
        return problem('cut_off', 'the limit of its output was reached');
      }
      return text.trim() === '' ? problem('empty', '') : ok(text);
    } finally {
      clearTimeout(timer);
    }
  }

  private watch(silence: AbortController): NodeJS.Timeout {
    return setTimeout(() => silence.abort(), this.options.silenceMs ?? 120_000);
  }
}

const refusals: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'LANGUAGE',
]);

function blockReason(chunk: GenerateContentResponse): string | null {
  const prompt = chunk.promptFeedback?.blockReason;
  if (prompt) return `the request: ${prompt}`;
  const finish = chunk.candidates?.[0]?.finishReason;
  return finish && refusals.has(finish) ? `the answer: ${finish}` : null;
}

function problem(kind: PlannerProblem, detail: string): Result<never, Failure> {
  return err({ kind: 'planner', problem: kind, detail });
}
