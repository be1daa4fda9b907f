import type { Failure } from '../../core/policy/failure.js';
import type { Result } from '../../core/result.js';
import type { FoundAider } from '../../services/agents/aider/find-aider.js';
import type { HandedSettings } from '../../services/config/repo-aider-files.js';
import type { Repository } from '../../services/git/repository.js';
import type { Overrides } from '../aider-command.js';
import type { RunOptions } from '../options.js';

/** What prerequisites are asked for. */
export interface Asked {
  /** The repository, or why it cannot be opened. */
  readonly repository: Result<Repository, Failure>;
  /** What the run was asked for, or what is wrong with that. */
  readonly options: Result<RunOptions, Failure>;
  /** What of the settings files cannot be read; it is left out of the options. */
  readonly wrongSettings?: readonly Failure[];
  /** Gemini writes the PRD. */
  readonly planner: boolean;
  /** Agents will be started: no dry run. */
  readonly agents: boolean;
  /** Nothing can be chosen any more: a PRD that cannot be written is the end. */
  readonly isFinal: boolean;
  readonly geminiKey: string | null;
  /** What agents get of the repository's own settings for Aider. */
  readonly handed: HandedSettings;
  readonly overrides: Overrides;
  /** Aider takes a second of CPU to tell its version, so it is asked once. */
  readonly findAider: () => Promise<Result<FoundAider, Failure>>;
}
