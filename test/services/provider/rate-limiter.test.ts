import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type GovernorOptions,
  RateLimiter,
} from '../../../source/services/provider/rate-limiter.js';

const never = new AbortController().signal;

describe('the rateLimiter', () => {
  /** A rateLimiter by a clock of the test. */
  function make(more: Partial<GovernorOptions> = {}) {
    const clock = { now: 1000 };
    const rateLimiter = new RateLimiter({
      most: () => 8,
      now: () => clock.now,
      random: () => 0,
      ...more,
    });
    const admitted: number[] = [];
    const ask = (id: number) =>
      rateLimiter.acquire(false, never).then(() => void admitted.push(id));
    return { rateLimiter, clock, admitted, ask };
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  test('a refusal stops all and halves the window; successes let it grow by one a window', async () => {
    const { rateLimiter, clock, admitted, ask } = make();
    for (let id = 0; id < 10; id++) void ask(id);
    await settle();
    expect(admitted.length).toBe(8);
    rateLimiter.refused(5000);
    rateLimiter.refused(4000);
    expect(rateLimiter.facts()).toEqual({ window: 4, waiting: 2, until: 6000 });
    for (let id = 0; id < 6; id++) rateLimiter.release();
    await settle();
    expect(admitted.length).toBe(8);
    clock.now = 6000;
    void ask(10);
    await settle();
    expect(admitted.length).toBe(11);
    rateLimiter.succeeded();
    rateLimiter.succeeded();
    rateLimiter.succeeded();
    expect(rateLimiter.facts().window).toBe(4);
    for (let count = 0; count < 30; count++) {
      void ask(99);
      await settle();
      rateLimiter.succeeded();
    }
    expect(rateLimiter.facts().window).toBe(8);
  });

  test('without a hint the waits double, up to 32 s; and after a while nothing is hoped for', async () => {
    const { rateLimiter, clock, ask } = make({ patienceMs: 60_000 });
    const waits: number[] = [];
    for (let count = 0; count < 6; count++) {
      expect(rateLimiter.isHopeless).toBe(false);
      void ask(count);
      await settle();
      rateLimiter.refused(null);
      const until = rateLimiter.facts().until as number;
      waits.push(until - clock.now);
      clock.now = until;
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000]);
    void ask(7);
    await settle();
    rateLimiter.refused(null);
    expect(rateLimiter.isHopeless).toBe(true);
    void ask(8);
    await settle();
    rateLimiter.succeeded();
    expect(rateLimiter.isHopeless).toBe(false);
  });

  test('whatever happens: never more at once than the window, never before the time, nobody is forgotten', async () => {
    const event = fc.oneof(
      fc.constant('ask'),
      fc.constant('ok'),
      fc.constant('release'),
      fc.constant('give up'),
      fc.integer({ min: 1, max: 9000 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        const { rateLimiter, clock } = make();
        let flying = 0;
        let waiting = 0;
        const givers: AbortController[] = [];
        for (const one of events) {
          if (one === 'ask') {
            const giver = new AbortController();
            givers.push(giver);
            waiting += 1;
            rateLimiter.acquire(false, giver.signal).then(
              () => {
                waiting -= 1;
                flying += 1;
                expect(rateLimiter.facts().until).toBe(null);
              },
              () => {
                waiting -= 1;
              },
            );
          } else if (one === 'give up') givers.shift()?.abort();
          else if (one === 'ok' && flying > 0) {
            flying -= 1;
            rateLimiter.succeeded();
          } else if (one === 'release' && flying > 0) {
            flying -= 1;
            rateLimiter.release();
          } else if (typeof one === 'number' && flying > 0) {
            flying -= 1;
            rateLimiter.refused(one);
            expect(flying).toBeLessThanOrEqual(8);
          }
          await settle();
          expect(rateLimiter.facts().waiting).toBe(waiting);
          clock.now += 500;
        }
        // In the end all get through.
        clock.now += 1_000_000;
        for (let round = 0; round < 200 && waiting + flying > 0; round++) {
          if (flying > 0) {
            flying -= 1;
            rateLimiter.succeeded();
          } else {
            waiting += 1;
            void rateLimiter.acquire(false, never).then(() => {
              waiting -= 1;
              flying += 1;
            });
          }
          await settle();
        }
        expect(waiting + flying).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
