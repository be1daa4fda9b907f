import type { IncomingHttpHeaders } from 'node:http';

/**
 * How long a provider wants us to wait after a 429, milliseconds; null when it does not say. Read, in
 * this order, from `retry-after-ms` and `retry-after` (RFC 9110 10.2.3: seconds or a date), from the
 * `x-ratelimit-reset-*` headers of OpenAI and its likes (`1s`, `6m0s`, `120ms`), and from the words of
 * the error ("Please try again in 1.5s").
 */
export function retryHint(headers: IncomingHttpHeaders, body: string, now: number): number | null {
  const one = (name: string) => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const exact = Number(one('retry-after-ms'));
  if (Number.isFinite(exact) && exact > 0) return exact;
  const after = one('retry-after');
  if (after !== undefined) {
    const seconds = Number(after);
    if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1000;
    const date = Date.parse(after);
    if (Number.isFinite(date)) return Math.max(0, date - now);
  }
  // Only of what is used up: the other limit may be reset much later, and does not matter.
  for (const kind of ['requests', 'tokens']) {
    const reset = one(`x-ratelimit-reset-${kind}`);
    if (one(`x-ratelimit-remaining-${kind}`) !== '0' || reset === undefined) continue;
    const ms = durationMs(reset);
    if (ms !== null) return ms;
  }
  const said = /(?:try again|retry) in ((?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h) ?){1,4})/i.exec(body);
  return said ? durationMs(said[1] ?? '') : null;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function durationMs(text: string): number | null {
  let sum = 0;
  let found = false;
  for (const [, value, unit] of text.matchAll(/(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)/g)) {
    sum += Number(value) * (units[unit as string] ?? 0);
    found = true;
  }
  return found ? sum : null;
}
