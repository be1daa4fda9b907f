import path from 'node:path';
import { defineConfig } from 'vitest/config';
import SlowFirst from './setup/slow-first.js';

export default defineConfig({
  root: path.resolve(import.meta.dirname, '..'),
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    globalSetup: ['test/setup/find-aider.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    pool: 'forks',
    reporters: ['default', './test/setup/closing-line.ts'],
  },
});
