import { GoogleGenerativeAIFetchError } from '@google/generative-ai';
import type { PlannerProblem } from '../../core/policy/failure.js';

export interface GeminiTrouble {
  readonly problem: PlannerProblem;
  readonly detail: string;
  /** Milliseconds the server asks to wait; null when it does not say. */
  readonly waitMs: number | null;
  readonly retry: boolean;
}

/** Reads what went wrong from the library's error. The key is never in the detail. */
export function classify(error: unknown, key: string): GeminiTrouble {
  // More than this of an error's words nobody reads.
  const short = (text: string) => text.slice(0, 4000);
  const mask = (text: string) =>
    short(text).split(key).join('***').replace(/\s+/g, ' ').slice(0, 300);
  const trouble = (
    problem: PlannerProblem,
    detail: string,
    retry: boolean,
    waitMs: number | null = null,
  ) => ({
    problem,
    detail: mask(detail),
    retry,
    waitMs,
  });
  if (error instanceof GoogleGenerativeAIFetchError && error.status !== undefined) {
    const { status } = error;
    const said = short(error.message).replace(/^.*?: \[\d+ [^\]]*\]\s*/, '');
    const detail = `HTTP ${status}${said === short(error.message) ? '' : `: ${said}`}`;
    if (status === 404) return trouble('model_gone', detail, false);
    if (status === 401 || status === 403) return trouble('bad_key', detail, false);
    if (status === 400 && /API.?key/i.test(error.message)) return trouble('bad_key', detail, false);
    if (status === 429) return trouble('quota', detail, true, serverDelay(error.errorDetails));
    if (status >= 500) return trouble('server', detail, true, serverDelay(error.errorDetails));
    return trouble('server', detail, false);
  }
  const cause = short(error instanceof Error ? `${error.message} ${causes(error)}` : String(error));
  if (/block(ed)?|SAFETY|PROHIBITED|RECITATION/i.test(cause))
    return trouble('blocked', cause, false);
  return trouble('network', cause.replace(/^.*?Error fetching from \S+:?\s*/, ''), true);
}

function causes(error: Error): string {
  const { cause } = error;
  if (!(cause instanceof Error)) return '';
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  return `${code} ${cause.message} ${causes(cause)}`.trim();
}

/** `google.rpc.RetryInfo`: {"retryDelay": "12.5s"}. */
function serverDelay(details: readonly Record<string, unknown>[] | undefined): number | null {
  for (const detail of details ?? []) {
    const match = /^(\d+(?:\.\d+)?)s$/.exec(String(detail['retryDelay'] ?? ''));
    if (match) return Number(match[1]) * 1000;
  }
  return null;
}
