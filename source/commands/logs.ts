import { setTimeout as pause } from 'node:timers/promises';
import type { Failure } from '../core/policy/failure.js';
import type { Result } from '../core/result.js';
import { JournalReader } from '../core/run/journal.js';
import { eventText } from '../core/text/event-words.js';
import { printable } from '../core/text/printable.js';
import { unless, unreadable } from '../services/files/private-files.js';
import { FollowedFile } from '../services/logs/followed-file.js';
import { logPaths } from '../services/logs/log-paths.js';
import { journalFile, type KnownRun } from '../services/records/run-records.js';
import type { Arguments } from './arguments.js';
import { type Asked, findRun } from './host/reach-run.js';
import { reporter } from './reporter.js';
import { reportFailure, type Stdio } from './stdio.js';

/** Between two looks at a log that is followed, milliseconds. */
const lookMs = 200;

/** `logs RUN [AGENT] [-f]`: what happened in a run, or to one agent. Gives the exit code. */
export async function logsCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const fail = (failure: Failure): number => {
    reportFailure(stdio, failure);
    return 2;
  };
  const [run, name, ...more] = args.rest;
  const number = name === undefined ? null : (/^(?:agent)?(\d{1,5})$/.exec(name)?.[1] ?? '');
  if (run === undefined || number === '' || more.length > 0) {
    return fail({
      kind: 'usage',
      message: 'Usage: aider-orchestrator logs RUN [AGENT] [-f]',
      hint: 'aider-orchestrator runs lists the runs.',
    });
  }
  const asked: Asked = { run, repo: args.flags.repo };
  const found = await findRun(asked);
  if (!found.ok) return fail(found.failure);
  const log =
    number === null
      ? runLog(found.value, args, stdio)
      : agentLog(found.value, Number(number), args, stdio);
  const isThere = await follow(log, args.flags.follow === true, () => isAlive(asked));
  if (!isThere.ok) return fail(isThere.failure);
  return 0;
}

async function isAlive(asked: Asked): Promise<boolean> {
  const now = await findRun(asked);
  return now.ok && now.value.liveness === 'alive';
}

/** A log that is read; `take` gives why a line cannot be told, null when it was. */
interface Log {
  readonly file: FollowedFile;
  readonly take: (line: string) => string | null;
  readonly none: string;
}

/** What happened in the run, as a run without a screen tells it: from its own journal. */
function runLog(run: KnownRun, args: Arguments, stdio: Stdio): Log {
  const report = reporter(args, stdio, () => true);
  const reader = new JournalReader(run.stamp, report);
  return {
    file: new FollowedFile(journalFile(run.file)),
    take: (line) => reader.read(line),
    none: `The journal of the run ${run.stamp} is gone.`,
  };
}

function agentLog(run: KnownRun, agent: number, args: Arguments, stdio: Stdio): Log {
  const timeOf = (seconds: number) => new Date(seconds * 1000).toTimeString().slice(0, 8);
  return {
    file: new FollowedFile(logPaths(run.root, run.stamp).agentLog(agent)),
    take: (line) => {
      stdio.out(`${args.flags.json ? printable(line) : eventText(line, timeOf)}\n`);
      return null;
    },
    none: `There is no log of agent${agent} in the run ${run.stamp}.`,
  };
}

async function follow(
  { file, take, none }: Log,
  goesOn: boolean,
  isAlive: () => Promise<boolean>,
): Promise<Result<void, Failure>> {
  const no = (message: string): Result<never, Failure> => {
    return { ok: false, failure: { kind: 'usage', message } };
  };
  let isEmpty = true;
  for (let last = !goesOn; ; ) {
    const lines = unless(unreadable, [], () => [...file.lines()]);
    for (const line of lines) {
      const why = take(line);
      if (why !== null) return no(`The journal cannot be read: ${why}.`);
      isEmpty = false;
    }
    if (last) break;
    // What it wrote last is read once more.
    last = !(await isAlive());
    await pause(lookMs);
  }
  file.close();
  return isEmpty ? no(none) : { ok: true, value: undefined };
}
