import path from 'node:path';
import { committedWork } from '../core/agent/agent.js';
import type { Failure } from '../core/policy/failure.js';
import { faultOfError } from '../core/policy/machine-fault.js';
import { err, ok, type Result } from '../core/result.js';
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
import { type WebRuns, WebServer, type WebServerOptions } from '../services/web/web-server.js';
import { runLine } from './run-lines.js';

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
  list: (only) => Promise.all((only ?? readAllRecords()).map(listed)),
  find,
  patch,
  prd,
  recording,
};

/** Why a port cannot be listened at. */
const noPort = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'];

/** The page, and who may see what of it. */
export interface PageServer {
  readonly port: number;
  /**
   * An address that is good for one browser.
   * @param acts it may act on runs; else it can only watch
   * @param run the only run that it may see; null for all of this user
   */
  address(acts: boolean, run: KnownRun | null): string;
  close(): Promise<void>;
}

/**
 * Serves the page of this user's runs to this machine.
 * @param port 0 for one that is free
 * @param metrics what Prometheus reads, and the token that it shows; null for nothing
 */
export async function openPageServer(
  port: number,
  metrics: WebServerOptions['metrics'] = null,
): Promise<Result<PageServer, Failure>> {
  const server = new WebServer({
    files: readPageFiles(),
    runs,
    program: programVersion(),
    metrics,
  });
  try {
    await server.listen(port);
  } catch (error) {
    if (faultOfError(error) === null && !hasCode(error, ...noPort)) throw error;
    const why = (error as Error).message;
    if (port === 0) return err({ kind: 'usage', message: `No port can be listened at: ${why}.` });
    return err({
      kind: 'usage',
      message: `Port ${port} cannot be listened at: ${why}.`,
      hint: 'Another program may have it: choose another one.',
    });
  }
  return ok({
    port: server.port,
    address: (acts, run) => server.address({ acts, run: run && idOf(run) }),
    close: () => server.close(),
  });
}
