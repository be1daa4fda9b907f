import { createInterface } from 'node:readline';
import type { Failure } from '../core/policy/failure.js';
import type { Arguments } from './arguments.js';
import { findRun } from './host/reach-run.js';
import { openPageServer, type PageServer } from './page-server.js';
import { onSignals } from './signals.js';
import { reportFailure, type Stdio } from './stdio.js';

/** `web [RUN]`: shows runs in a browser, until it is interrupted. Gives the exit code. */
export async function webCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const fail = (failure: Failure): number => {
    reportFailure(stdio, failure);
    return 2;
  };
  const [name, ...more] = args.rest;
  if (more.length > 0) {
    return fail({ kind: 'usage', message: `web takes one run, not ${args.rest.length}.` });
  }
  const found = name === undefined ? null : await findRun({ run: name, repo: args.flags.repo });
  if (found && !found.ok) return fail(found.failure);
  const server = await openPageServer(0);
  if (!server.ok) return fail(server.failure);
  const acts = args.flags.readOnly !== true;
  const invite = () => stdio.out(`${server.value.address(acts, found?.value ?? null)}\n`);
  invite();
  const kind = acts ? 'may act on' : 'can only watch';
  const which = found ? `the run ${name}` : 'all your runs';
  stdio.error(
    `Who opens this address ${kind} ${which}. It is good for one browser: Enter gives another one, Ctrl-C ends.\n`,
  );
  return untilStopped(server.value, invite);
}

/** Each line that is typed asks for an address more. */
async function untilStopped(server: PageServer, invite: () => void): Promise<number> {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', invite);
  const signal = await new Promise<number>((resolve) => {
    const give = onSignals(() => resolve(give()?.code ?? 1));
  });
  lines.close();
  await server.close();
  // It was ended as it is meant to be.
  return signal === 130 ? 0 : signal;
}
