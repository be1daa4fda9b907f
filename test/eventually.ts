import { vi } from 'vitest';

/** How long a test waits for a state: long enough for a machine that is busy with other things. In ms. */
export const patience = 60_000;

/** Waits until an expectation holds; after {@link patience}, fails as it does. */
export function eventually<T>(expectation: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(expectation, { timeout: patience, interval: 10 });
}

/** Waits until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: patience, interval: 10 });
}
