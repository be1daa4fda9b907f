import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Plugin } from 'esbuild';
import { xtermSwaps } from './xterm-edits.js';

/** What a library does that this program has no use for. */
interface Edit {
  readonly file: RegExp;
  /** What is replaced, and by what; each stands there once. */
  readonly swaps: readonly (readonly [from: string, to: string])[];
}

const edits: readonly Edit[] = [
  {
    // Meow loads npm's normalisation of package.json, 40 ms, and gets nothing from us to normalise.
    file: /\/meow\/build\/dependencies\.js$/,
    swaps: [
      [
        'var normalizeExports = requireNormalize();\nconst normalizePackageData = getDefaultExportFromCjs(normalizeExports);\n',
        'const normalizePackageData = () => {};\n',
      ],
    ],
  },
  {
    // Yoga fetches its own data: URL, for which Node loads its HTTP client, 40 ms. Without fetch it decodes it.
    file: /\/yoga-layout\/dist\/binaries\/yoga-wasm-base64-esm\.js$/,
    swaps: [['"function"!=typeof fetch?Promise.resolve()', 'true?Promise.resolve()']],
  },
  {
    // The first segmenter takes 15 ms, and most texts need none.
    file: /\/@alcalzone\/ansi-tokenize\/build\/tokenize\.js$/,
    swaps: [
      [
        'const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });',
        'let made; const segmenter = { segment: (text) => (made ??= new Intl.Segmenter()).segment(text) };',
      ],
    ],
  },
  { file: /\/@xterm\/headless\/lib-headless\/xterm-headless\.js$/, swaps: xtermSwaps },
];

/**
 * Libraries that build tables when they are loaded, and stand-ins that load them when they are first
 * called. In a bundle `require` of such a module runs it then, and not before.
 */
const lazy: Readonly<Record<string, string>> = {
  // 40 ms. Most texts need none of its tables.
  'string-width': `
    import { plainNarrow, withoutStyles } from './source/core/text/plain-width.js';
    export default function stringWidth(text, options) {
      if (!options && typeof text === 'string') {
        const bare = withoutStyles(text);
        if (plainNarrow.test(bare)) return bare.length;
      }
      return require('string-width').default(text, options);
    }`,
  // 10 ms each. The first frame cuts nothing, and shows no Markdown.
  'slice-ansi': `export default (...given) => require('slice-ansi').default(...given);`,
  marked: `export const Lexer = { lex: (text) => require('marked').Lexer.lex(text) };`,
};

function standIn(name: string): string {
  return path.resolve('source/build/stand-ins', `${name}.ts`);
}

/** Takes out of bundled libraries what only costs time. Fails where a new version has changed it. */
export const lean: Plugin = {
  name: 'lean',
  setup: (build) => {
    for (const { file, swaps } of edits) {
      build.onLoad({ filter: file }, ({ path: file }) => {
        let contents = readFileSync(file, 'utf8');
        for (const [from, to] of swaps) {
          const parts = contents.split(from);
          if (parts.length !== 2) throw new Error(`${file} has changed: look at lean.ts`);
          contents = parts.join(to);
        }
        return { contents, loader: 'js' };
      });
    }
    build.onResolve({ filter: /^\.\/devtools\.js$/ }, ({ importer }) =>
      importer.includes('/ink/build/') ? { path: standIn('no-devtools') } : null,
    );
    const names = new RegExp(`^(${Object.keys(lazy).join('|')})$`);
    build.onResolve({ filter: names }, ({ path: name, namespace }) =>
      namespace === 'lazy' ? null : { path: name, namespace: 'lazy' },
    );
    build.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path: name }) => ({
      contents: lazy[name] as string,
      resolveDir: process.cwd(),
    }));
  },
};
