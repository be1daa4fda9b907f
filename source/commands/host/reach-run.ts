import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Failure } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import { printable } from '../../core/text/printable.js';
import { programVersion } from '../../services/config/package-files.js';
import { openRepository } from '../../services/git/repository.js';
import type { RefusedBecause } from '../../services/host/contract.js';
import { RunClient, type RunClientOptions } from '../../services/host/run-client.js';
import { connectTo, socketOf } from '../../services/host/socket.js';
import {
  isHere,
  type KnownRun,
  readAllRecords,
  readRecords,
  readRecordsIn,
} from '../../services/records/run-records.js';

/** Where a run is looked for. */
export interface Asked {
  /** Its stamp; undefined for the latest that lives here. */
  readonly run: string | undefined;
  /** The `--repo` flag. */
  readonly repo: string | undefined;
}

const listed = 'aider-orchestrator runs --all lists all that there are.';

/** The run that is meant: of this checkout or, by its name, of any other. */
export async function findRun({ run: named, repo }: Asked): Promise<Result<KnownRun, Failure>> {
  const no = (message: string, hint = listed) => err({ kind: 'usage' as const, message, hint });
  if (named !== undefined && !/^\d{8}_\d{6}$/.test(named)) {
    return no(`${printable(named)} is not the name of a run, such as 20260102_030405.`);
  }
  const opened = await openRepository(path.resolve(repo ?? '.'));
  const here = opened.ok ? readRecords(opened.value).runs : [];
  const own = here.filter((run) => opened.ok && isHere(run, opened.value.root));
  if (named === undefined) {
    const last = own.findLast(({ liveness, stamp }) => liveness === 'alive' && /^\d/.test(stamp));
    if (last) return ok(last);
    return opened.ok ? no('No run lives in this repository.') : opened;
  }
  const known = [...own, ...here].find(({ stamp }) => stamp === named);
  if (known) return ok(known);
  const elsewhere = repo === undefined ? readAllRecords().filter((run) => run.stamp === named) : [];
  const [first, second] = elsewhere;
  if (second) {
    const places = elsewhere.map((run) => printable(run.root)).join(', ');
    return no(`Several repositories have a run ${named}: ${places}.`, 'Say which one with --repo.');
  }
  return first ? ok(first) : err(unknown(named));
}

/** The run that is meant, where it lives. */
export async function findLivingRun(asked: Asked): Promise<Result<KnownRun, Failure>> {
  const found = await findRun(asked);
  if (!found.ok || found.value.liveness === 'alive') return found;
  return err(notLiving(found.value));
}

/** That there is no such run. */
function unknown(stamp: string): Failure {
  return { kind: 'usage', message: `There is no run ${stamp} of yours.`, hint: listed };
}

/** That a run does not live here. */
function notLiving({ stamp, liveness, host, closed }: KnownRun): Failure {
  if (liveness === 'unknown') {
    return {
      kind: 'usage',
      message: `The run ${stamp} may be running on ${printable(host)} or in a container, which cannot be reached from here.`,
    };
  }
  const message =
    closed === null
      ? `The run ${stamp} is not running any more, and its result was not written.`
      : `The run ${stamp} has ended (aider-orchestrator show ${stamp}).`;
  const hint = closed === null ? `To go on with it: aider-orchestrator resume ${stamp}` : listed;
  return { kind: 'usage', message, hint };
}

/** Why a host turned us away, a sentence. */
function refusedWords(run: KnownRun, because: RefusedBecause, program: string): Failure {
  const name = `The run ${run.stamp}`;
  if (because === 'form' || because === 'too_slow') {
    return { kind: 'usage', message: `${name} (process ${run.pid}) did not understand us.` };
  }
  return {
    kind: 'usage',
    message: `${name} is run by version ${printable(program)} of aider-orchestrator, and this is ${programVersion()}.`,
    hint: 'Use that version for it, or wait for its end.',
  };
}

/** So long is an answer waited for, milliseconds. */
const patienceMs = 10_000;

function silence(): Promise<'silence'> {
  return new Promise((resolve) => {
    setTimeout(() => resolve('silence'), patienceMs).unref();
  });
}

/** What is known of a run at this moment; null where it was cleaned up. */
export function knownNow(run: KnownRun): KnownRun | null {
  return readRecordsIn(path.dirname(run.file), [run.stamp])[0] ?? null;
}

/** How long a run that begins or ends in this moment is waited for, and how often it is looked at, milliseconds. */
const momentMs = 3000;
const againMs = 100;

/**
 * Connects to a run that lives. One that nobody answers for yet or any more is looked at again, until it is there
 * or has ended.
 * @param forMs how long
 */
export async function reachRun(
  run: KnownRun,
  options: Omit<RunClientOptions, 'program'>,
  forMs = momentMs,
): Promise<Result<RunClient, Failure>> {
  for (const last = performance.now() + forMs; ; ) {
    const reached = await connectToRun(run, options);
    if (typeof reached !== 'string') return reached;
    const now = knownNow(run);
    if (now === null) return err(unknown(run.stamp));
    if (now.liveness !== 'alive') return err(notLiving(now));
    if (performance.now() >= last) {
      const message = `The run ${run.stamp} (process ${run.pid}) cannot be reached: ${reached}.`;
      return err({ kind: 'usage', message });
    }
    await pause(againMs);
  }
}

/** One try; why nobody is there for the run, as a clause, where that may be so for a moment. */
async function connectToRun(
  run: KnownRun,
  options: Omit<RunClientOptions, 'program'>,
): Promise<Result<RunClient, Failure> | string> {
  const stream = await connectTo(socketOf(run.file));
  if (!stream.ok) return stream.failure;
  const client = new RunClient(stream.value, { ...options, program: programVersion() });
  const refused = await Promise.race([client.greeted, silence()]);
  if (refused === null && client.run === run.stamp) return ok(client);
  client.close();
  if (refused === null) return 'it closed the connection';
  if (refused !== 'silence') return err(refusedWords(run, refused.because, refused.program));
  return err({
    kind: 'usage',
    message: `The run ${run.stamp} (process ${run.pid}) does not answer.`,
  });
}
