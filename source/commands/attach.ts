import type { Failure } from '../core/policy/failure.js';
import type { Arguments } from './arguments.js';
import { reporter } from './headless-run.js';
import { findLivingRun, reachRun } from './host/reach-run.js';
import { reportFailure, type Stdio, warner } from './stdio.js';
import { wantsScreen } from './wants-screen.js';

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
  const { showScreens } = await import('./screens.js');
  return showScreens(args, stdio, {}, { kind: 'attach', run: found.value });
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
