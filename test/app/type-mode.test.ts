import { expect, test } from 'vitest';
import { bytesForAgent } from '../../source/app/type-mode.js';

test('typed bytes are sent as the agent asked for them', () => {
  const plain = { bracketedPaste: false, applicationCursor: false };
  const paste = '\x1b[200~a\nb\x1b[201~';
  expect(bytesForAgent(paste, plain)).toBe('a\rb');
  expect(bytesForAgent(paste, { ...plain, bracketedPaste: true })).toBe(paste);
  expect(bytesForAgent('\x1b[A\x03', { ...plain, applicationCursor: true })).toBe('\x1bOA\x03');
});
