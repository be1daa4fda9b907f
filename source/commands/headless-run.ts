import path from 'node:path';
import type { RunState } from '../core/run.js';
import type { RunConfig } from '../core/run-config.js';
import { exitCode, failureCode } from '../core/summary.js';
import { jsonReporter, lineReporter, type Verbosity } from '../headless/reporters.js';
import { glyphsFor } from '../headless/table.js';
import { worktreesFolder } from '../services/config/folders.js';
import { type LogPaths, logPaths } from '../services/logs/log-paths.js';
import { claimStamp, releaseWorktrees } from '../services/logs/run-registry.js';
import type { Observer } from '../store/run-store.js';
import type { Arguments } from './arguments.js';
import { makeConfig, openLiveRun, planWith, warnOfChanges } from './live-run.js';
import type { Overrides } from './musts.js';
import { type PreparedRun, prepareRun } from './prepare-run.js';
import { recoverRuns } from './recover.js';
import { onSignals } from './signals.js';
import { reportFailure, type Terminal, warner } from './terminal.js';

/** A run without a screen, told line by line. Gives the exit code. */
export async function runHeadless(
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
  const land = args.flags.dryRun ? 'none' : run.options.land;
  const config = makeConfig(stamp.value, run, { land, unattended: true });
  const paths = logPaths(config.repo, config.stamp);
  return args.flags.dryRun
    ? dryRun(config, run, paths, path.join(worktrees, config.stamp), terminal)
    : execute(config, run, paths, path.join(worktrees, config.stamp), args, terminal);
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
  run.launcher.close();
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

async function execute(
  config: RunConfig,
  run: PreparedRun,
  paths: LogPaths,
  worktrees: string,
  args: Arguments,
  terminal: Terminal,
): Promise<number> {
  const warn = warner(terminal);
  await warnOfChanges(config, warn);
  let onFinish = () => {};
  const finished = new Promise<void>((resolve) => {
    onFinish = resolve;
  });
  const live = openLiveRun({
    config,
    run,
    paths,
    worktrees,
    repoFlag: args.flags.repo,
    plan: planWith(config, run, paths),
    confirm: async () => true,
    warn,
    observers: [reporter(args, terminal)],
    onFinish: () => onFinish(),
  });
  const release = onSignals((signal) => {
    run.knowledge.stop();
    live.dispatch({ type: 'interrupt', signal });
  });
  live.dispatch({ type: 'run_started', config });
  await finished;
  await live.close();
  release();
  const state = live.state() as RunState;
  if (state.failure) reportFailure(terminal, state.failure);
  return exitCode(state);
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
