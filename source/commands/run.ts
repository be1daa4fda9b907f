import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, type Failure } from '../core/failure.js';
import type { Task } from '../core/plan.js';
import { printable } from '../core/printable.js';
import { providerOf } from '../core/providers.js';
import { err, ok, type Result } from '../core/result.js';
import type { RunState } from '../core/run.js';
import type { RunConfig } from '../core/run-config.js';
import { exitCode, failureCode, summarise } from '../core/summary.js';
import { jsonReporter, lineReporter, type Verbosity } from '../headless/reporters.js';
import { glyphsFor } from '../headless/table.js';
import { AiderBackend } from '../services/aider/aider-backend.js';
import { setupEnvironment } from '../services/aider/environment.js';
import { worktreesFolder } from '../services/config/folders.js';
import { GeminiPlanner } from '../services/gemini/gemini-planner.js';
import { changedTrackedFiles, resolveTasks } from '../services/git/repository.js';
import { GitWorkspace } from '../services/git/workspace.js';
import { AgentLogs } from '../services/logs/agent-log.js';
import { LineFile } from '../services/logs/line-file.js';
import { type LogPaths, logPaths } from '../services/logs/log-paths.js';
import { claimStamp, releaseWorktrees } from '../services/logs/run-registry.js';
import { writeWhole } from '../services/logs/write-whole.js';
import { ShellSetup } from '../services/pty/setup-command.js';
import { createEffectRunner, type Ports } from '../store/effect-runner.js';
import { makePlan } from '../store/make-plan.js';
import { createRunStore, type Observer } from '../store/run-store.js';
import type { Arguments } from './arguments.js';
import type { Overrides } from './musts.js';
import { type PreparedRun, prepareRun } from './prepare-run.js';
import { recoverRuns } from './recover.js';
import { onSignals } from './signals.js';
import { askYesNo, reportFailure, type Terminal } from './terminal.js';

/** The main command: from a change to a merged branch. Gives the exit code. */
export async function runMain(
  args: Arguments,
  terminal: Terminal,
  overrides: Overrides = {},
): Promise<number> {
  const prepared = await prepareRun(args, terminal, overrides);
  if (!prepared.ok) {
    reportFailure(terminal, prepared.failure);
    return 2;
  }
  const run = prepared.value;
  const worktrees = worktreesFolder(run.repo.commonDir);
  await recoverRuns(run.repo.root, (text) => terminal.error(`${text}\n`));
  const stamp = claimStamp(run.repo.root, worktrees);
  if (!stamp.ok) {
    reportFailure(terminal, stamp.failure);
    return 2;
  }
  const config = makeConfig(stamp.value, run, args);
  const paths = logPaths(config.repo, config.stamp);
  return args.flags.dryRun
    ? dryRun(config, run, paths, path.join(worktrees, config.stamp), terminal)
    : execute(config, run, paths, path.join(worktrees, config.stamp), args, terminal);
}

function makeConfig(stamp: string, run: PreparedRun, { flags }: Arguments): RunConfig {
  const { repo, options } = run;
  return {
    stamp,
    change: run.change,
    repo: repo.root,
    base: repo.head,
    branch: repo.branch,
    model: options.model,
    provider: providerOf(options.model),
    geminiModel: options.geminiModel,
    maxAgents: options.maxAgents,
    maxIterations: options.maxIterations,
    timeoutMs: options.timeoutMs,
    land: flags.dryRun ? 'none' : options.land,
    files: run.focus,
    planSource: run.source,
    unattended: true,
    simulated: run.aider?.simulated ?? false,
  };
}

function planWith(config: RunConfig, run: PreparedRun, paths: LogPaths) {
  const { knowledge } = run;
  const planner =
    run.source.kind === 'planner' && run.geminiKey !== null
      ? new GeminiPlanner({
          key: run.geminiKey,
          model: config.geminiModel,
          baseUrl: process.env.GOOGLE_GEMINI_BASE_URL || null,
        })
      : null;
  return async (signal: AbortSignal) => {
    return makePlan(
      config,
      {
        planner,
        digest: () => knowledge.digest(config.change, config.files),
        resolve: (tasks: readonly Task[], lenient: boolean) =>
          resolveTasks(run.repo, tasks, lenient),
        isTracked: (file) => run.repo.tracked.has(file),
        savePrd: async (text) => savePrd(paths, config, text),
        given: run.given,
      },
      signal,
    );
  };
}

function savePrd(paths: LogPaths, config: RunConfig, text: string): Result<string, Failure> {
  try {
    writeWhole(paths.prd, text);
    return ok(path.relative(config.repo, paths.prd));
  } catch (error) {
    return err({ kind: 'file', path: paths.prd, detail: (error as Error).message });
  }
}

/** Makes PRD and plan, and prints the plan in the form that `--plan` reads. */
async function dryRun(
  config: RunConfig,
  run: PreparedRun,
  paths: LogPaths,
  worktrees: string,
  terminal: Terminal,
): Promise<number> {
  const stop = new AbortController();
  const release = onSignals(() => {
    stop.abort();
    run.knowledge.stop();
  });
  const made = await planWith(config, run, paths)(stop.signal);
  run.knowledge.stop();
  await run.knowledge.settled();
  const signal = release();
  releaseWorktrees(worktrees);
  if (!made.ok) {
    reportFailure(terminal, made.failure);
    return signal?.code ?? failureCode(made.failure);
  }
  for (const warning of made.value.warnings) terminal.error(`! ${warning}\n`);
  if (made.value.prdPath) terminal.error(`PRD: ${made.value.prdPath}\n`);
  terminal.out(`${JSON.stringify({ tasks: made.value.tasks }, null, 2)}\n`);
  return 0;
}

