import { isDone } from '../core/agent/agent.js';
import { moneyOf } from '../core/policy/budget.js';
import { runBranches } from '../core/run/branches.js';
import { type RunState, runTime } from '../core/run/run.js';
import { printable } from '../core/text/printable.js';
import type { KnownRun } from '../services/records/run-records.js';
import { formatCost, formatDuration } from '../view/numbers.js';
import { fitWidth } from '../view/table.js';
import { type LeftRunHere, leftOf, waitsForResume } from './find-left-run.js';
import { firstState } from './host/held-by-client.js';
import { reachRun } from './host/reach-run.js';

/** So long is a run that lives waited for, milliseconds. */
const patienceMs = 2000;

/** The state of a run that lives, as its host tells it; null where it does not. */
export async function stateNow(run: KnownRun): Promise<RunState | null> {
  const client = await reachRun(run, { wants: 'messages' }, 0);
  if (!client.ok) return null;
  await firstState(client.value, patienceMs);
  client.value.close();
  return client.value.state();
}

/** A run that lives: how far it is. */
async function livingLine(run: KnownRun, width: number): Promise<string> {
  const state = await stateNow(run);
  if (state === null) return `${run.stamp}  running (process ${run.pid})`;
  const { agents, config } = state;
  const ended = agents.filter(isDone).length;
  const how =
    state.phase === 'finished'
      ? 'has ended, and is looked at'
      : agents.length === 0
        ? 'running, its plan is being made'
        : `running, ${ended} of ${agents.length} agents have ended`;
  const { spent, isPartial } = moneyOf(state);
  const cost = spent === 0 && isPartial ? '' : `, ${formatCost(spent)}`;
  const time = formatDuration(runTime(state, Date.now()) / 1000);
  const change = printable(config.change.split('\n', 1)[0] ?? '');
  return fitWidth(`${run.stamp}  ${how}${cost}, ${time}  ${change}`, width).trimEnd();
}

/** A run that waits for somebody to go on with it, or to end it. */
function cutOffLine({ run, state }: LeftRunHere, width: number): string {
  const { agents, config } = state;
  const how =
    agents.length === 0
      ? 'while its plan was being made'
      : `after ${agents.filter(isDone).length} of ${agents.length} agents`;
  const change = printable(config.change.split('\n', 1)[0] ?? '');
  return fitWidth(`${run.stamp}  cut off ${how}, can be resumed  ${change}`, width).trimEnd();
}

/** A run as a line of a list. */
export async function runLine(run: KnownRun, width: number): Promise<string> {
  const { stamp, summary, liveness, closed, host } = run;
  if (liveness === 'alive') return livingLine(run, width);
  if (liveness === 'unknown') {
    return `${stamp}  running on ${printable(host)} or in a container, of which nobody here can tell; if it is dead: aider-orchestrator clean --dead ${stamp}`;
  }
  const cut = waitsForResume(run);
  if (cut !== null) return cutOffLine(cut, width);
  if (!summary) {
    return closed === 'salvaged'
      ? run.made.length === 0
        ? `${stamp}  died before an agent had begun`
        : `${stamp}  died; its journal could not be read (git branch --list '${runBranches(stamp)}*')`
      : `${stamp}  ended; its summary could not be written yet`;
  }
  const counts = `${summary.successful_agents} of ${summary.successful_agents + summary.failed_agents} agents succeeded`;
  const landed = summary.landed
    ? 'landed'
    : summary.integration_branch
      ? 'not landed'
      : 'nothing merged';
  const isLeft = summary.interrupted_by !== null && typeof leftOf(run) !== 'string';
  const change = printable(summary.change.split('\n', 1)[0] ?? '');
  return fitWidth(
    `${stamp}  ${counts}, ${landed}${isLeft ? ', can be resumed' : ''}${summary.simulated ? ' (simulated)' : ''}  ${change}`,
    width,
  ).trimEnd();
}
