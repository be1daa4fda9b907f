import { providerOf } from '../../core/policy/providers.js';
import type { RunConfig } from '../../core/run/config.js';
import { agentSpec } from '../../services/agents/agent-kinds.js';
import type { PlannedRun } from '../prepare-run.js';

/** What was decided before a run, for its journal. */
export function makeConfig(
  stamp: string,
  run: PlannedRun,
  more: Pick<RunConfig, 'unattended' | 'land'>,
): RunConfig {
  const { repo, options } = run;
  return {
    stamp,
    change: run.change,
    repo: repo.root,
    base: repo.head,
    branch: repo.branch,
    agent: agentSpec(options.agentCmd, {
      args: options.agentCmd === null ? run.agentArgs : [],
      read: run.handed.read,
      warm: options.warm,
    }),
    model: options.model,
    provider: providerOf(options.model),
    geminiModel: options.geminiModel,
    maxAgents: options.maxAgents,
    maxIterations: options.maxIterations,
    timeoutMs: options.timeoutMs,
    files: run.focus,
    planSource: run.source,
    testCommand: options.testCommand,
    setup: options.setupCmd,
    copy: options.copy,
    protect: options.protect,
    maxFileBytes: options.maxFileBytes,
    direct: options.direct,
    redBase: options.redBase ?? (more.unattended ? 'stop' : 'ask'),
    budgetUsd: options.budgetUsd,
    review: options.review,
    simulated: run.aider?.simulated ?? false,
    ...more,
  };
}

/** The command that lands a run later. */
export function landCommand(stamp: string, repo?: string): string {
  return `aider-orchestrator land ${stamp}${repo === undefined ? '' : ` --repo ${repo}`}`;
}