/** The services of one run, and how to let go of them. */
interface Services {
  readonly ports: Ports;
  close(): Promise<void>;
}

function buildServices(
  config: RunConfig,
  run: PreparedRun,
  paths: LogPaths,
  worktrees: string,
  args: Arguments,
  terminal: Terminal,
  state: () => RunState | null,
): Services {
  const { flags } = args;
  const { knowledge } = run;
  const backend = new AiderBackend({
    command: run.aider?.command ?? ['aider'],
    model: config.model,
    geminiKey: run.geminiKey,
    extra: run.options.aiderArgs,
    repo: config.repo,
    paths,
    repoMap: () => knowledge.mapFile,
    onWarning: warner(terminal),
  });
  const workspace = new GitWorkspace({
    config,
    paths,
    worktrees,
    copy: run.options.copy,
    setup: setupCommand(run, paths),
    landLater: landCommand(config.stamp, flags.repo),
    prdPath: () => state()?.prdPath ?? null,
  });
  const asks = terminal.interactive && !flags.yes && !flags.headless && !flags.json;
  const ports: Ports = {
    workspace,
    backend,
    plan: async (signal) => {
      const made = await planWith(config, run, paths)(signal);
      if (made.ok) await knowledge.writeMapFor(made.value.tasks, paths.repoMap);
      return made;
    },
    confirm: async () => !asks || askYesNo('Start the agents?', true),
  };
  const close = async () => {
    knowledge.stop();
    await Promise.all([knowledge.settled(), workspace.settled()]);
    releaseWorktrees(worktrees);
    backend.close();
  };
  return { ports, close };
}

async function execute(
  config: RunConfig,
  run: PreparedRun,
  paths: LogPaths,
  worktrees: string,
  args: Arguments,
  terminal: Terminal,
): Promise<number> {
  const warn = warner(terminal);
  let current: RunState | null = null;
  const services = buildServices(config, run, paths, worktrees, args, terminal, () => current);
  const journal = new LineFile(paths.journal, warn);
  const agentLogs = new AgentLogs(paths, warn);
  const record: Observer = (state, before, message) => {
    current = state;
    journal.append(message);
    agentLogs.note(state, before, message);
    // On disk before anybody is told that the run has ended.
    if (state.phase === 'finished') writeSummary(state, paths, warn);
  };
  await warnOfChanges(config, warn);
  let onFinish = () => {};
  const finished = new Promise<void>((resolve) => {
    onFinish = resolve;
  });
  const runner = createEffectRunner(
    services.ports,
    () => current as RunState,
    () => onFinish(),
  );
  const { dispatch } = createRunStore(runner, [record, reporter(args, terminal)], Date.now);
  const release = onSignals((signal) => {
    run.knowledge.stop();
    dispatch({ type: 'interrupt', signal });
  });
  dispatch({ type: 'run_started', config });
  await finished;
  await services.close();
  release();
  agentLogs.close();
  journal.close();
  const state = current as unknown as RunState;
  if (state.failure) reportFailure(terminal, state.failure);
  return exitCode(state);
}

function warner(terminal: Terminal): (text: string) => void {
  return (text) => terminal.error(`! ${printable(text)}\n`);
}

function reporter({ flags }: Arguments, terminal: Terminal): Observer {
  if (flags.json) return jsonReporter(terminal.out);
  const verbosity: Verbosity = flags.quiet ? 'quiet' : flags.verbose ? 'verbose' : 'normal';
  return lineReporter(terminal.out, {
    verbosity,
    get width() {
      return terminal.width;
    },
    glyphs: glyphsFor(process.env),
  });
}

function landCommand(stamp: string, repo: string | undefined): string {
  return `aider-orchestrator land ${stamp}${repo === undefined ? '' : ` --repo ${repo}`}`;
}

function setupCommand(run: PreparedRun, paths: LogPaths): ShellSetup | null {
  const { setupCmd } = run.options;
  if (setupCmd === null) return null;
  return new ShellSetup(setupCmd, setupEnvironment(process.env), (agent) => {
    mkdirSync(paths.agentFolder(agent), { recursive: true });
    return paths.setup(agent);
  });
}

async function warnOfChanges(config: RunConfig, warn: (text: string) => void): Promise<void> {
  const changed = await changedTrackedFiles(config.repo);
  if (!changed.ok || changed.value.length === 0) return;
  const landing = config.land === 'none' ? '' : ', and nothing can land while they are changed';
  warn(
    `Tracked files have changes that the agents do not see${landing}: ${changed.value.slice(0, 5).join(', ')}`,
  );
}

export function writeSummary(state: RunState, paths: LogPaths, warn: (text: string) => void): void {
  try {
    writeWhole(paths.summary, `${JSON.stringify(summarise(state), null, 2)}\n`);
  } catch (error) {
    warn(
      `The summary could not be written: ${describe({ kind: 'file', path: paths.summary, detail: (error as Error).message }).message}`,
    );
  }
}
