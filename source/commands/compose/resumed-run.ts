import { existsSync } from 'node:fs';
import type { Failure } from '../../core/policy/failure.js';
import { ok, type Result } from '../../core/result.js';
import type { RunConfig } from '../../core/run/config.js';
import type { RunState } from '../../core/run/run.js';
import { findAider } from '../../services/agents/aider/find-aider.js';
import { logPaths } from '../../services/logs/log-paths.js';
import type { Overrides } from '../aider-command.js';
import type { OpenedRun } from '../open-run.js';
import type { RunOptions } from '../options.js';
import { launcherFor, type PreparedRun } from '../prepare-run.js';
import { checkPrerequisites } from '../prerequisites/find.js';
import { RepoKnowledge } from '../repo-knowledge.js';
import { argumentsOf, givenAgain } from './agent-arguments.js';

/** The options as they were decided when the run began; how it is shown is decided anew. */
function optionsOf(config: RunConfig): Partial<RunOptions> {
  const { model, geminiModel, maxAgents, maxIterations, timeoutMs, land } = config;
  const { copy, protect, direct, testCommand, budgetUsd, review, agent } = config;
  const rest = { copy, protect, direct, testCommand, budgetUsd, review };
  return {
    ...rest,
    model,
    geminiModel,
    maxAgents,
    maxIterations,
    timeoutMs,
    land,
    setupCmd: config.setup,
    agentCmd: agent.command,
    warm: agent.warm,
    redBase: config.redBase === 'ask' ? null : config.redBase,
  };
}

/** All that a run needs to be gone on with, by its own configuration: looked for, and named where it is missing. */
export async function prepareResumed(
  state: RunState,
  opened: OpenedRun,
  geminiKey: string | null,
  overrides: Overrides,
): Promise<Result<PreparedRun, Failure>> {
  const { config } = state;
  const { repo } = opened;
  const options = { ...opened.options, ...optionsOf(config) };
  const isAider = config.agent.kind === 'aider';
  const agentArgs = isAider ? givenAgain(config.agent.args, argumentsOf(opened)) : ok([]);
  if (!agentArgs.ok) return agentArgs;
  const isPlanning = state.phase === 'planning' || state.agents.length === 0;
  let found: ReturnType<typeof findAider> | null = null;
  const aider = await checkPrerequisites({
    repository: ok(repo),
    options: ok(options),
    planner: isPlanning && config.planSource.kind === 'planner',
    agents: true,
    isFinal: true,
    geminiKey,
    handed: opened.handed,
    overrides,
    findAider: () => {
      found ??= findAider(options.aider);
      return found;
    },
  });
  if (!aider.ok) return aider;
  const launcher = launcherFor(aider.value, options, isAider);
  // The map was made for the plan; its agents read the same one again.
  const mapper = isPlanning ? aider.value : null;
  const knowledge = new RepoKnowledge(repo, mapper, config.model, launcher, opened.handed);
  const { repoMap } = logPaths(repo.root, config.stamp);
  if (existsSync(repoMap)) knowledge.mapFile = repoMap;
  return ok({
    ...opened,
    options,
    focus: config.files,
    source: config.planSource,
    given: null,
    change: config.change,
    agentArgs: agentArgs.value,
    geminiKey,
    aider: aider.value,
    launcher,
    knowledge,
  });
}
