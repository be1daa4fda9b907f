import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  brokenTests,
  changeWords,
  isAccepted,
  isNamed,
  namesOf,
  ruleOf,
  stateOfNamed,
  testsNamedIn,
  withoutNames,
} from '../../../source/core/policy/test-report.js';
import type { TestRun } from '../../../source/core/policy/test-run.js';
import { askForReport } from '../../../source/core/policy/test-runners.js';

const green: TestRun = { state: 'passed', words: '', output: '', ms: 5, flaky: false };
const red: TestRun = { ...green, state: 'failed', words: 'exit code 1' };
const told = (failed: readonly string[], passed: readonly string[]): TestRun => ({
  ...(failed.length > 0 ? red : green),
  report: { failed, passed: passed.length, skipped: 0, passedNames: passed },
});

describe('work is held against what the tests said of the base', () => {
  test('the rule is by the base, what was wanted of it, and whether there are reports', () => {
    expect(ruleOf({ base: green, redBase: 'report' })).toBe('pass');
    expect(ruleOf({ base: red, redBase: 'fix' })).toBe('report');
    expect(ruleOf({ base: told(['a'], []), redBase: 'fix' })).toBe('no_worse');
    expect(ruleOf({ base: told(['a'], []), redBase: 'report' })).toBe('report');
    expect(ruleOf({ base: null, redBase: 'fix' })).toBe('report');
  });

  test('no worse: exactly when no test that passed fails, and the suite loads', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
    fc.assert(
      fc.property(names, names, names, (was, failing, passing) => {
        const base = told(['x'], was);
        const now = told(
          failing,
          passing.filter((name) => !failing.includes(name)),
        );
        const measure = { base, redBase: 'fix' } as const;
        const broken = failing.filter((name) => was.includes(name));
        expect(brokenTests(measure, now)).toEqual(broken);
        expect(isAccepted(measure, now)).toBe(now.state === 'passed' || broken.length === 0);
      }),
    );
    const nothing = { ...red, report: { failed: [], passed: 0, skipped: 0, passedNames: [] } };
    expect(isAccepted({ base: told(['x'], ['a']), redBase: 'fix' }, nothing)).toBe(false);
    expect(isAccepted({ base: told(['x'], ['a']), redBase: 'fix' }, red)).toBe(false);
    expect(isAccepted({ base: green, redBase: 'fix' }, told(['x'], ['a']))).toBe(false);
  });

  test('what has changed, in words', () => {
    expect(changeWords(told(['a', 'b'], []), told([], ['a', 'b']))).toBe('2 fail → 0 fail');
    expect(changeWords(red, green)).toBe(null);
    expect(namesOf(Array.from({ length: 10 }, (_, n) => `t${n}`))).toMatch(/t7; and 2 more$/);
  });
});

describe('runners are asked for a report', () => {
  const ask = (command: string, script: string | null = null) =>
    askForReport(command, script, '/t/r.xml')?.command ?? null;

  test.each([
    ['pytest -q', 'pytest -q --junitxml=/t/r.xml'],
    ['python3 -m pytest tests', 'python3 -m pytest tests --junitxml=/t/r.xml'],
    [
      'npx vitest run',
      'npx vitest run --reporter=default --reporter=junit --outputFile.junit=/t/r.xml',
    ],
    ['gotestsum ./...', 'gotestsum --junitfile /t/r.xml ./...'],
  ])('%s', (command, asked) => {
    expect(ask(command)).toBe(asked);
  });

  test('node before its files; npm test by what its script runs', () => {
    const node = ask('node --test test/a.js');
    expect(node).toMatch(/^node --test-reporter=spec .*destination=\/t\/r.xml --test test\/a.js$/);
    expect(ask('npm test', 'node --test')).toMatch(/^npm test -- --test-reporter=spec /);
    expect(ask('npm test', 'node --test test/')).toBe(null);
    expect(ask('npm run test', 'vitest run')).toMatch(/^npm run test -- --reporter=default/);
    expect(ask('npm test', 'jest')).toBe(null);
  });

  test.each([
    'pytest | tee log',
    'pytest && echo ok',
    'pytest > out.txt',
    'pytest "a b"',
    'FOO=1 pytest',
    'make test',
    'pytest2 x',
  ])('not where the command is not plain, or not known: %s', (command) => {
    expect(ask(command)).toBe(null);
  });

  test('build tools that write reports unasked are read where they lie', () => {
    expect(askForReport('./mvnw -q test', null, '/t/r.xml')).toEqual({
      command: './mvnw -q test',
      glob: '**/target/surefire-reports/TEST-*.xml',
    });
  });
});

describe('tests that a criterion points at', () => {
  test.each([
    ['Dates are read (test: reads dates)', ['reads dates']],
    ['Dates are read (tests: reads dates; `refuses others`).', ['reads dates', 'refuses others']],
    ['Dates (in test: mode) are read', []],
    ['Dates are read', []],
    ['(test: )', []],
  ])('%s', (text, names) => {
    expect(testsNamedIn(text)).toEqual(names);
  });

  test('are found by their names, also behind those of their suites; never by a part of a word', () => {
    expect(isNamed('reads dates', 'reads dates')).toBe(true);
    expect(isNamed('forms > reads dates', 'reads dates')).toBe(true);
    expect(isNamed('test_forms.py::test_reads', 'test_reads')).toBe(true);
    expect(isNamed('misreads dates', 'reads dates')).toBe(false);
    expect(isNamed('reads dates twice', 'reads dates')).toBe(false);
  });

  test('say what they do: one that nobody ran is not passed', () => {
    const testRun: TestRun = {
      state: 'failed',
      words: '',
      output: '',
      ms: 1,
      flaky: false,
      report: { passed: 3, skipped: 0, failed: ['b'], passedNames: ['a', 'c', 'd'] },
    };
    const kept = withoutNames(testRun, ['a', 'b', 'x']);
    expect(kept.report?.passedNames).toEqual(['a']);
    expect(['a', 'b', 'x'].map((name) => stateOfNamed(kept, name))).toEqual([
      'passes',
      'fails',
      'not run',
    ]);
    expect(withoutNames(testRun).report?.passedNames).toBe(null);
    expect(stateOfNamed(null, 'a')).toBe('not run');
  });
});
