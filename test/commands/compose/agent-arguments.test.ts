import { expect, test } from 'vitest';
import { givenAgain } from '../../../source/commands/compose/agent-arguments.js';
import { withoutSecrets } from '../../../source/services/agents/agent-kinds.js';

const first = ['--config', 'a.yml', '--openai-api-key', 'one', '--api-key=x=two', '--no-stream'];

test('what is written down of a key is its option, and its value is taken from what is given now', () => {
  const kept = withoutSecrets(first);
  expect(JSON.stringify(kept)).not.toMatch(/one|two/);
  expect(givenAgain(kept, first)).toEqual({ ok: true, value: first });
  // Given alone, in another order, and with others that the run had not.
  const now = ['--dark-mode', '--api-key=x=two', '--openai-api-key', 'one'];
  expect(givenAgain(kept, now)).toEqual({ ok: true, value: first });
});

test('the arguments are the run’s own, whatever else is given now', () => {
  expect(givenAgain(['--no-stream'], ['--stream'])).toEqual({ ok: true, value: ['--no-stream'] });
});

test('a key that is not given again is asked for, and none is said', () => {
  const asked = givenAgain(withoutSecrets(first), ['--openai-api-key', 'one']);
  expect(asked).toMatchObject({ ok: false, failure: { kind: 'usage' } });
  expect(JSON.stringify(asked)).toContain('--api-key');
  expect(JSON.stringify(asked)).not.toMatch(/one|two/);
});
