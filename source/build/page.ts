import { copyFileSync } from 'node:fs';
import type { BuildOptions } from 'esbuild';

/** The page: for browsers, one file of code and one of style. */
export const pageOptions = {
  entryPoints: ['source/page/page.tsx', 'source/page/page.css'],
  outdir: 'dist/page',
  outbase: 'source/page',
  bundle: true,
  format: 'esm',
  platform: 'browser',
  // Browsers that know light-dark().
  target: ['chrome123', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  minify: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions;

export function copyIcon(): void {
  copyFileSync('source/page/icon.svg', 'dist/page/icon.svg');
}
