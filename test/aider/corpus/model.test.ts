import { describe } from 'vitest';
import { type Batch, testBatch } from './batch.js';
import { fenceRows } from './fences.js';
import { longRows, replyRows, wholeRows } from './replies.js';

const batches: readonly Batch[] = [
  { name: 'what a model replies', flags: ['--max-iterations', '1'], rows: replyRows },
  { name: 'what takes several responses', flags: ['--max-iterations', '4'], rows: longRows },
  {
    name: 'whole files',
    flags: ['--max-iterations', '1', '--model', 'openai/scripted'],
    rows: wholeRows,
  },
  {
    name: 'what a reply writes where it must not',
    // Aider draws a reply anew as it grows, so a large one takes it minutes.
    maxFileMb: 0.04,
    flags: ['--max-iterations', '1'],
    rows: fenceRows,
  },
];

describe('the corpus of failures, with real Aider: the model', () => {
  for (const batch of batches) testBatch(batch);
});
