import type { Failure } from '../core/policy/failure.js';
import { ok, type Result } from '../core/result.js';
import { findAider } from '../services/agents/aider/find-aider.js';
import type { AiderLauncher } from '../services/agents/aider/launcher.js';
import { openLauncher } from '../services/agents/aider/open-launcher.js';
import type { AiderCommand, Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import { argumentsOf } from './compose/agent-arguments.js';
import { type OpenedRun, openRun, readChange, readGeminiKey } from './open-run.js';
import type { RunOptions } from './options.js';
import { checkPrerequisites } from './prerequisites/find.js';
import { RepoKnowledge } from './repo-knowledge.js';
import type { Stdio } from './stdio.js';

/** Everything checked: from here on, work may begin. */
export interface PreparedRun extends OpenedRun {
  readonly change: string;
  /** All arguments that each of its Aiders is given. */
  readonly agentArgs: readonly string[];
  readonly geminiKey: string | null;
  /** Null where a dry run found none, which needs none. */
  readonly aider: AiderCommand | null;
  readonly launcher: AiderLauncher;
  readonly knowledge: RepoKnowledge;
}

/** What a plan is made with: the repository may be known to another process alone. */
export interface PlannedRun extends Omit<PreparedRun, 'launcher' | 'knowledge'> {
  readonly knowledge: { digest(change: string, focus: readonly string[]): Promise<string> };
}

/** `openRun` for a run without a screen: with the change, and all missing prerequisites named together. */
export async function prepareRun(
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides = {},
): Promise<Result<PreparedRun, Failure>> {
  const opened = await openRun(args, stdio, overrides);
  if (!opened.ok) return opened;
  const { repo, options, source, given, handed } = opened.value;
  const change = await readChange(args, given);
  if (!change.ok) return change;
  const geminiKey = await readGeminiKey(args, stdio);
  let found: ReturnType<typeof findAider> | null = null;
  const aider = await checkPrerequisites({
    repository: ok(repo),
    options: ok(options),
    planner: source.kind === 'planner',
    agents: !args.flags.dryRun,
    isFinal: true,
    geminiKey,
    handed,
    overrides,
    findAider: () => {
      found ??= findAider(options.aider);
      return found;
    },
  });
  if (!aider.ok) return aider;
  // A dry run needs at most one of them, for its map.
  const launcher = launcherFor(
    aider.value,
    options,
    !args.flags.dryRun && options.agentCmd === null,
  );
  const knowledge = new RepoKnowledge(repo, aider.value, options.model, launcher, handed);
  return ok({
    ...opened.value,
    change: change.value,
    agentArgs: argumentsOf(opened.value),
    geminiKey,
    aider: aider.value,
    launcher,
    knowledge,
  });
}

/** Begins to warm up at once, where that is to be. */
export function launcherFor(
  aider: AiderCommand | null,
  { model, warm }: RunOptions,
  worthIt = true,
): AiderLauncher {
  return openLauncher(aider ?? { command: ['aider'], interpreter: null }, model, warm && worthIt);
}
