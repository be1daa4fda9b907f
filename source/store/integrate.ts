import type { DiffStat } from '../core/agent/agent.js';
import type { Failure } from '../core/policy/failure.js';
import { failureOfTestRun, type TestRun } from '../core/policy/test-run.js';
import type { Merged } from '../core/ports.js';
import { err, ok, type Result } from '../core/result.js';
import type { MergeItem } from '../core/run/effect.js';
import type { IntegrationStep, MergedWork } from '../core/run/run.js';

/** What merging and testing a batch needs. */
export interface IntegratePorts {
  merge(onto: string, item: MergeItem): Promise<Result<Merged, Failure>>;
  advance(commit: string): Promise<Result<DiffStat, Failure>>;
  /** Null where none are run. */
  readonly tests: TipTesting | null;
}

export interface TipTesting {
  /** Whether the tests decide, or are merely run once and reported. */
  readonly mode: 'decides' | 'reported';
  run(commit: string): Promise<TestRun>;
  /** Whether the tests let a tip stay; only asked where they decide. */
  accepts(result: TestRun): boolean;
}

/** A piece of work and the tip it led to. */
interface Step {
  readonly item: MergeItem;
  readonly tip: string;
}

/**
 * Merges a batch and tests its tip. A red tip is bisected to the first piece of work that breaks it,
 * which is left out, and the rest is merged and tested without it, until the tip is green. Each red is
 * run once more before it is believed. Whatever happens, the tip that is set is one that was green.
 * @param base where all work starts; it, or the tip of what was merged before, is taken for green
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one algorithm, whose steps share what was found.
export async function integrateBatch(
  ports: IntegratePorts,
  base: string,
  onto: MergedWork | null,
  items: readonly MergeItem[],
): Promise<Result<IntegrationStep, Failure>> {
  const start = onto?.commit ?? base;
  const conflicts: { agent: number; files: readonly string[] }[] = [];
  const broken: { agent: number; words: string; output: string }[] = [];
  const because: { agent: number; of: number }[] = [];
  const results = new Map<string, TestRun>();
  const { tests } = ports;
  const deciding = tests?.mode === 'decides' ? tests : null;
  const test = async ({ run }: TipTesting, tip: string): Promise<TestRun> => {
    const known = results.get(tip);
    if (known) return known;
    const result = await testTwice(run, tip);
    results.set(tip, result);
    return result;
  };
  /** Merges on after the steps that stay. */
  const mergeOn = async (
    steps: readonly Step[],
    rest: readonly MergeItem[],
  ): Promise<Result<Step[], Failure>> => {
    const all = [...steps];
    for (const item of rest) {
      const lost = [...conflicts, ...broken, ...because].find((one) =>
        item.needs.includes(one.agent),
      );
      if (lost) {
        because.push({ agent: item.agent, of: lost.agent });
        continue;
      }
      const merged = await ports.merge(all.at(-1)?.tip ?? start, item);
      if (!merged.ok) return merged;
      if (merged.value.clean) all.push({ item, tip: merged.value.commit });
      else conflicts.push({ agent: item.agent, files: merged.value.files });
    }
    return ok(all);
  };

  let testRun: TestRun | null = null;
  const first = await mergeOn([], items);
  if (!first.ok) return first;
  let steps = first.value;
  while (deciding !== null && steps.length > 0) {
    const testTip = (commit: string) => test(deciding, commit);
    const tip = steps.at(-1) as Step;
    const result = await testTip(tip.tip);
    if (deciding.accepts(result)) {
      testRun = result;
      break;
    }
    if (result.state === 'faulted') return err(failureOfTestRun(result));
    const red = await firstRed(steps, testTip, (one) => deciding.accepts(one));
    const culprit = steps[red.at] as Step;
    if (red.result.state === 'faulted') return err(failureOfTestRun(red.result));
    if (red.result.state === 'stopped') {
      // Told to end: what was green stays, the rest is as if it had not been tried.
      steps = steps.slice(0, red.at);
      testRun = steps.length > 0 ? await testTip((steps.at(-1) as Step).tip) : null;
      break;
    }
    const { words, output } = red.result;
    broken.push({ agent: culprit.item.agent, words, output });
    const rest = steps.slice(red.at + 1).map((step) => step.item);
    const again = await mergeOn(steps.slice(0, red.at), rest);
    if (!again.ok) return again;
    steps = again.value;
  }
  if (tests?.mode === 'reported' && steps.length > 0) {
    testRun = await tests.run((steps.at(-1) as Step).tip);
  }
  const commit = steps.at(-1)?.tip ?? onto?.commit ?? null;
  let diff: DiffStat = { files: [] };
  if (commit !== null) {
    const advanced = await ports.advance(commit);
    if (!advanced.ok) return advanced;
    diff = advanced.value;
  }
  const merged = steps.map((step) => step.item.agent);
  return ok({ commit, merged, conflicts, broken, because, diff, testRun });
}

/**
 * The first red of steps whose last one is red, by bisection: all before it that was looked at is
 * green. A check that was told to end ends the search there.
 */
async function firstRed(
  steps: readonly Step[],
  test: (tip: string) => Promise<TestRun>,
  accepts: (result: TestRun) => boolean,
): Promise<{ at: number; result: TestRun }> {
  let green = -1;
  let at = steps.length - 1;
  let result = await test((steps[at] as Step).tip);
  while (at - green > 1) {
    const middle = Math.floor((green + at) / 2);
    const seen = await test((steps[middle] as Step).tip);
    if (seen.state === 'stopped' || seen.state === 'faulted') {
      return { at: green + 1, result: seen };
    }
    if (accepts(seen)) green = middle;
    else {
      at = middle;
      result = seen;
    }
  }
  if (result.state === 'stopped') return { at: green + 1, result };
  return { at, result };
}

/** One rerun tells flaky from broken. */
export async function testTwice(
  check: (commit: string) => Promise<TestRun>,
  commit: string,
): Promise<TestRun> {
  const once = await check(commit);
  if (once.state !== 'failed') return once;
  const twice = await check(commit);
  // Of two reports the second one counts, as its words do.
  const ms = once.ms + twice.ms;
  return twice.state === 'passed' ? { ...twice, ms, flaky: true } : { ...twice, ms };
}
