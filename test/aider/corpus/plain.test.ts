import { describe } from 'vitest';
import { testBatch } from './batch.js';
import { fenceRows } from './fences.js';
import { replyRows } from './replies.js';

describe('the corpus of failures, each Aider started anew', () => {
  testBatch({
    name: 'every sixth',
    maxFileMb: 0.04,
    flags: ['--max-iterations', '1', '--no-warm'],
    rows: [...replyRows, ...fenceRows].filter((_, index) => index % 6 === 0),
  });
});
