import { environment } from '../../machine/environment.js';
import { agentEnvironment } from './environment.js';
import { type AiderLauncher, IsolatedLauncher, PlainLauncher } from './launcher.js';
import { WarmLauncher } from './warm-launcher.js';

/** An Aider that was found. */
export interface LaunchedAider {
  readonly command: readonly [string, ...string[]];
  /** The interpreter whose script the command is; null when it is something else. */
  readonly interpreter: string | null;
}

/** Names of variables that may hold a secret: no agent is to find another's in the common process. */
const secret = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|COOKIE/i;

/** What is common to all agents' environments. */
function commonEnvironment(model: string): Record<string, string> {
  const env = agentEnvironment(environment(), model, null);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.test(name)));
}

/**
 * The best way to start this Aider. A warm one begins to warm up at once.
 * @param warm false: each is started anew
 */
export function openLauncher(
  { command, interpreter }: LaunchedAider,
  model: string,
  warm: boolean,
): AiderLauncher {
  if (interpreter === null) return new PlainLauncher(command);
  const isolated = new IsolatedLauncher(command[0], interpreter);
  return warm ? openWarm(command[0], interpreter, model, isolated) : isolated;
}

export function openWarm(
  script: string,
  python: string,
  model: string,
  plain: AiderLauncher,
): WarmLauncher {
  return new WarmLauncher({ script, python, env: commonEnvironment(model), plain });
}
