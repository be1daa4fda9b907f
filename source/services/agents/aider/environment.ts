import { geminiKeyVariables, providerOf } from '../../../core/policy/providers.js';
import type { Identity } from '../../git/repository.js';
import { withoutGitVariables } from '../../git/run-git.js';
import { lookingElsewhere } from '../../machine/own-environment.js';
import { isCollectorSecret } from '../../telemetry/signals.js';

/** Set for every Aider: a plain terminal, no browser, no questions by git, no price download. */
const set: Readonly<Record<string, string>> = {
  TERM: 'xterm-256color',
  COLORTERM: 'truecolor',
  BROWSER: 'true',
  PROMPT_TOOLKIT_NO_CPR: '1',
  LITELLM_LOCAL_MODEL_COST_MAP: 'True',
  SHELL: '/bin/sh',
  GIT_TERMINAL_PROMPT: '0',
  GIT_EDITOR: 'true',
  PYTHONUTF8: '1',
};

const unset = [
  'NO_COLOR',
  'FORCE_COLOR',
  'COLUMNS',
  'LINES',
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_COMMON_DIR',
  'GIT_PREFIX',
  'TMUX',
  'TMUX_PANE',
  'STY',
];

/** Aider's own names for what the rest of the world knows under the plain ones. */
const aliases: Readonly<Record<string, string>> = {
  AIDER_OPENAI_API_KEY: 'OPENAI_API_KEY',
  AIDER_OPENAI_API_BASE: 'OPENAI_API_BASE',
  AIDER_ANTHROPIC_API_KEY: 'ANTHROPIC_API_KEY',
};

/**
 * The environment of an agent. Every `AIDER_*` variable is an option of Aider's and would change what
 * we ask for, so all are dropped (keys and the server's address are passed on under their plain names).
 * The Gemini key belongs to the planner, so only an agent whose model is Gemini's gets it.
 */
export function agentEnvironment(
  from: Readonly<Record<string, string | undefined>>,
  model: string,
  geminiKey: string | null,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(withoutGitVariables(from))) {
    if (value === undefined || unset.includes(name) || name.startsWith('AIDER_')) continue;
    if (isCollectorSecret(name)) continue;
    env[name] = value;
  }
  for (const [alias, name] of Object.entries(aliases)) {
    const value = from[alias];
    if (value && !env[name]) env[name] = value;
  }
  if (providerOf(model) === 'gemini') {
    if (geminiKey !== null) env['GEMINI_API_KEY'] = geminiKey;
  } else {
    for (const name of geminiKeyVariables) delete env[name];
  }
  return lookingElsewhere({ ...env, ...set });
}

/** Who commits, told to git as if it stood in a configuration, after what the caller has set in that way. */
export function identityVariables(
  env: Readonly<Record<string, string | undefined>>,
  { name, email }: Identity,
): Record<string, string> {
  const count = Number(env['GIT_CONFIG_COUNT'] ?? 0) || 0;
  return {
    GIT_CONFIG_COUNT: String(count + 2),
    [`GIT_CONFIG_KEY_${count}`]: 'user.name',
    [`GIT_CONFIG_VALUE_${count}`]: name,
    [`GIT_CONFIG_KEY_${count + 1}`]: 'user.email',
    [`GIT_CONFIG_VALUE_${count + 1}`]: email,
  };
}

/** `NO_PROXY` with the loopback, in both spellings, for programs that are led to a server of ours. */
export function exceptLoopback(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const given = [env['NO_PROXY'], env['no_proxy']].filter(Boolean).join(',').split(',');
  const names = [...given.map((name) => name.trim()).filter(Boolean), '127.0.0.1', 'localhost'];
  const list = [...new Set(names)].join(',');
  return { NO_PROXY: list, no_proxy: list };
}

/** The environment of a set-up command: the user's, without our caller's repository and the planner's key. */
export function setupEnvironment(
  from: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(from)) {
    const hidden =
      name.startsWith('GIT_') ||
      isCollectorSecret(name) ||
      (geminiKeyVariables as readonly string[]).includes(name);
    if (value !== undefined && !hidden) env[name] = value;
  }
  return env;
}
