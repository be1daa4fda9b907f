import type { AiderEvent } from './run.js';

/** Cuts a growing log into whole lines; a partial last line waits for its rest. */
export class LineSplitter {
  private rest: Buffer = Buffer.alloc(0);

  /** Whole lines that `chunk` completes, without their line ends. */
  push(chunk: Buffer): string[] {
    const all = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    const lines: string[] = [];
    let start = 0;
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, start)) {
      lines.push(all.toString('utf8', start, end));
      start = end + 1;
    }
    this.rest = all.subarray(start);
    return lines;
  }
}

/** Reads one line of Aider's analytics log; null for what is no event. */
export function parseAiderEvent(line: string): AiderEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
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

/**
 * What a response cost, in US dollars. Aider says 0 when it does not know the price of the model, so a
 * 0 for tokens that were used means unknown: null.
 */
export function costOf({ properties }: AiderEvent): number | null {
  const { cost, total_tokens } = properties;
  if (typeof cost !== 'number' || !Number.isFinite(cost)) return null;
  return cost === 0 && total_tokens !== 0 ? null : cost;
}
