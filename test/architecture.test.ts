import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { root } from './rig.js';

/** Floors from the ground up: a file may import from its own floor and those below. */
const floors = ['core', 'view', 'services', 'demo', 'store', 'headless', 'page', 'app', 'commands'];
/** Floors that must not know each other although one lies above. */
const forbidden: Record<string, readonly string[]> = {
  store: ['services', 'demo'],
  headless: ['services', 'demo'],
  page: ['services', 'demo', 'store'],
  app: ['services', 'demo'],
  build: [],
};

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? sources(file) : /\.tsx?$/.test(entry.name) ? [file] : [];
  });
}

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    (match) => match[1] as string,
  );
}

const source = path.join(root, 'source');
const files = sources(source).filter((file) => !file.includes(`${path.sep}build${path.sep}`));
const floorOf = (file: string) => path.relative(source, file).split(path.sep)[0] as string;

test('imports point down only', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const own = floors.indexOf(floorOf(file));
    expect(own, file).toBeGreaterThanOrEqual(0);
    for (const name of imports(file).filter((one) => one.startsWith('.'))) {
      const target = floorOf(path.resolve(path.dirname(file), name));
      const allowed = floors.indexOf(target) <= own && !forbidden[floorOf(file)]?.includes(target);
      if (!allowed) wrong.push(`${path.relative(source, file)} imports ${name}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('no files import each other in a circle, types neither', () => {
  const target = (file: string, name: string) => {
    const base = path.resolve(path.dirname(file), name).replace(/\.js$/, '');
    return files.find((one) => one === `${base}.ts` || one === `${base}.tsx`);
  };
  const targets = new Map(
    files.map((file) => [
      file,
      imports(file).flatMap((name) => (name.startsWith('.') ? (target(file, name) ?? []) : [])),
    ]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) {
      const circle = [...way.slice(at), file].map((one) => path.relative(source, one));
      circles.push(circle.join(' -> '));
      return;
    }
    if (done.has(file)) return;
    for (const next of targets.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

test('core is pure: no Node, no React, no clock, no randomness', () => {
  const wrong = files
    .filter((file) => floorOf(file) === 'core')
    .filter(
      (file) =>
        imports(file).some((name) => name.startsWith('node:') || /^(react|ink)/.test(name)) ||
        /Date\.now|new Date\(\)|Math\.random|\bBuffer\.|\bprocess\.(env|argv|cwd|exit|stdout|stderr|pid|kill)\b/.test(
          readFileSync(file, 'utf8'),
        ),
    );
  expect(wrong).toEqual([]);
});

test('no component writes to the terminal itself', () => {
  const terminal = path.join('app', 'terminal');
  const wrong = files
    .filter((file) => floorOf(file) === 'app' && !file.includes(terminal))
    .filter((file) => /process\.(stdout|stderr|stdin)|console\./.test(readFileSync(file, 'utf8')));
  expect(wrong).toEqual([]);
});

test('only one file knows the Gemini library, and one folder node-pty and the emulator', () => {
  const users = (library: string) =>
    files
      .filter((file) => imports(file).some((name) => name.startsWith(library)))
      .map((file) => path.relative(source, file));
  expect(users('node-pty')).toEqual([path.join('services', 'pty', 'pty-process.ts')]);
  expect(users('#xterm')).toEqual([
    path.join('services', 'pty', 'emulator-rows.ts'),
    path.join('services', 'pty', 'emulator-text.ts'),
    path.join('services', 'pty', 'emulator.ts'),
    path.join('services', 'pty', 'held-rows.ts'),
    path.join('services', 'pty', 'packed-screen.ts'),
    path.join('services', 'pty', 'picture-row.ts'),
  ]);
  expect(
    users('@google/generative-ai').every((file) =>
      file.startsWith(path.join('services', 'gemini')),
    ),
  ).toBe(true);
});

test('a catch names what it expects', () => {
  // Where anything that goes wrong comes to the same: an emulator, a terminal that is gone, an error being told.
  const anything = ['app/terminal/session.ts', 'services/pty/emulator.ts', 'commands/crash.ts'];
  const wrong = files
    .filter((file) => /catch \{/.test(readFileSync(file, 'utf8')))
    .map((file) => path.relative(source, file));
  expect(wrong.filter((file) => !anything.includes(file))).toEqual([]);
});

test('one file reads and changes the environment', () => {
  // The simulated agent is a program of its own.
  const own = ['services/machine/environment.ts', 'services/simulated/agent.ts'];
  const wrong = files
    .filter((file) => /process\.env\b/.test(readFileSync(file, 'utf8')))
    .map((file) => path.relative(source, file))
    .filter((name) => !own.includes(name));
  expect(wrong).toEqual([]);
});

test('core knows no agent by its name', () => {
  const known = /\b(?:aider_|message_send|litellm|analytics|edit block|SEARCH)/i;
  const wrong = files
    // How models are named, and which variable holds a key, is LiteLLM's.
    .filter((file) => floorOf(file) === 'core' && !file.endsWith('providers.ts'))
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          known.test(line.replaceAll('.aider_logs', ''))
            ? [`${path.relative(source, file)}:${index + 1} ${line.trim()}`]
            : [],
        ),
    );
  expect(wrong).toEqual([]);
});

test('no switch over a union has a default that would hide a new case', () => {
  const config = ts.getParsedCommandLineOfConfigFile(
    path.join(root, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  );
  const program = ts.createProgram(config?.fileNames ?? [], config?.options ?? {});
  const checker = program.getTypeChecker();
  let seen = 0;
  const wrong: string[] = [];
  const visit = (node: ts.Node, file: ts.SourceFile): void => {
    if (ts.isSwitchStatement(node)) {
      const type = checker.getTypeAtLocation(node.expression);
      const isUnion =
        type.isUnion() && type.types.every((one) => one.flags & ts.TypeFlags.StringLiteral);
      const clause = node.caseBlock.clauses.find(ts.isDefaultClause);
      if (isUnion) seen += 1;
      if (isUnion && clause && !clause.getText(file).includes('unreachable(')) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
        wrong.push(`${path.relative(source, file.fileName)}:${line + 1}`);
      }
    }
    ts.forEachChild(node, (child) => visit(child, file));
  };
  for (const name of files) {
    const file = program.getSourceFile(name);
    if (file) visit(file, file);
  }
  expect(seen).toBeGreaterThan(25);
  expect(wrong).toEqual([]);
});

test('a file that is longer than 300 lines says why, and no other', () => {
  const silent = files.filter((file) => {
    const text = readFileSync(file, 'utf8');
    const isLong = text.split('\n').length > 301;
    return isLong !== text.startsWith('// Longer than 300 lines: ');
  });
  expect(silent.map((file) => path.relative(source, file))).toEqual([]);
});

test('tests lie as the source lies, but for those of the whole', () => {
  // The app, the built program, runs of real Aider, and generated ones.
  const whole = ['whole-app', 'cli', 'aider', 'generated'];
  const tests = sources(path.join(root, 'test'))
    .map((file) => path.relative(path.join(root, 'test'), file))
    .filter((file) => /\.test\.tsx?$/.test(file) && file.includes(path.sep))
    .filter((file) => !whole.includes(file.split(path.sep)[0] ?? ''));
  const known = new Set(
    sources(source).map((file) => path.relative(source, file).replace(/\.tsx?$/, '')),
  );
  expect(tests.length).toBeGreaterThan(50);
  expect(tests.filter((file) => !known.has(file.replace(/\.test\.tsx?$/, '')))).toEqual([]);
});

test('benchmarks run by themselves: nothing that they import needs the test runner', () => {
  const here = path.join(root, 'test');
  const reached = new Map<string, string>();
  const visit = (file: string, by: string): void => {
    if (reached.has(file)) return;
    reached.set(file, by);
    for (const name of imports(file).filter((one) => one.startsWith('.'))) {
      const base = path.resolve(path.dirname(file), name).replace(/\.js$/, '');
      const target = [`${base}.ts`, `${base}.tsx`].find((one) => existsSync(one));
      if (target?.startsWith(here)) visit(target, path.relative(root, file));
    }
  };
  for (const file of sources(path.join(here, 'bench'))) visit(file, '');
  const wrong = [...reached]
    .filter(([file]) => imports(file).includes('vitest'))
    .map(([file, by]) => `${path.relative(root, file)}, imported by ${by}`);
  expect(wrong).toEqual([]);
});
