import { describe } from '../core/policy/failure.js';
import type { RunConfig } from '../core/run/config.js';
import type { RunState } from '../core/run/run.js';
import { exitCode, failureCode } from '../core/run/summary.js';
import { printableJson } from '../core/text/printable.js';
import { type LogPaths, logPaths } from '../services/logs/log-paths.js';
import { claimRun, type RunRecord } from '../services/records/run-records.js';
import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import { makeConfig } from './compose/config.js';
import type { LiveRunOptions } from './compose/live-run-options.js';
import { planWith } from './compose/planning.js';
import { openTelemetry } from './compose/telemetry.js';
import { resumeLater } from './find-left-run.js';
import { type ServedRun, serveRun } from './host/serve-run.js';
import { openLiveRun, warnOfCheckout } from './live-run.js';
import { closeOthers } from './offers.js';
import type { PageServer } from './page-server.js';
import { type PreparedRun, prepareRun } from './prepare-run.js';
import { reporter } from './reporter.js';
import { onSignals } from './signals.js';
import { reportFailure, type Stdio, warner } from './stdio.js';

/** A run without a screen, told line by line. Gives the exit code. */
export async function runHeadless(
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides = {},
): Promise<number> {
  const prepared = await prepareRun(args, stdio, overrides);
  if (!prepared.ok) {
    reportFailure(stdio, prepared.failure);
    return 2;
  }
  const run = prepared.value;
  await closeOthers(run.repo, (text) => stdio.error(`${text}\n`));
  const claimed = claimRun(run.repo);
  if (!claimed.ok) {
    run.launcher.close();
    run.knowledge.stop();
    await run.knowledge.settled();
    reportFailure(stdio, claimed.failure);
    return failureCode(claimed.failure);
  }
  const record = claimed.value;
  const land = args.flags.dryRun ? 'none' : run.options.land;
  const config = makeConfig(record.stamp, run, { land, unattended: true });
  const paths = logPaths(config.repo, config.stamp);
  return args.flags.dryRun
    ? dryRun(config, run, paths, record, stdio)
    : executeHeadless({ config, run, paths, record, from: null }, args, stdio, overrides);
}

/** Makes PRD and plan, and prints the plan in the form that `--plan` reads. */
async function dryRun(
  config: RunConfig,
  run: PreparedRun,
  paths: LogPaths,
  record: RunRecord,
  stdio: Stdio,
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
  record.discard();
  if (!made.ok) {
    reportFailure(stdio, made.failure);
    return signal?.code ?? failureCode(made.failure);
  }
  for (const warning of made.value.warnings) stdio.error(`! ${warning}\n`);
  if (made.value.prdPath) stdio.error(`PRD: ${made.value.prdPath}\n`);
  stdio.out(`${printableJson({ tasks: made.value.tasks }, 2)}\n`);
  return 0;
}

/** `--web`: serves the page of a run while this program is there. @returns null where it cannot, which is said */
async function tellPage(
  config: RunConfig,
  acts: boolean,
  stdio: Stdio,
  warn: (text: string) => void,
): Promise<PageServer | null> {
  const { openPageServer } = await import('./page-server.js');
  const { findRun } = await import('./host/reach-run.js');
  const [server, run] = await Promise.all([
    openPageServer(0),
    findRun({ run: config.stamp, repo: config.repo }),
  ]);
  if (server.ok && run.ok) {
    const address = server.value.address(acts, run.value);
    stdio.error(
      `The page of this run, ${acts ? 'to act on it' : 'to watch it'}, good for one browser within half an hour, and there until the run ends: ${address}\n`,
    );
    return server.value;
  }
  if (server.ok) await server.value.close();
  for (const one of [server, run]) if (!one.ok) warn(describe(one.failure).message);
  return null;
}

/** A run from where it is to its end, told line by line. Gives the exit code. */
export async function executeHeadless(
  given: Pick<LiveRunOptions, 'config' | 'run' | 'paths' | 'record' | 'from'>,
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides,
): Promise<number> {
  const { config, run, paths } = given;
  const warn = warner(stdio);
  await warnOfCheckout(config, warn);
  let onFinish = () => {};
  const finished = new Promise<void>((resolve) => {
    onFinish = resolve;
  });
  let served: ServedRun | null = null;
  const telemetry = await openTelemetry(config, paths, given.record, given.from !== null, warn);
  const live = openLiveRun({
    ...given,
    repoFlag: args.flags.repo,
    plan: planWith(config, run, paths),
    confirm: async () => true,
    warn: (text) => {
      warn(text);
      served?.warn(text);
    },
    observers: [
      reporter(args, stdio, () => live.summaryWritten()),
      (after, before, message) => served?.observe(after, before, message),
    ],
    telemetry,
    onFinish: () => onFinish(),
  });
  const release = onSignals((signal) => {
    run.knowledge.stop();
    live.dispatch({ type: 'interrupt', signal });
  });
  served = await serveRun(live, paths, given.record, warn);
  await live.begin();
  const page = args.flags.web ? await tellPage(config, !args.flags.readOnly, stdio, warn) : null;
  overrides.onBegun?.(config.stamp);
  await finished;
  await page?.close();
  served.finished();
  await served.close();
  await live.close();
  release();
  const state = live.state() as RunState;
  if (state.failure) reportFailure(stdio, state.failure);
  const later = overrides.ownModels ? null : resumeLater(state, args.flags.repo);
  if (later !== null) stdio.error(`To go on with it: ${later}\n`);
  return exitCode(state);
}
