import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runScripts, script } from './model.js';

/** Agents in all; `npm run test:generated` sets it to 10,000. */
const cases = Number(process.env['GENERATED_CASES'] ?? 64);
const perRun = 16;
/** Runs at once: most of the time goes to git. */
const lanes = 2;

test(`${cases} agents that do whatever they like: what is merged is right, all else is on its branch`, {
  timeout: 4 * 60 * 60_000,
}, async () => {
  const seed = process.env['GENERATED_SEED'] ? { seed: Number(process.env['GENERATED_SEED']) } : {};
  let done = 0;
  const lane = () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(script, { minLength: perRun, maxLength: perRun }),
        fc.constantFrom('any' as const, 'none' as const),
        async (scripts, land) => {
          expect((await runScripts(scripts, { land })).problems).toEqual([]);
          done += perRun;
          if (done % 1008 < perRun) console.log(`${done} of ${cases} agents`);
        },
      ),
      { numRuns: Math.ceil(cases / perRun / lanes), endOnFailure: true, ...seed },
    );
  await Promise.all(Array.from({ length: lanes }, lane));
});
