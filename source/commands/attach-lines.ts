import type { Arguments } from './arguments.js';
import { reachRun } from './host/reach-run.js';
import { reporter } from './reporter.js';
import { reportFailure, type Stdio, warner } from './stdio.js';

/** Tells a run of another process line by line, from now on. Gives the run's exit code. */
export async function attachInLines(
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
