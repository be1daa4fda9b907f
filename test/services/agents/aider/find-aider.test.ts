import { expect, test } from 'vitest';
import { findAider } from '../../../../source/services/agents/aider/find-aider.js';

test('finding Aider: one that does not exist is named', async () => {
  const found = await findAider('/no/such/aider');
  expect(found).toMatchObject({
    ok: false,
    failure: { kind: 'aider', message: expect.stringContaining('/no/such/aider') },
  });
});
