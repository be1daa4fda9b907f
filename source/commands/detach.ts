import type { Arguments } from './arguments.js';
import { HostProcess, variablesNow } from './host/host-starter.js';
import { reportFailure, type Stdio } from './stdio.js';

/** `--detach`: begins a run in a process of its own, prints its name, and leaves. Gives the exit code. */
export async function runDetached(args: Arguments, stdio: Stdio): Promise<number> {
  if (args.flags.dryRun) {
    reportFailure(stdio, { kind: 'usage', message: '--dry-run runs nothing to be detached from.' });
    return 2;
  }
  if (args.flags.web) {
    reportFailure(stdio, {
      kind: 'usage',
      message: '--web serves the page while this program is there, and --detach leaves at once.',
      hint: 'aider-orchestrator web shows all your runs.',
    });
    return 2;
  }
  const host = new HostProcess({
    warn: () => {},
    // What it prints of the run is for who follows it; what is wrong is said here.
    say: (text, to) => {
      if (to === 'error') stdio.error(text);
    },
    input: 'inherit',
  });
  host.run.destroy();
  const variables = variablesNow();
  const answer = await host.start({ type: 'headless', args, width: stdio.width, variables });
  if (answer.type === 'begun') {
    stdio.out(`${answer.run}\n`);
    stdio.error(
      `Run ${answer.run} has begun. To see it: aider-orchestrator attach ${answer.run}\n  To wait for its end: aider-orchestrator wait ${answer.run}\n`,
    );
    return 0;
  }
  await host.ended();
  host.lastWords();
  if (answer.type === 'over') return answer.code;
  if (answer.type === 'failed') reportFailure(stdio, answer.failure);
  return 2;
}
