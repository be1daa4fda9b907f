import type { Failure } from '../core/policy/failure.js';
import { ok, type Result } from '../core/result.js';
import type { RunState } from '../core/run/run.js';
import { nothingHanded } from '../services/config/repo-aider-files.js';
import { readUserSettings } from '../services/config/settings.js';
import { openRepository } from '../services/git/repository.js';
import { environment } from '../services/machine/environment.js';
import type { Arguments } from './arguments.js';
import { reporter } from './headless-run.js';
import { firstState, heldByClient } from './host/held-by-client.js';
import { findLivingRun, reachRun } from './host/reach-run.js';
import type { OpenedRun } from './open-run.js';
import { resolveOptions } from './options.js';
import { wantsScreen } from './run.js';
import { attachOnScreen } from './screen.js';
import { reportFailure, type Stdio, warner } from './stdio.js';

/** `attach [RUN]`: shows a run of another process. Gives the exit code. */
export async function attachCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const [run, ...more] = args.rest;
  const fail = (failure: Failure): number => {
    reportFailure(stdio, failure);
    return 2;
  };
  if (more.length > 0) {
    return fail({ kind: 'usage', message: `attach takes one run, not ${args.rest.length}.` });
  }
  const found = await findLivingRun({ run, repo: args.flags.repo });
  if (!found.ok) return fail(found.failure);
  if (!wantsScreen(args, stdio)) return attachInLines(found.value, args, stdio);
  const client = await reachRun(found.value, { wants: 'screen', onWarning: warner(stdio) });
  if (!client.ok) return fail(client.failure);
  await firstState(client.value);
  const state = client.value.state();
  if (state === null) {
    return fail({ kind: 'usage', message: `The run ${found.value.stamp} has just ended.` });
  }
  const opened = await openedOf(state);
  if (!opened.ok) return fail(opened.failure);
  const held = heldByClient(client.value, () => client.value.leave());
  return attachOnScreen(held, opened.value, args, stdio);
}

/** What a screen is opened with for a run that goes: by the run itself, and the user's settings of the screen. */
async function openedOf(state: RunState): Promise<Result<OpenedRun, Failure>> {
  const repo = await openRepository(state.config.repo);
  if (!repo.ok) return repo;
  const user = readUserSettings();
  if (!user.ok) return user;
  const { mouse, notify, keys } = user.value?.settings ?? {};
  const screen = {
    ...(mouse !== undefined && { mouse }),
    ...(notify && { notify }),
    ...(keys && { keys }),
  };
  const options = resolveOptions({ flags: {}, env: environment(), repo: {}, user: screen }, []);
  if (!options.ok) return options;
  const { files, planSource } = state.config;
  return ok({
    repo: repo.value,
    options: {
      ...options.value,
      agentCmd: state.config.agent.command,
      review: state.config.review,
    },
    handed: nothingHanded,
    focus: files,
    source: planSource,
    given: null,
  });
}

async function attachInLines(
  run: Parameters<typeof reachRun>[0],
  args: Arguments,
  stdio: Stdio,
): Promise<number> {
  const report = reporter(args, stdio, () => client.ok && client.value.summaryWritten);
  const client: Awaited<ReturnType<typeof reachRun>> = await reachRun(run, {
    wants: 'messages',
    onMessage: report,
    onWarning: warner(stdio),
  });
  if (!client.ok) {
    reportFailure(stdio, client.failure);
    return 2;
  }
  const { value: own } = client;
  stdio.error(`Attached to run ${run.stamp}.\n`);
  await new Promise<void>((resolve) => {
    if (own.finishedWith !== null) resolve();
    own.subscribe(() => {
      if (own.finishedWith !== null) resolve();
    });
    void own.ended.then(resolve);
  });
  own.close();
  if (own.finishedWith !== null) return own.finishedWith;
  stdio.error(
    `aider-orchestrator: The process that ran ${run.stamp} died. What its agents did is kept.\n  To go on with it: aider-orchestrator resume ${run.stamp}\n`,
  );
  return 1;
}
