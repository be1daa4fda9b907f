import { expect, onTestFinished } from 'vitest';
import { patience } from '../eventually.js';
import { type HarnessOptions, PlayedApp } from './played.js';

export * from './played.js';

/** The application in a test, which it ends with. */
export class Harness extends PlayedApp {
  constructor(options: HarnessOptions = {}) {
    super(options);
    onTestFinished(() => this.host.close());
  }

  /** Waits until the screen shows something. */
  async shows(pattern: RegExp | string): Promise<void> {
    await expect
      .poll(
        async () => {
          await this.settle();
          return this.text();
        },
        { timeout: patience, interval: 5 },
      )
      .toMatch(pattern);
  }

  async press(keys: string, pattern: RegExp | string): Promise<void> {
    this.type(keys);
    await this.shows(pattern);
  }
}
