import sax from 'sax';
import type { TestReport } from '../../core/policy/test-run.js';

/** Names are longer only by mistake, characters. */
const longestName = 300;

/** Of an attribute, such as the message of a failure, so much is read; a longer one ends the report. */
(sax as { MAX_BUFFER_LENGTH?: number }).MAX_BUFFER_LENGTH = 16 * 1024 * 1024;

/** More tests than this are not told apart. */
const mostTests = 50_000;

class NoReport extends Error {}

type State = 'passed' | 'failed' | 'skipped';

/** Puts the tests of several reports together; one that failed anywhere has failed. */
export class ReportReader {
  private readonly tests = new Map<string, State>();

  /**
   * Reads a JUnit XML report, as vitest, jest, pytest, node, gotestsum, nextest and Maven write it: there is no
   * standard, so only what they have in common counts (`testcase` with `classname` and `name`, and in it `failure`,
   * `error` or `skipped`).
   * @param root where the tests ran: what lies below it is named from there, wherever that is
   * @returns whether it is one, to its end
   */
  read(text: string, root: string): boolean {
    const parser = sax.parser(true, { trim: false });
    const suites: string[] = [];
    const found = new Map<string, State>();
    let name: string | null = null;
    let state: State = 'passed';
    let isReport = false;
    parser.onopentag = ({ name: tag, attributes }) => {
      const value = (key: string) => String(attributes[key] ?? '').trim();
      if (tag === 'testsuites' || tag === 'testsuite') {
        isReport = true;
        suites.push(value('name'));
      } else if (tag === 'testcase') {
        isReport = true;
        name = nameOf(groupsOf(value('file'), value('classname'), suites), value('name'), root);
        state = 'passed';
      } else if (name !== null && (tag === 'failure' || tag === 'error')) state = 'failed';
      else if (name !== null && tag === 'skipped' && state === 'passed') state = 'skipped';
    };
    parser.onclosetag = (tag) => {
      if (tag === 'testsuites' || tag === 'testsuite') suites.pop();
      if (tag !== 'testcase' || name === null) return;
      if (found.size < mostTests || found.has(name)) found.set(name, worse(found.get(name), state));
      name = null;
    };
    // It would go on, with an error for each of what may be millions of characters.
    parser.onerror = () => {
      throw new NoReport();
    };
    try {
      parser.write(text.replace(/^\ufeff/, '')).close();
    } catch (error) {
      if (error instanceof NoReport) return false;
      throw error;
    }
    if (!isReport) return false;
    for (const [test, said] of found) this.tests.set(test, worse(this.tests.get(test), said));
    return true;
  }

  /** Null where no test was told of. */
  report(): TestReport | null {
    if (this.tests.size === 0) return null;
    const of = (wanted: State) =>
      [...this.tests].flatMap(([name, state]) => (state === wanted ? [name] : []));
    const passed = of('passed');
    return {
      passed: passed.length,
      skipped: of('skipped').length,
      failed: of('failed'),
      passedNames: passed,
    };
  }
}

function worse(before: State | undefined, now: State): State {
  if (before === 'failed' || now === 'failed') return 'failed';
  return before === 'passed' ? 'passed' : now;
}

/** Node calls each class `test`, and tells where a test stands by the suites around it. */
function groupsOf(file: string, classname: string, suites: readonly string[]): string[] {
  if (classname !== '' && classname !== 'test' && classname !== 'suite') return [classname];
  return [file, ...suites].filter((name) => name !== '');
}

function nameOf(groups: readonly string[], test: string, root: string): string {
  const parts = [...groups.filter((group) => group !== test), test];
  const name = parts.join(' > ').replaceAll(`${root}/`, '');
  return name.replace(/\s+/g, ' ').slice(0, longestName);
}
