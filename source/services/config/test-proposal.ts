import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseJson } from '../../core/text/parse-json.js';
import { unless, unreadable } from '../files/private-files.js';

export interface TestProposal {
  readonly command: string;
  /** The file it was taken from. */
  readonly from: string;
}

/** A manifest and the command its ecosystem runs the tests by; null when it has none. */
const manifests: readonly {
  readonly file: string;
  readonly command: (text: string, has: (file: string) => boolean) => string | null;
}[] = [
  { file: 'package.json', command: npmTest },
  { file: 'Cargo.toml', command: () => 'cargo test' },
  { file: 'go.mod', command: () => 'go test ./...' },
  { file: 'pytest.ini', command: () => 'python3 -m pytest' },
  { file: 'tox.ini', command: (text) => (/\[pytest\]/.test(text) ? 'python3 -m pytest' : 'tox') },
  {
    file: 'pyproject.toml',
    command: (text, has) => (/pytest/.test(text) || has('tests') ? 'python3 -m pytest' : null),
  },
  { file: 'setup.cfg', command: (text) => (/pytest/.test(text) ? 'python3 -m pytest' : null) },
  { file: 'pom.xml', command: (_, has) => (has('mvnw') ? './mvnw -q test' : 'mvn -q test') },
  {
    file: 'build.gradle',
    command: (_, has) => (has('gradlew') ? './gradlew test' : 'gradle test'),
  },
  {
    file: 'build.gradle.kts',
    command: (_, has) => (has('gradlew') ? './gradlew test' : 'gradle test'),
  },
  { file: 'mix.exs', command: () => 'mix test' },
  { file: 'Gemfile', command: (text) => (/rspec/.test(text) ? 'bundle exec rspec' : null) },
  { file: 'composer.json', command: (text) => (/"test"\s*:/.test(text) ? 'composer test' : null) },
  { file: 'Makefile', command: (text) => (/^test\s*:/m.test(text) ? 'make test' : null) },
];

function npmTest(text: string, has: (file: string) => boolean): string | null {
  const value = parseJson(text) as { scripts?: { test?: unknown } | null } | null | undefined;
  const test = value?.scripts?.test;
  // What `npm init` writes tells that there are none.
  if (typeof test !== 'string' || /no test specified/.test(test)) return null;
  if (has('pnpm-lock.yaml')) return 'pnpm test';
  if (has('yarn.lock')) return 'yarn test';
  return has('bun.lockb') || has('bun.lock') ? 'bun run test' : 'npm test';
}

/** How the tests of a project are probably run, by its manifests; to be confirmed by a person. */
export function proposeTest(folder: string): TestProposal | null {
  const has = (file: string) => existsSync(path.join(folder, file));
  for (const { file, command } of manifests) {
    if (!has(file)) continue;
    const text = unless(unreadable, null, () => readFileSync(path.join(folder, file), 'utf8'));
    if (text === null) continue;
    const found = command(text, has);
    if (found !== null) return { command: found, from: file };
  }
  return null;
}
