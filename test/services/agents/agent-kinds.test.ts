import { expect, test } from 'vitest';
import { agentSpec } from '../../../source/services/agents/agent-kinds.js';

test.each([
  [
    ['--api-key', 'openai=sk-1234'],
    ['--api-key', { secret: '--api-key' }],
  ],
  [
    ['--api-key=openai=sk-1234', '--no-stream'],
    [{ secret: '--api-key' }, '--no-stream'],
  ],
  [
    ['--anthropic-api-key', 'sk-1234'],
    ['--anthropic-api-key', { secret: '--anthropic-api-key' }],
  ],
  [
    ['--set-env', 'OPENAI_KEY=sk-1234'],
    ['--set-env', { secret: '--set-env' }],
  ],
  [
    ['--openai-api-k', 'sk-1234'],
    ['--openai-api-k', { secret: '--openai-api-k' }],
  ],
  [['--set-e=OPENAI_KEY=sk-1234'], [{ secret: '--set-e' }]],
  [
    ['--openai-api-base', 'https://me:sk-1234@host/v1'],
    ['--openai-api-base', { secret: '--openai-api-base' }],
  ],
  [['--message-x=AIzaSyD-sk-1234567890abcdefgh'], [{ secret: '--message-x' }]],
  [
    ['--edit-format', 'diff', '--timeout=5'],
    ['--edit-format', 'diff', '--timeout=5'],
  ],
])('of the arguments %j no secret is written down', (args, kept) => {
  const spec = agentSpec(null, { args, read: [], warm: true });
  expect(spec.args).toEqual(kept);
  expect(JSON.stringify(spec)).not.toContain('sk-1234');
});

test('what a run is made of stands in its configuration', () => {
  expect(agentSpec('my-agent', { args: [], read: ['docs/a.md'], warm: false })).toEqual({
    kind: 'command',
    name: 'the agent command',
    command: 'my-agent',
    takesOver: false,
    tellsCost: false,
    args: [],
    read: ['docs/a.md'],
    warm: false,
  });
});
