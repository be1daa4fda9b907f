import { setTimeout as pause } from 'node:timers/promises';
import { type Agent, isDone } from '../core/agent/agent.js';
import { describe, type Failure } from '../core/policy/failure.js';
import type { RunState } from '../core/run/run.js';
import { exitCodeOf } from '../core/run/summary.js';
import { printable } from '../core/text/printable.js';
import { openRepository } from '../services/git/repository.js';
import { type KnownRun, readRecords } from '../services/records/run-records.js';
import type { Arguments } from './arguments.js';
import { waitsForResume } from './find-left-run.js';
import { tellDied } from './host/died.js';
import { firstState, untilFinished } from './host/held-by-client.js';
import { findLivingRun, findRun, knownNow, reachRun } from './host/reach-run.js';
import { endDeadRun } from './recover.js';
import { reportFailure, type Stdio } from './stdio.js';

function fails(stdio: Stdio, failure: Failure): number {
  reportFailure(stdio, failure);
  return 2;
}

function named(args: Arguments, count: number, usage: string): Failure | null {
  if (args.rest.length === count) return null;
  return {
    kind: 'usage',
    message: `Usage: aider-orchestrator ${usage}`,
    hint: 'aider-orchestrator runs lists the runs.',
  };
}

function died(stdio: Stdio, { stamp }: KnownRun): number {
  return tellDied(stdio, stamp, `aider-orchestrator resume ${stamp}`);
}

/** Exit codes of runs that were interrupted: by SIGHUP, SIGINT, SIGTERM. */
const bySignal: readonly number[] = [129, 130, 143];

/** Ends a run that was cut off, where nobody wants to go on with it; null when it is none. */
async function stopCutOff(args: Arguments, stdio: Stdio): Promise<number | null> {
  const found = await findRun({ run: args.rest[0], repo: args.flags.repo });
  if (!found.ok || waitsForResume(found.value) === null) return null;
  const { stamp, root } = found.value;
  const repo = await openRepository(root);
  if (!repo.ok) return fails(stdio, repo.failure);
  // Where it is now, with a repository that was moved.
  const run = readRecords(repo.value).runs.find((one) => one.stamp === stamp) ?? found.value;
  const isEnded = await endDeadRun(repo.value, run, (text) => stdio.error(`${text}\n`));
  if (isEnded) return 0;
  return fails(stdio, { kind: 'usage', message: `Another program is at the run ${stamp}.` });
}

/** `stop RUN`: interrupts a run, and waits until its work is kept; also one that was cut off is ended so. */
export async function stopCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const wrong = named(args, 1, 'stop RUN');
  if (wrong) return fails(stdio, wrong);
  const found = await findLivingRun({ run: args.rest[0], repo: args.flags.repo });
  if (!found.ok) return (await stopCutOff(args, stdio)) ?? fails(stdio, found.failure);
  const client = await reachRun(found.value, { wants: 'nothing' });
  if (!client.ok) return fails(stdio, client.failure);
  const { stamp } = found.value;
  if (client.value.finishedWith !== null) {
    client.value.close();
    stdio.out(`Run ${stamp} has ended already.\n`);
    return 0;
  }
  client.value.dispatch({ type: 'interrupt', signal: 'SIGTERM' });
  stdio.error(`Stopping ${stamp}. What has been done is kept on branches…\n`);
  const code = await untilFinished(client.value);
  client.value.close();
  if (code === null) return died(stdio, found.value);
  // It may have come to its end in the same moment.
  const how = bySignal.includes(code) ? 'was stopped' : 'had come to its end before';
  stdio.out(`Run ${stamp} ${how}: aider-orchestrator show ${stamp}\n`);
  return 0;
}

/** How often a run that nobody answers for is looked at, milliseconds. */
const lookMs = 250;

/** `wait RUN`: waits for the end of a run. Gives the run's exit code. */
export async function waitCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const wrong = named(args, 1, 'wait RUN');
  if (wrong) return fails(stdio, wrong);
  const asked = { run: args.rest[0], repo: args.flags.repo };
  const living = await findLivingRun(asked);
  if (living.ok) {
    const client = await reachRun(living.value, { wants: 'nothing' });
    if (client.ok) {
      const code = await untilFinished(client.value);
      client.value.close();
      return code ?? died(stdio, living.value);
    }
    await untilDead(living.value, client.failure, stdio);
  }
  const found = await findRun(asked);
  if (!found.ok) return fails(stdio, found.failure);
  const { summary } = found.value;
  if (summary !== null) return exitCodeOf(summary);
  return living.ok ? died(stdio, found.value) : fails(stdio, living.failure);
}

/** Waits for the end of a run that does not tell us of it, as where its disk is full or it is of another version. */
async function untilDead(run: KnownRun, why: Failure, stdio: Stdio): Promise<void> {
  const isAlive = () => knownNow(run)?.liveness === 'alive';
  if (!isAlive()) return;
  stdio.error(
    `aider-orchestrator: ${describe(why).message}\n  It is waited for until its program ends.\n`,
  );
  while (isAlive()) await pause(lookMs);
}

/** `send RUN AGENT TEXT`: an answer to what an agent asks, or a remark for its next message. */
export async function sendCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const [run, name = '', ...words] = args.rest;
  const text = words.join(' ').trim();
  const number = /^(?:agent)?(\d{1,5})$/.exec(name)?.[1];
  if (run === undefined || number === undefined || text === '') {
    return fails(
      stdio,
      named(args, 3, 'send RUN AGENT TEXT') ?? {
        kind: 'usage',
        message: `${printable(name)} is no agent's number, such as 0.`,
      },
    );
  }
  const found = await findLivingRun({ run, repo: args.flags.repo });
  if (!found.ok) return fails(stdio, found.failure);
  const client = await reachRun(found.value, { wants: 'messages' });
  if (!client.ok) return fails(stdio, client.failure);
  const { value: own } = client;
  await firstState(own);
  const index = Number(number);
  const state = own.state();
  const agent = state?.agents[index];
  const refusal = refusalOf(state, agent, index);
  if (refusal !== null || !agent) {
    own.close();
    return fails(stdio, { kind: 'usage', message: refusal ?? '' });
  }
  if (agent.state.name === 'asking') {
    own.terminals.type(index, `${text}\r`);
    stdio.out(`Typed to agent${index}, which asked: ${printable(agent.state.question)}\n`);
  } else {
    own.dispatch({ type: 'remark', agent: index, text });
    stdio.out(`agent${index} gets it with its next message.\n`);
  }
  await own.leave();
  return 0;
}

/** Why nothing can be sent to an agent, a sentence; null when something can. */
function refusalOf(state: RunState | null, agent: Agent | undefined, index: number): string | null {
  if (!state || state.agents.length === 0) return 'The run has no agents yet.';
  if (!agent) return `The run has no agent ${index}: it has ${state.agents.length}, from 0 on.`;
  return isDone(agent) ? `agent${index} has ended, and gets no more messages.` : null;
}
