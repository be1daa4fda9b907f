import { describe, expect, test } from 'vitest';
import { retryHint } from '../../../source/services/provider/retry-hint.js';

describe('how long a provider wants us to wait', () => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  test.each([
    [{ 'retry-after': '7' }, '', 7000],
    [{ 'retry-after-ms': '250', 'retry-after': '7' }, '', 250],
    [{ 'retry-after': 'Fri, 02 Jan 2026 03:04:15 GMT' }, '', 10_000],
    [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' }, '', 360_000],
    [{ 'x-ratelimit-remaining-requests': '5', 'x-ratelimit-reset-requests': '6m0s' }, '', null],
    [{ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '120ms' }, '', 120],
    [{}, 'Rate limit reached. Please try again in 1.5s. Visit', 1500],
    [{}, 'Please retry in 1m2s', 62_000],
    [{ 'retry-after': 'soon' }, 'Too many requests', null],
  ] as const)('%j %s', (headers, body, ms) => {
    expect(retryHint(headers, body, now)).toBe(ms);
  });
});
