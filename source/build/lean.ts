import { readFileSync } from 'node:fs';
import path from 'node:path';
import { applyPatch, parsePatch } from 'diff';
import type { Plugin } from 'esbuild';

/** Modules that libraries ask for, and ours in their places: what a library does that only costs time. */
const standIns: readonly {
  readonly asked: RegExp;
  /** Who asks, by a part of its path; anybody where it is not given. */
  readonly by?: string;
  readonly module: string;
}[] = [
  { asked: /^string-width$/, module: 'string-width' },
  { asked: /^slice-ansi$/, module: 'slice-ansi' },
  { asked: /^marked$/, module: 'marked' },
  { asked: /\/binaries\/yoga-wasm-base64-esm\.js$/, module: 'yoga-binary' },
  { asked: /^\.\/devtools\.js$/, by: '/ink/build/', module: 'no-devtools' },
];

/** Where no module can stand in: a readable patch, with its reason. */
const patches = [{ file: /\/meow\/build\/dependencies\.js$/, patch: 'meow.patch' }] as const;

const folder = path.resolve('source/build');

const yogaBinary = path.resolve('node_modules/yoga-layout/dist/binaries/yoga-wasm-base64-esm.js');

/** Takes out of bundled libraries what only costs time. Fails where a new version has changed it. */
export const lean: Plugin = {
  name: 'lean',
  setup: (build) => {
    for (const { asked, by = '', module } of standIns) {
      const standIn = path.join(folder, 'stand-ins', `${module}.ts`);
      build.onResolve({ filter: asked }, ({ importer }) =>
        importer !== standIn && importer.includes(by) ? { path: standIn } : null,
      );
    }
    build.onResolve({ filter: /^original-yoga-binary$/ }, () => ({ path: yogaBinary }));
    for (const { file, patch } of patches) {
      const [parsed] = parsePatch(readFileSync(path.join(folder, 'patches', patch), 'utf8'));
      build.onLoad({ filter: file }, ({ path: file }) => {
        const contents = parsed && applyPatch(readFileSync(file, 'utf8'), parsed);
        if (!contents) throw new Error(`${patch} does not fit ${file}`);
        return { contents, loader: 'js' };
      });
    }
    // Each `new Intl.Segmenter` of the bundle.
    build.initialOptions.inject = [path.join(folder, 'stand-ins/lazy-segmenter.ts')];
    build.initialOptions.define = {
      ...build.initialOptions.define,
      'Intl.Segmenter': 'LazySegmenter',
    };
  },
};
