import { maskSecrets, secretsIn } from '../../core/policy/test-run.js';
import type { AgentBackend } from '../../core/ports.js';
import type { AgentArgument, AgentSpec } from '../../core/run/config.js';
import type { Identity } from '../git/repository.js';
import type { LogPaths } from '../logs/log-paths.js';
import { environment } from '../machine/environment.js';
import type { Terminals } from '../pty/terminals.js';
import { AiderBackend, type AiderBackendOptions } from './aider/aider-backend.js';
import { aiderAuthor } from './aider/prompt-style.js';
import { CommandBackend } from './command/command-backend.js';

/** What every backend is given, and what some need beside it. */
export interface BackendOptions extends AiderBackendOptions {
  readonly command: string | null;
  readonly identity: () => Identity | null;
  readonly terminals: Terminals;
  readonly paths: LogPaths;
}

/** A kind of agents. A new one is a folder beside this file, and a line in the table below. */
export interface AgentKind {
  /** What it is called, and what it can do. */
  readonly spec: Pick<AgentSpec, 'kind' | 'name' | 'takesOver' | 'tellsCost'>;
  /** Who stands as an author beside the person in commits of its work; null for nobody. */
  readonly author: (model: string) => string | null;
  readonly open: (options: BackendOptions) => AgentBackend;
}

export const agentKinds: Readonly<Record<AgentSpec['kind'], AgentKind>> = {
  aider: {
    spec: { kind: 'aider', name: 'Aider', takesOver: true, tellsCost: true },
    author: aiderAuthor,
    open: (options) => new AiderBackend(options),
  },
  command: {
    spec: { kind: 'command', name: 'the agent command', takesOver: false, tellsCost: false },
    author: () => null,
    open: ({ command, ...options }) => {
      if (command === null) throw new Error('no agent command');
      return new CommandBackend({ ...options, command });
    },
  },
};

/** The agents of a run. @param command run instead of Aider; null for Aider */
export function agentSpec(
  command: string | null,
  { args, read, warm }: { readonly args: readonly string[] } & Pick<AgentSpec, 'read' | 'warm'>,
): AgentSpec {
  const { spec } = agentKinds[command === null ? 'aider' : 'command'];
  // A command is started anew each time.
  return { ...spec, command, args: withoutSecrets(args), read, warm: warm && command === null };
}

/** Options of Aider's whose value is a key, or may be one. */
const secretOption = /^--(?:.*(?:api-key|token|secret|password)|set-env)$/;
const secretOptions = ['--api-key', '--openai-api-key', '--anthropic-api-key', '--set-env'];

/** Aider takes the beginning of an option for the option. */
function isSecretOption(option: string): boolean {
  const isBeginning = /^--./.test(option) && secretOptions.some((one) => one.startsWith(option));
  return isBeginning || secretOption.test(option);
}

/** Arguments as they may be written down: of one that holds a secret the name of its option is left. */
export function withoutSecrets(args: readonly string[]): AgentArgument[] {
  const secrets = secretsIn(environment());
  return args.map((argument, at) => {
    const [option = '', value] = argument.split(/=(.*)/s, 2);
    if (value !== undefined && isSecretOption(option)) return { secret: option };
    const before = args[at - 1] ?? '';
    if (isSecretOption(before)) return { secret: before };
    // A key that stands elsewhere, or the user of an address.
    const masked = maskSecrets(argument, secrets);
    const isHeld = masked !== argument || /:\/\/[^/\s]*@/.test(argument);
    return isHeld ? { secret: value === undefined ? before : option } : argument;
  });
}
