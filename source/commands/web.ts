import path from 'node:path';
import { createInterface } from 'node:readline';
import { committedWork } from '../core/agent/agent.js';
import type { Failure } from '../core/policy/failure.js';
import { faultOfError } from '../core/policy/machine-fault.js';
import type { ListedRun } from '../core/run/page-contract.js';
import type { RunState } from '../core/run/run.js';
import { repositoryFolder } from '../services/config/folders.js';
import { programVersion } from '../services/config/package-files.js';
import { hasCode } from '../services/files/private-files.js';
import { readStart } from '../services/files/read-part.js';
import { git } from '../services/git/run-git.js';
import { readJournalFile } from '../services/logs/journal-file.js';
import { logPaths } from '../services/logs/log-paths.js';
import {
  journalFile,
  type KnownRun,
  readAllRecords,
  readRecordsIn,
} from '../services/records/run-records.js';
import { readPageFiles } from '../services/web/page-files.js';
import { type WebRuns, WebServer } from '../services/web/web-server.js';
import type { Arguments } from './arguments.js';
import { findRun } from './host/reach-run.js';
import { runLine } from './run-lines.js';
import { onSignals } from './signals.js';
import { reportFailure, type Stdio } from './stdio.js';

/** A larger recording is not shown, bytes: a browser would hold all of it. */
const mostRecorded = 64 * 1024 * 1024;

/** Of a PRD no more is shown, bytes. */
const mostText = 16 * 1024 * 1024;

/** So wide may the words on a run be, columns. */
const widest = 200;

/** A run as it stands in an address: its repository's name of ours, and its stamp. */
function idOf({ file, stamp }: KnownRun): string {
  return `${path.basename(path.dirname(file))}/${stamp}`;
}

async function listed(run: KnownRun): Promise<ListedRun> {
  const words = (await runLine(run, widest)).replace(run.stamp, '').trim();
  const isAlive = run.liveness === 'alive';
  return { id: idOf(run), run: run.stamp, repo: run.root, isAlive, words };
}

function find(id: string): KnownRun | null {
  const [repository = '', stamp = ''] = id.split('/');
  return readRecordsIn(repositoryFolder(repository), [stamp])[0] ?? null;
}

function stateOf(run: KnownRun): RunState | null {
  const read = readJournalFile(journalFile(run.file), run.stamp);
  return read.state === 'read' ? read.run : null;
}

/** The change as git has it, of what is committed. */
async function patch(run: KnownRun, index: number | null): Promise<string | null> {
  const state = stateOf(run);
  if (state === null) return null;
  const agent = index === null ? undefined : state.agents[index];
  const commit = index === null ? state.integration?.commit : agent && committedWork(agent)?.commit;
  if (!commit) return '';
  const from = index === null ? state.config.base : `${commit}^`;
  const plain = ['--no-color', '--no-ext-diff', '--no-textconv'];
  const diff = await git(run.root, ['diff', ...plain, '--end-of-options', from, commit, '--']);
  return diff.ok ? diff.value.stdout : null;
}

function prd(run: KnownRun): Buffer | null {
  const file = stateOf(run)?.prdPath ?? null;
  return file === null ? null : readStart(path.resolve(run.root, file), mostText);
}

function recording(run: KnownRun, agent: number): Buffer | 'too_large' | null {
  const bytes = readStart(logPaths(run.root, run.stamp).cast(agent), mostRecorded + 1);
  return bytes !== null && bytes.length > mostRecorded ? 'too_large' : bytes;
}

const runs: WebRuns = {
  list: () => Promise.all(readAllRecords().map(listed)),
  find,
  patch,
  prd,
  recording,
};

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
  const server = new WebServer({ files: readPageFiles(), runs, program: programVersion() });
  try {
    await server.listen(0);
  } catch (error) {
    if (faultOfError(error) === null && !hasCode(error, 'EADDRNOTAVAIL', 'EPERM')) throw error;
    return fail({ kind: 'usage', message: `No port can be listened at: ${String(error)}.` });
  }
  const acts = args.flags.readOnly !== true;
  const rights = { acts, run: found ? idOf(found.value) : null };
  const invite = () => stdio.out(`${server.address(rights)}\n`);
  invite();
  const kind = acts ? 'may act on' : 'can only watch';
  const which = found ? `the run ${name}` : 'all your runs';
  stdio.error(
    `Who opens this address ${kind} ${which}. It is good for one browser: Enter gives another one, Ctrl-C ends.\n`,
  );
  return untilStopped(server, invite);
}

/** Each line that is typed asks for an address more. */
async function untilStopped(server: WebServer, invite: () => void): Promise<number> {
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
