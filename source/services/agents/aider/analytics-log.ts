import type { Usage } from '../../../core/agent/agent.js';

/** An event of Aider's analytics log, as Aider wrote it. */
export interface AiderEvent {
  readonly event: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly time: number | null;
}

/** Reads one line of Aider's analytics log; null for what is no event. */
export function parseAiderEvent(line: string): AiderEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { event, properties, time } = value as Record<string, unknown>;
  if (typeof event !== 'string') return null;
  const props = typeof properties === 'object' && properties !== null ? properties : {};
  return {
    event,
    properties: props as Record<string, unknown>,
    time: typeof time === 'number' ? time : null,
  };
}

/** What a response used. */
export function usageOf(event: AiderEvent): Usage {
  const { prompt_tokens, completion_tokens } = event.properties;
  const cost = costOf(event);
  return {
    promptTokens: numberOf(prompt_tokens),
    completionTokens: numberOf(completion_tokens),
    cost,
    knownCost: cost ?? 0,
  };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/**
 * What a response cost, in US dollars. Aider says 0 when it does not know the price of the model, so a
 * 0 for tokens that were used means unknown: null.
 */
export function costOf({ properties }: AiderEvent): number | null {
  const { cost, total_tokens } = properties;
  if (typeof cost !== 'number' || !Number.isFinite(cost)) return null;
  return cost === 0 && total_tokens !== 0 ? null : cost;
}
