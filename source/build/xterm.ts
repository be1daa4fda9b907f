import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { applyPatch, parsePatch } from 'diff';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../..');
const own = path.join(root, 'source/services/pty/xterm');
const out = path.join(root, '.build/xterm');

/**
 * Compiles the terminal emulator from xterm.js' sources with our patches into `.build/xterm`, where `#xterm` of
 * package.json finds it: the same one for development, tests and the bundle.
 * @throws naming the patch that fits the sources no more
 */
export async function buildXterm(): Promise<void> {
  const sources = path.join(out, 'src');
  rmSync(sources, { recursive: true, force: true });
  mkdirSync(sources, { recursive: true });
  const packages = path.join(root, 'node_modules/@xterm');
  for (const [from, to] of [
    ['xterm/src/common', 'common'],
    ['xterm/src/vs', 'vs'],
    ['addon-unicode11/src', 'unicode11'],
  ] as const) {
    cpSync(path.join(packages, from), path.join(sources, to), { recursive: true });
  }
  for (const name of readdirSync(path.join(own, 'patches')).sort()) applyTo(sources, name);
  await build({
    entryPoints: [path.join(own, 'headless-terminal.ts')],
    outfile: path.join(out, 'xterm.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    tsconfig: path.join(own, 'tsconfig.json'),
    minifySyntax: true,
    sourcemap: 'linked',
    logLevel: 'warning',
  });
}

function applyTo(sources: string, name: string): void {
  for (const patch of parsePatch(readFileSync(path.join(own, 'patches', name), 'utf8'))) {
    const file = path.join(sources, (patch.oldFileName ?? '').replace(/^a\/src\//, ''));
    const patched = applyPatch(readFileSync(file, 'utf8'), patch);
    if (patched === false) throw new Error(`${name} does not fit ${file}`);
    writeFileSync(file, patched);
  }
}

// Vitest's setup calls it by itself.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildXterm();
