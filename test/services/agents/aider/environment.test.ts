import { describe, expect, test } from 'vitest';
import { agentEnvironment } from '../../../../source/services/agents/aider/environment.js';

describe('the environment of an agent', () => {
  const env = {
    PATH: '/bin',
    HOME: '/h',
    GEMINI_API_KEY: 'g',
    GOOGLE_API_KEY: 'g2',
    NO_COLOR: '1',
    COLUMNS: '80',
    GIT_DIR: '/x',
    AIDER_AUTO_COMMITS: 'true',
    AIDER_OPENAI_API_KEY: 'k',
    OPENAI_API_BASE: 'b',
    TMUX: 't',
  };

  test('a plain terminal; no option of Aider comes in by the back door; keys under their plain names', () => {
    const made = agentEnvironment(env, 'gpt-4o', 'g');
    expect(made).toMatchObject({
      PATH: '/bin',
      HOME: '/h',
      TERM: 'xterm-256color',
      BROWSER: 'true',
      OPENAI_API_KEY: 'k',
      OPENAI_API_BASE: 'b',
    });
    for (const name of [
      'NO_COLOR',
      'COLUMNS',
      'GIT_DIR',
      'TMUX',
      'AIDER_AUTO_COMMITS',
      'AIDER_OPENAI_API_KEY',
      'GEMINI_API_KEY',
      'GOOGLE_API_KEY',
    ])
      expect(made).not.toHaveProperty(name);
  });

  test('the Gemini key goes to an agent whose model is Gemini alone', () => {
    expect(agentEnvironment(env, 'gemini/gemini-2.5-pro', 'from-flag')['GEMINI_API_KEY']).toBe(
      'from-flag',
    );
    expect(agentEnvironment({}, 'gpt-4o', 'from-flag')).not.toHaveProperty('GEMINI_API_KEY');
  });
});
