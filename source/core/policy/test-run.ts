import type { Failure } from './failure.js';
import { faultWords, type MachineFault } from './machine-fault.js';

/** What a report of the project's tests tells, test by test. */
export interface TestReport {
  readonly passed: number;
  readonly skipped: number;
  /** Names of those that failed, each once. */
  readonly failed: readonly string[];
  /**
   * Names of those that passed: of the base all, as others are held against it; elsewhere those that a criterion of
   * the PRD names. Null where nobody needs any.
   */
  readonly passedNames: readonly string[] | null;
}

/** What one run of the project's tests has shown, in words that may be printed and sent to a model. */
export interface TestRun {
  /** `stopped`: ended by us before it could tell. `faulted`: the machine kept it from telling. */
  readonly state: 'passed' | 'failed' | 'stopped' | 'faulted';
  /** Of the machine, where it is one of its known faults; only when faulted. */
  readonly fault?: MachineFault;
  /** No test ran, as the set-up command had failed; only when failed. */
  readonly lacksSetup?: true;
  /** Why it did not pass, such as `exit code 1`; '' when it did. */
  readonly words: string;
  /** What matters of its output, secrets masked; '' when it passed. */
  readonly output: string;
  readonly ms: number;
  /** It failed first, and passed when it was run again on the same state. */
  readonly flaky: boolean;
  /** What a report of theirs tells; absent where there is none. */
  readonly report?: TestReport;
}

/** How a run checks its work. */
export interface TestCommand {
  /** For `sh -c`, in the root of a worktree. */
  readonly command: string;
  /** Where it was named, such as `--test-cmd`. */
  readonly from: string;
  /** The longest it may take, milliseconds. */
  readonly timeoutMs: number;
  /** Glob of JUnit reports that the command writes, relative to the worktree; null where none was named. */
  readonly report: string | null;
}

/** Characters of a failing run's output that a model is shown. */
export const outputLimit = 4000;

const telling =
  /\b(fail(ed|ure|ing|s)?|error|assert\w*|expected|actual|received|traceback|exception|panic(ked)?|not ok|undefined|cannot|mismatch)\b|[✗✘×✖]|^E {2}/i;

/**
 * The part of an output that tells why tests failed: the end, where runners sum up, and the lines
 * around what reads like a failure. What is left out is counted.
 * @param text without control sequences
 */
export function trimOutput(text: string, limit = outputLimit): string {
  const lines = text
    .split('\n')
    .map((line) => line.trimEnd().slice(0, 300))
    .filter((line, index, all) => line !== '' || all[index - 1] !== '');
  while (lines.at(-1) === '') lines.pop();
  const keep = new Set<number>();
  let size = 0;
  const take = (index: number): boolean => {
    const line = lines[index];
    if (line === undefined || keep.has(index)) return true;
    if (size + line.length + 1 > limit) return false;
    keep.add(index);
    size += line.length + 1;
    return true;
  };
  // A third for the end, the rest for the failures in their order, then more of the end.
  for (let index = lines.length - 1; index >= 0 && size < limit / 3; index--) take(index);
  for (const [index, line] of lines.entries()) {
    if (!telling.test(line)) continue;
    for (let near = index - 2; near <= index + 6; near++) if (near >= 0) take(near);
  }
  for (let index = lines.length - 1; index >= 0; index--) if (!take(index)) break;
  const shown: string[] = [];
  let left = 0;
  for (const [index, line] of lines.entries()) {
    if (!keep.has(index)) {
      left += 1;
      continue;
    }
    if (left > 0) shown.push(`[${left} ${left === 1 ? 'line' : 'lines'} left out]`);
    left = 0;
    shown.push(line);
  }
  if (left > 0) shown.push(`[${left} ${left === 1 ? 'line' : 'lines'} left out]`);
  return shown.join('\n');
}

/** Forms of keys that are known by their beginning. */
const keyForms =
  /(?<![\w-])(?:sk-[\w-]{12,}|AIza[\w-]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{12,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)/g;

/**
 * Takes secrets out of a text: the values that are given, and what has the form of a key.
 * @param secrets values such as those of variables named KEY, TOKEN, PASSWORD
 */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  let masked = text;
  // The longest first: one may be a part of another.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length >= 6) masked = masked.replaceAll(secret, '***');
  }
  return masked.replace(keyForms, '***');
}

/** The values of an environment that are secrets by the names of their variables. */
export function secretsIn(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value && /KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH/i.test(name) && value.length >= 6
      ? [value]
      : [],
  );
}

/** A run of the tests that a fault of the machine kept from telling anything. */
export function faulted(fault: MachineFault | null, doing: string, ms = 0): TestRun {
  const words = fault === null ? doing : `${faultWords(fault)}: ${doing}`;
  const known = fault === null ? {} : { fault };
  return { state: 'faulted', ...known, words, output: '', ms, flaky: false };
}

/** What tests that could not be run come to for the run. */
export function failureOfTestRun({ fault, words }: TestRun): Failure {
  return fault === undefined
    ? { kind: 'git', doing: 'preparing the tests', detail: words }
    : { kind: 'machine', fault, doing: words.replace(`${faultWords(fault)}: `, '') };
}

/** One run of the tests in words for a person. */
export function testRunWords(testRun: TestRun): string {
  const { state, words, flaky, report } = testRun;
  if (testRun.lacksSetup) return `tests were not run (the set-up command failed: ${words})`;
  if (state === 'passed') return flaky ? 'tests passed at the second try (flaky)' : 'tests passed';
  if (state === 'faulted') return `tests could not be run (${words})`;
  if (state === 'failed' && report && report.failed.length > 0) {
    return `tests failed (${report.failed.length} of ${report.failed.length + report.passed})`;
  }
  return `tests ${state === 'failed' ? 'failed' : 'were stopped'}${words === '' ? '' : ` (${words})`}`;
}
