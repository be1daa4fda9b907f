import type { FoundAider } from '../services/agents/aider/find-aider.js';

/** How Aider is started. */
export interface AiderCommand {
  readonly command: readonly [string, ...string[]];
  readonly version: string;
  /** The interpreter whose script the command is; null when it is something else. */
  readonly interpreter: string | null;
  readonly simulated: boolean;
}

/** What stands in for parts of the environment, for the demo; and what a host is told. */
export interface Overrides {
  readonly aider?: AiderCommand;
  /** False: the settings files are not read. */
  readonly settings?: boolean;
  /** Its models end with the run, so that nobody can go on with it. */
  readonly ownModels?: boolean;
  /** Told of a run without a screen when it begins, with its stamp. */
  readonly onBegun?: (run: string) => void;
}

export function commandOf({ command, version, interpreter }: FoundAider): AiderCommand {
  return { command: [command], version, interpreter, simulated: false };
}
