import type { TestProject } from 'vitest/node';
import { describe } from '../../source/core/policy/failure.js';
import { findAider } from '../../source/services/agents/aider/find-aider.js';
import { setupAider } from '../../source/services/agents/aider/setup-aider.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the real Aider; null where it cannot be installed. */
    aider: string | null;
    noAider: string;
  }
}

/** Real Aider is a must under CI; elsewhere the tests that need it are skipped when there is none. */
export default async function setup(project: TestProject): Promise<void> {
  const found = await findAider(null);
  if (found.ok) {
    project.provide('aider', found.value.command);
    project.provide('noAider', '');
    return;
  }
  console.log('Installing Aider for the tests (about a minute)...');
  const done = await setupAider(() => {});
  if (!done.ok && process.env['CI']) throw new Error(describe(done.failure).message);
  project.provide('aider', done.ok ? done.value.command : null);
  project.provide('noAider', done.ok ? '' : describe(done.failure).message);
}
