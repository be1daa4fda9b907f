import { createInterface } from 'node:readline';
import type { Failure } from '../core/policy/failure.js';
import { faultOfError } from '../core/policy/machine-fault.js';
import { metricsTokenFile } from '../services/config/folders.js';
import { hasCode, unreadable } from '../services/files/private-files.js';
import { readAllRecords } from '../services/records/run-records.js';
import { metricsToken } from '../services/web/metrics-token.js';
import type { WebServerOptions } from '../services/web/web-server.js';
import type { Arguments } from './arguments.js';
import { findRun } from './host/reach-run.js';
import { openPageServer, type PageServer } from './page-server.js';
import { onSignals } from './signals.js';
import { reportFailure, type Stdio, warner } from './stdio.js';

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
  const port = portOf(args.flags.port);
  if (port === null) {
    const message = `--port takes a number from 1 to 65535, not ${args.flags.port}.`;
    return fail({ kind: 'usage', message });
  }
  const metrics = await openMetrics(stdio);
  const server = await openPageServer(port, metrics);
  if (!server.ok) return fail(server.failure);
  const acts = args.flags.readOnly !== true;
  const invite = () => stdio.out(`${server.value.address(acts, found?.value ?? null)}\n`);
  invite();
  const kind = acts ? 'may act on' : 'can only watch';
  const which = found ? `the run ${name}` : 'all your runs';
  stdio.error(
    `Who opens this address ${kind} ${which}. It is good for one browser: Enter gives another one, Ctrl-C ends.\n`,
  );
  if (metrics)
    stdio.error(
      `Figures for Prometheus: http://127.0.0.1:${server.value.port}/metrics, by the token in ${metricsTokenFile()}\n`,
    );
  return untilStopped(server.value, invite);
}

/** 0 for a free one; null for what is no port. */
function portOf(given: string | undefined): number | null {
  if (given === undefined) return 0;
  const port = Number(given);
  return /^\d{1,5}$/.test(given) && port >= 1 && port <= 65_535 ? port : null;
}

/** The figures of all runs, and the token by which they are read; null where that cannot be kept, which is said. */
async function openMetrics(stdio: Stdio): Promise<WebServerOptions['metrics']> {
  const { RunFigures } = await import('../services/web/run-figures.js');
  try {
    const token = metricsToken(metricsTokenFile());
    return { figures: new RunFigures(readAllRecords), token };
  } catch (error) {
    if (faultOfError(error) === null && !hasCode(error, ...unreadable)) throw error;
    warner(stdio)(
      `No figures for Prometheus: their token cannot be kept (${(error as Error).message}).`,
    );
    return null;
  }
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
