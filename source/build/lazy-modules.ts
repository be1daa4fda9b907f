import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Metafile } from 'esbuild';
import ts from 'typescript';

/** One `await import(…)` of the sources, and the names that are taken from what it gives. */
interface LazyImport {
  readonly file: string;
  readonly specifier: string;
  readonly names: readonly string[];
}

/** Finds each dynamic import of a source file. Throws where what is taken from it cannot be told. */
export function lazyImports(file: string): LazyImport[] {
  const text = readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: LazyImport[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (!argument || !ts.isStringLiteral(argument))
        throw new Error(`${file}: import of a variable`);
      found.push({ file, specifier: argument.text, names: namesTaken(node, file) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `const { a, b } = await import(…)` or `(await import(…)).a`. */
function namesTaken(call: ts.CallExpression, file: string): string[] {
  let node: ts.Node = call.parent;
  while (ts.isAwaitExpression(node) || ts.isParenthesizedExpression(node)) node = node.parent;
  if (ts.isPropertyAccessExpression(node)) return [node.name.text];
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name)) {
    return node.name.elements.map((element) => (element.propertyName ?? element.name).getText());
  }
  throw new Error(`${file}: what is taken from ${call.getText()} cannot be told`);
}

/**
 * Holds the bundle against the sources: each lazily loaded module gives what is taken from it. A CommonJS
 * package, for one, gives nothing but `default`, without a word from the type checker.
 * @throws naming each name that is missing
 */
export function checkLazyModules(meta: Metafile, root: string): number {
  const missing: string[] = [];
  let checked = 0;
  for (const [input, { imports }] of Object.entries(meta.inputs)) {
    if (!/^(cli\.tsx|source\/)/.test(input)) continue;
    const targets = imports.filter(({ kind }) => kind === 'dynamic-import');
    if (targets.length === 0) continue;
    for (const { specifier, names } of lazyImports(path.join(root, input))) {
      if (specifier.startsWith('node:')) continue;
      const target = targets.find(({ original }) => original === specifier);
      const output = Object.values(meta.outputs).find(
        ({ entryPoint }) => entryPoint !== undefined && entryPoint === target?.path,
      );
      for (const name of names) {
        checked += 1;
        if (output?.exports.includes(name)) continue;
        missing.push(
          `${input} takes ${name} from ${specifier}, which gives ${output?.exports.join(', ') ?? 'nothing'}`,
        );
      }
    }
  }
  if (missing.length > 0)
    throw new Error(`The bundle lacks what is loaded lazily:\n${missing.join('\n')}`);
  return checked;
}
