import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { type BuildOptions, build, context } from 'esbuild';
import { checkLazyModules } from './lazy-modules.js';
import { lean } from './lean.js';
import { licencesOf } from './licences.js';
import { copyIcon, pageOptions } from './page.js';

/**
 * Bundles the program into `dist`: a hundred files that are looked up one by one would make its start
 * three times as long. What is loaded only now and then, such as the screen, stays a file of its own.
 */
const options = {
  entryPoints: ['cli.tsx', 'source/services/simulated/agent.ts'],
  outdir: 'dist',
  outbase: '.',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  jsx: 'automatic',
  // It brings a native module.
  external: ['node-pty'],
  // The build of React that neither checks nor keeps what only developers need.
  define: { 'process.env.NODE_ENV': '"production"' },
  // Bundled CommonJS modules ask for Node's own ones this way.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  // Half of the bytes to read, and names stay as they are in what goes wrong.
  minifyWhitespace: true,
  minifySyntax: true,
  plugins: [lean],
  // All licences are in one file.
  legalComments: 'none',
  // For the positions of internal errors; without the sources themselves, which the package has not.
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions;
if (process.argv.includes('--watch')) {
  await (await context({ ...options, logLevel: 'info' })).watch();
  // It goes on until it is ended.
  await new Promise(() => {});
}
const { metafile } = await build(options);
checkLazyModules(metafile, process.cwd());
const page = await build(pageOptions);
copyIcon();
const outputs = { ...metafile.outputs, ...page.metafile.outputs };
writeFileSync('dist/LICENCES.txt', licencesOf({ ...metafile, outputs }, process.cwd()));
// Other interpreters and threads are given these as files.
for (const file of [
  'source/services/agents/aider/aider_start.py',
  'source/services/agents/aider/fork_server.py',
  'source/services/pty/recording-worker.mjs',
]) {
  copyFileSync(file, `dist/${file}`);
}
chmodSync('dist/cli.js', 0o755);
