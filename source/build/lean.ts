import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

/** What a library does when it is loaded, that a program which starts often has no use for. */
interface Edit {
  readonly file: RegExp;
  readonly from: string;
  readonly to: string;
}

const edits: readonly Edit[] = [
  {
    // Meow loads npm's normalisation of package.json, 40 ms, and gets nothing from us to normalise.
    file: /\/meow\/build\/dependencies\.js$/,
    from: 'var normalizeExports = requireNormalize();\nconst normalizePackageData = getDefaultExportFromCjs(normalizeExports);\n',
    to: 'const normalizePackageData = () => {};\n',
  },
  {
    // Yoga fetches its own data: URL, for which Node loads its HTTP client, 40 ms. Without fetch it decodes it.
    file: /\/yoga-layout\/dist\/binaries\/yoga-wasm-base64-esm\.js$/,
    from: '"function"!=typeof fetch?Promise.resolve()',
    to: 'true?Promise.resolve()',
  },
  {
    // The first segmenter takes 15 ms, and most texts need none.
    file: /\/@alcalzone\/ansi-tokenize\/build\/tokenize\.js$/,
    from: 'const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });',
    to: 'let made; const segmenter = { segment: (text) => (made ??= new Intl.Segmenter()).segment(text) };',
  },
];

/**
 * Libraries that build tables when they are loaded, and stand-ins that load them when they are first
 * called. In a bundle `require` of such a module runs it then, and not before.
 */
const lazy: Readonly<Record<string, string>> = {
  // 40 ms. Most texts need none of its tables.
  'string-width': `
    import { plainNarrow, withoutStyles } from './source/core/plain-width.js';
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

/** Takes out of bundled libraries what only delays the start. Fails where a new version has changed it. */
export const lean: Plugin = {
  name: 'lean',
  setup: (build) => {
    for (const { file, from, to } of edits) {
      build.onLoad({ filter: file }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (text.split(from).length !== 2) throw new Error(`${path} has changed: look at lean.ts`);
        return { contents: text.replace(from, () => to), loader: 'js' };
      });
    }
    const names = new RegExp(`^(${Object.keys(lazy).join('|')})$`);
    build.onResolve({ filter: names }, ({ path, namespace }) =>
      namespace === 'lazy' ? null : { path, namespace: 'lazy' },
    );
    build.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: lazy[path] as string,
      resolveDir: process.cwd(),
    }));
  },
};
