import path from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * What needs neither Aider nor a build, and is done in seconds: the core, and the parts of the screen. Prints what of
 * them is covered.
 */
export default defineConfig({
  root: path.resolve(import.meta.dirname, '..'),
  test: {
    include: ['test/{core,view,app,build}/**/*.test.{ts,tsx}'],
    exclude: [
      // Readers before megabytes of text: a minute.
      'test/core/text/linear.test.ts',
      // They look at the built program.
      'test/build/lazy-modules.test.ts',
    ],
    testTimeout: 60_000,
    pool: 'forks',
    reporters: ['default', './test/setup/closing-line.ts'],
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['source/core/**', 'source/app/text/**', 'source/view/**', 'source/headless/**'],
      reporter: ['text-summary'],
    },
  },
});
