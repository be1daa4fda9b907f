import { type TestRun, testRunWords } from './test-run.js';

/** What a run does where the tests fail on its base. */
export const redBases = ['stop', 'fix', 'report'] as const;
export type RedBase = (typeof redBases)[number];

/**
 * The report without what only the base needs.
 * @param wanted tests that criteria name
 */
export function withoutNames(testRun: TestRun, wanted: readonly string[] = []): TestRun {
  const { report } = testRun;
  if (!report?.passedNames) return testRun;
  const named = report.passedNames.filter((name) => wanted.some((one) => isNamed(name, one)));
  return { ...testRun, report: { ...report, passedNames: wanted.length > 0 ? named : null } };
}

/** Whether a test of a report is the one that is meant: its name, or the end of it behind its suites'. */
export function isNamed(name: string, meant: string): boolean {
  if (name === meant) return true;
  return name.endsWith(meant) && /[^\p{L}\p{N}]$/u.test(name.slice(0, -meant.length));
}

/** The tests that a criterion points at: `(test: NAME)` or `(tests: NAME; NAME)` at the end of its text. */
export function testsNamedIn(text: string): string[] {
  const named = /\(tests?: ([^()]{1,500})\)\.?$/i.exec(text.trimEnd())?.[1] ?? '';
  return named
    .split(';')
    .map((one) => one.trim().replace(/^[`"]|[`"]$/g, ''))
    .filter(Boolean);
}

/** What the tests say of one that a criterion names. */
export function stateOfNamed(
  testRun: TestRun | null,
  meant: string,
): 'passes' | 'fails' | 'not run' {
  const report = testRun?.report;
  if (report?.failed.some((name) => isNamed(name, meant))) return 'fails';
  return report?.passedNames?.some((name) => isNamed(name, meant)) ? 'passes' : 'not run';
}

/** What tests are held against: what they said of the base, and what was wanted of a red one. */
export interface Measure {
  readonly base: TestRun | null;
  readonly redBase: RedBase | 'ask';
}

/**
 * How work is judged by the tests. `pass`: they have to. `no_worse`: none that passed on the base may fail, as it
 * is red and there are reports. `report`: not at all. In each case what lands from a base to be fixed has to be
 * green in the end.
 */
export function ruleOf({ base, redBase }: Measure): 'pass' | 'no_worse' | 'report' {
  if (base?.state === 'passed') return 'pass';
  if (redBase !== 'fix') return 'report';
  return base?.report?.passedNames ? 'no_worse' : 'report';
}

/** Tests that passed on the base and fail now; null where no report tells. */
export function brokenTests({ base }: Measure, now: TestRun): readonly string[] | null {
  const before = base?.report?.passedNames;
  if (!before || !now.report) return null;
  const passed = new Set(before);
  return now.report.failed.filter((name) => passed.has(name));
}

/** Whether the tests let a piece of work pass, by the rule of its run. */
export function isAccepted(measure: Measure, now: TestRun): boolean {
  if (now.state !== 'failed') return now.state === 'passed';
  if (ruleOf(measure) !== 'no_worse') return false;
  const broken = brokenTests(measure, now);
  // A suite that cannot even be loaded fails no test by name.
  const loads = now.report !== undefined && now.report.passed + now.report.failed.length > 0;
  return broken !== null && broken.length === 0 && loads;
}

/** `4 fail → 0 fail`, where reports tell both; null elsewhere. */
export function changeWords(base: TestRun | null, now: TestRun | null): string | null {
  if (!base?.report || !now?.report) return null;
  return `${base.report.failed.length} fail → ${now.report.failed.length} fail`;
}

/** A run of the tests in words for a person; on a red base with what it has changed. */
export function heldWords(base: TestRun | null, now: TestRun): string {
  const change = base?.state === 'failed' ? changeWords(base, now) : null;
  return change === null ? testRunWords(now) : `${testRunWords(now)}, ${change}`;
}

/** More names are counted, not listed. */
const mostListed = 8;

/** Names of tests for a sentence. */
export function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, mostListed).join('; ');
  const more = names.length - mostListed;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}
