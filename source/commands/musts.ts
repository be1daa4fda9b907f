import type { Failure, Must } from '../core/policy/failure.js';
import { keyVariable } from '../core/policy/providers.js';
import { err, ok, type Result } from '../core/result.js';
import { branchSpace, refOf } from '../core/run/branches.js';
import type { PlanSource } from '../core/run/config.js';
import { type FoundAider, findAider } from '../services/agents/aider/find-aider.js';
import type { HandedSettings } from '../services/config/repo-aider-files.js';
import { hasIdentity, type Repository } from '../services/git/repository.js';
import { gitText } from '../services/git/run-git.js';
import type { Arguments } from './arguments.js';
import { closedFolders, machineMusts } from './limits.js';
import { modelKeyKnown } from './model-key.js';
import type { RunOptions } from './options.js';
import { checkUnisolated } from './repo-trust.js';

export interface AiderCommand {
  readonly command: readonly [string, ...string[]];
  readonly version: string;
  /** The interpreter whose script the command is; null when it is something else. */
  readonly interpreter: string | null;
  readonly simulated: boolean;
}

/** What stands in for parts of the environment; used by the demo. */
export interface Overrides {
  readonly aider?: AiderCommand;
  /** False: the settings files are not read. */
  readonly settings?: boolean;
}

/** So many agents a limit of the machine is held against; more are a wish, not a need. */
const mostSlots = 8;

/** Looks for all that a run must have, and names all that is missing together. */
export async function findMusts(
  { flags }: Arguments,
  repo: Repository,
  options: RunOptions,
  source: PlanSource,
  geminiKey: string | null,
  overrides: Overrides,
  handed: HandedSettings,
): Promise<Result<AiderCommand | null, Failure>> {
  const missing: Must[] = [];
  if (source.kind === 'planner' && geminiKey === null) {
    missing.push({
      what: 'a Gemini API key, so no PRD can be written',
      mend: 'Gemini: set GEMINI_API_KEY (or GOOGLE_API_KEY), or go without: --prd FILE uses your own PRD, --no-prd uses none.',
    });
  }
  if (options.review?.model === null && geminiKey === null) {
    missing.push({
      what: 'a Gemini API key, so nobody can review',
      mend: 'Review: set GEMINI_API_KEY (or GOOGLE_API_KEY), or name a model of Aider with --review-model.',
    });
  }
  if (flags.dryRun) {
    if (missing.length > 0) return err({ kind: 'musts', missing });
    // Not needed, but its map of the repository helps the planner.
    if (options.agentCmd !== null) return ok(null);
    const found = await wrapFound(findAider(options.aider));
    return ok(found.ok ? found.value : null);
  }
  if (!(await hasIdentity(repo.root))) {
    missing.push({
      what: 'a git identity to commit with',
      mend: 'git: git config --global user.name "Your Name" && git config --global user.email you@example.com',
    });
  }
  missing.push(...machineMusts(repo.root, Math.min(options.maxAgents, mostSlots)));
  for (const { folder, mend } of closedFolders(repo.root)) {
    missing.push({ what: `permission to write to ${folder}`, mend: `Folders: ${mend}.` });
  }
  const blocking = await gitText(
    repo.root,
    ['rev-parse', '--verify', '--quiet', refOf(branchSpace)],
    { answers: [1] },
  );
  if (blocking.ok && blocking.value !== '') {
    missing.push({
      what: 'the name space aider/ for branches, as there is a branch aider',
      mend: 'git: rename that branch: git branch -m aider NAME',
    });
  }
  const { agentCmd } = options;
  if (agentCmd === null && !modelKeyKnown(options, geminiKey, handed)) {
    missing.push({
      what: `${keyVariable(options.model)}, the key for the model ${options.model}`,
      mend: `Model: set ${keyVariable(options.model)} (in the environment or a .env file), or name another model with --model.`,
    });
  }
  // A model of Aider's that reviews needs it all the same.
  const needsAider = agentCmd === null || (options.review?.model ?? null) !== null;
  const aider = overrides.aider
    ? ok(overrides.aider)
    : needsAider
      ? await wrapFound(findAider(options.aider))
      : ok(null);
  if (!aider.ok && aider.failure.kind === 'aider') {
    missing.push({
      what: aider.failure.message.replace(/\.$/, ''),
      mend: `Aider: ${aider.failure.hint}`,
    });
  }
  if (missing.length > 0) return err({ kind: 'musts', missing });
  if (aider.ok && aider.value?.interpreter === null && !aider.value.simulated) {
    const isolated = await checkUnisolated(repo, aider.value.command[0]);
    if (!isolated.ok) return isolated;
  }
  return aider;
}

async function wrapFound(
  found: Promise<Result<FoundAider, Failure>>,
): Promise<Result<AiderCommand, Failure>> {
  const aider = await found;
  if (!aider.ok) return aider;
  return ok(commandOf(aider.value));
}

export function commandOf({ command, version, interpreter }: FoundAider): AiderCommand {
  return { command: [command], version, interpreter, simulated: false };
}
