import { describe } from 'vitest';
import { type Batch, testBatch } from './batch.js';
import { machineAider, machineRows, slowRows } from './machine.js';
import { providerRows } from './replies.js';

const batches: readonly Batch[] = [
  {
    name: 'what the provider does',
    // All at once: most of them wait for more than a minute, one after the other.
    flags: ['--max-iterations', '1', '--direct', '--max-agents', '8'],
    rows: providerRows,
  },
  {
    name: 'what the machine does',
    flags: ['--max-iterations', '1'],
    rows: machineRows,
    aider: (folder) => machineAider(machineRows, folder),
  },
  {
    name: 'what never ends',
    flags: ['--max-iterations', '1', '--timeout', '0.5', '--max-agents', '5'],
    rows: slowRows,
    aider: (folder) => machineAider(slowRows, folder),
  },
];

describe('the corpus of failures, with real Aider: provider and machine', () => {
  for (const batch of batches) testBatch(batch);
});
