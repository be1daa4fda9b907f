import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Metafile } from 'esbuild';

interface Bundled {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly text: string;
}

/**
 * The licences of all packages of which something is in the bundle, as one text.
 * @throws where a package tells none: then it may not be shipped
 */
export function licencesOf(meta: Metafile, root: string): string {
  const folders = new Set<string>();
  for (const [output, { inputs }] of Object.entries(meta.outputs)) {
    if (output.endsWith('.map')) continue;
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      if (bytesInOutput > 0) for (const folder of packagesOf(input)) folders.add(folder);
    }
  }
  const all = [...folders].map((folder) => read(path.join(root, folder)));
  all.sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = all.map(
    ({ name, version, licence, text }) => `${name} ${version} (${licence})\n\n${text.trim()}\n`,
  );
  const rule = `\n${'-'.repeat(80)}\n\n`;
  return `Packages of others that are in this program, and their licences.\n${rule}${parts.join(rule)}`;
}

/** What the emulator is compiled from: `xterm.ts`. */
const xtermPackages = ['node_modules/@xterm/xterm', 'node_modules/@xterm/addon-unicode11'];

/** The folders of the packages that a bundled file is made of; none for a file of ours. */
function packagesOf(input: string): readonly string[] {
  if (input.startsWith('.build/xterm/')) return xtermPackages;
  // A stand-in of ours has the name of the package that it stands for in front.
  const file = input.replace(/^[\w-]+:/, '');
  const at = file.lastIndexOf('node_modules/');
  if (at < 0) return [];
  const parts = file.slice(at + 'node_modules/'.length).split('/');
  const name = parts.slice(0, parts[0]?.startsWith('@') ? 2 : 1).join('/');
  return [`${file.slice(0, at)}node_modules/${name}`];
}

function read(folder: string): Bundled {
  const { name, version, license } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  ) as { readonly name: string; readonly version: string; readonly license?: string };
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const file = files.find((one) => /^licen[cs]e(\.|-|$)/i.test(one));
  if (license === undefined) throw new Error(`${name} ${version} tells no licence`);
  // Meow is a bundle itself.
  const texts = [file, 'build/licenses.md'].flatMap((one) =>
    one !== undefined && existsSync(path.join(folder, one))
      ? [readFileSync(path.join(folder, one), 'utf8').trim()]
      : [],
  );
  const text =
    texts.length === 0
      ? `Licensed under ${license}; the package has no text of it.`
      : texts.join('\n\n');
  return { name, version, licence: license, text };
}
