import type { Arguments } from './arguments.js';
import { tellDied } from './host/died.js';
import { untilFinished } from './host/held-by-client.js';
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
  const code = await untilFinished(own);
  own.close();
  if (code !== null) return code;
  if (own.refused?.because === 'too_slow') {
    stdio.error(
      `aider-orchestrator: What run ${run.stamp} tells was read too slowly, so it has let go of us. It goes on.\n  To read all of it: aider-orchestrator logs ${run.stamp} -f\n`,
    );
    return 1;
  }
  return tellDied(stdio, run.stamp, `aider-orchestrator resume ${run.stamp}`);
}
