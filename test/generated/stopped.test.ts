import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runScripts, script } from './model.js';

/** Runs that are stopped, in all; `STOPPED_CASES` sets it. */
const cases = Number(process.env['STOPPED_CASES'] ?? 12);
const seed = process.env['GENERATED_SEED'] ? { seed: Number(process.env['GENERATED_SEED']) } : {};

test(`${cases} runs whose program ends after any message, and is begun anew, end as if it had not`, {
  timeout: 4 * 60 * 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(script, { minLength: 4, maxLength: 4 }),
      fc.constantFrom('any' as const, 'none' as const),
      fc.boolean(),
      fc.boolean(),
      // Where it ends, in parts of the whole.
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 3 }),
      async (scripts, land, carriedOut, rich, parts) => {
        const whole = await runScripts(scripts, { land, rich });
        // What was judged good can be committed.
        expect(JSON.stringify(whole.summary)).not.toContain('commit_failed');
        let left = whole.messages;
        const stops = parts.map((part) => {
          const stop = Math.max(1, Math.floor(part * left));
          left = Math.max(1, left - stop);
          return stop;
        });
        const stopped = await runScripts(scripts, { land, rich, carriedOut, stops });
        expect(stopped.problems).toEqual(whole.problems);
        expect(stopped.summary).toEqual(whole.summary);
        expect(stopped.trees).toEqual(whole.trees);
      },
    ),
    { numRuns: cases, endOnFailure: true, ...seed },
  );
});
