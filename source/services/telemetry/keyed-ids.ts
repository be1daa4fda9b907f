import { createHash } from 'node:crypto';
import type { IdGenerator } from '@opentelemetry/sdk-trace';

/**
 * The names of a run's spans in its trace: made of what they are, so that a later program that goes on with the run
 * adds to the same trace, and a part of it can be named before it is sent.
 */
export class KeyedIds implements IdGenerator {
  /** What is named next. */
  key = '';
  readonly trace: string;

  /** @param identity tells this run from all others, everywhere */
  constructor(private readonly identity: string) {
    this.trace = hex(`trace\n${identity}`, 32);
  }

  spanOf(key: string): string {
    return hex(`span\n${this.identity}\n${key}`, 16);
  }

  generateTraceId(): string {
    return this.trace;
  }

  generateSpanId(): string {
    return this.spanOf(this.key);
  }
}

function hex(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
