import { shellWord } from '../text/shell-word.js';

/**
 * How test runners are asked for a JUnit report. Only a plain command is changed: one program with its arguments,
 * no pipes, quotes or variables, so that what is added means the same wherever it stands.
 */
const runners: readonly {
  readonly pattern: RegExp;
  readonly ask: (command: string, file: string) => string;
}[] = [
  {
    // https://docs.pytest.org/en/stable/how-to/output.html
    pattern: /^(?:\S*python[\d.]* -m )?(?:\S*\/)?pytest(?: |$)/,
    ask: (command, file) => `${command} --junitxml=${file}`,
  },
  {
    // https://vitest.dev/guide/reporters
    pattern: /^(?:npx |pnpm |yarn )?(?:\S*\/)?vitest run(?: |$)/,
    ask: (command, file) =>
      `${command} --reporter=default --reporter=junit --outputFile.junit=${file}`,
  },
  {
    // Options have to stand before the files: https://nodejs.org/api/test.html#test-reporters
    pattern: /^(?:\S*\/)?node --test(?: |$)/,
    ask: (command, file) => command.replace('node --test', `node ${nodeReporters(file)} --test`),
  },
  {
    // https://github.com/gotestyourself/gotestsum
    pattern: /^(?:\S*\/)?gotestsum(?: |$)/,
    ask: (command, file) => command.replace('gotestsum', `gotestsum --junitfile ${file}`),
  },
];

/** Node's own reporter goes on, so that people and models read what they always read. */
function nodeReporters(file: string): string {
  return `--test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination=${file}`;
}

/** Reports that some build tools write unasked, by what the command begins with. */
const written: readonly { readonly pattern: RegExp; readonly glob: string }[] = [
  { pattern: /^(?:\.\/mvnw|mvn)(?: |$)/, glob: '**/target/surefire-reports/TEST-*.xml' },
  { pattern: /^(?:\.\/gradlew|gradle)(?: |$)/, glob: '**/build/test-results/**/TEST-*.xml' },
];

const plain = /^[\w@%+=:,./ -]+$/;

/** A command that runs the same tests and writes a report to a file, and where other reports come to lie. */
export interface Asked {
  readonly command: string;
  /** Null where the file is all. */
  readonly glob: string | null;
}

/**
 * Asks a runner that is known for a report.
 * @param script what the command runs where it is a package script (`npm test`); null when that is not known
 * @param file absolute path of the report to write
 * @returns null where the command is not plain, or its runner not known
 */
export function askForReport(command: string, script: string | null, file: string): Asked | null {
  const own = command.trim().replace(/ +/g, ' ');
  if (!plain.test(own)) return null;
  const quoted = shellWord(file);
  for (const { pattern, glob } of written) if (pattern.test(own)) return { command, glob };
  const direct = runners.find(({ pattern }) => pattern.test(own));
  if (direct) return { command: direct.ask(own, quoted), glob: null };
  // The script of a package, when all that follows `--` goes to its end.
  const inner = script?.trim().replace(/ +/g, ' ') ?? '';
  if (!/^(?:npm|pnpm) (?:run )?test$/.test(own) || !plain.test(inner)) return null;
  const runner = runners.find(({ pattern }) => pattern.test(inner));
  if (!runner) return null;
  // Behind files Node would take its options for files too.
  if (/node --test/.test(inner) && inner !== 'node --test') return null;
  if (inner === 'node --test') return { command: `${own} -- ${nodeReporters(quoted)}`, glob: null };
  if (/gotestsum/.test(inner)) return null;
  const asked = runner.ask(inner, quoted);
  return { command: `${own} --${asked.slice(inner.length)}`, glob: null };
}
