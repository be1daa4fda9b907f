import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Failure } from '../core/failure.js';
import { printable, printableLines } from '../core/printable.js';
import { err, ok, type Result } from '../core/result.js';
import type { Summary } from '../core/summary.js';
import { summaryReport } from '../headless/report.js';
import { fitWidth, glyphsFor } from '../headless/table.js';
import { land as landCommit } from '../services/git/land.js';
import { openRepository, type Repository } from '../services/git/repository.js';
import { git } from '../services/git/run-git.js';
import { undoLanding } from '../services/git/undo.js';
import { logPaths } from '../services/logs/log-paths.js';
import { type KnownRun, listRuns } from '../services/logs/run-registry.js';
import { writeWhole } from '../services/logs/write-whole.js';
import type { Arguments } from './arguments.js';
import { recoverRuns } from './recover.js';
import { reportFailure, type Terminal } from './terminal.js';

/** Opens the repository a subcommand is about, and closes the books of runs that died. */
export async function openForHistory(
  args: Arguments,
  terminal: Terminal,
): Promise<Repository | null> {
  const repo = await openRepository(path.resolve(args.flags.repo ?? '.'));
  if (!repo.ok) {
    reportFailure(terminal, repo.failure);
    return null;
  }
  await recoverRuns(repo.value.root, (text) => terminal.error(`${text}\n`));
  return repo.value;
}

/** `runs`: the earlier runs of this repository, newest last. */
export async function runsCommand(args: Arguments, terminal: Terminal): Promise<number> {
  const repo = await openForHistory(args, terminal);
  if (!repo) return 2;
  const runs = listRuns(repo.root).filter((run) => run.summary || run.alive);
  if (args.flags.json) {
    terminal.out(
      `${JSON.stringify(
        runs.map(({ stamp, alive, summary }) => ({ run: stamp, alive, summary })),
        null,
        2,
      )}\n`,
    );
    return 0;
  }
  if (runs.length === 0) terminal.out('No runs yet.\n');
  for (const run of runs) terminal.out(`${runLine(run, terminal.width)}\n`);
  return 0;
}

function runLine({ stamp, alive, summary }: KnownRun, width: number): string {
  if (!summary) return `${stamp}  ${alive ? 'running' : 'no summary'}`;
  const counts = `${summary.successful_agents} of ${summary.successful_agents + summary.failed_agents} agents succeeded`;
  const landed = summary.landed
    ? 'landed'
    : summary.integration_branch
      ? 'not landed'
      : 'nothing merged';
  const change = printable(summary.change.split('\n', 1)[0] ?? '');
  return fitWidth(
    `${stamp}  ${counts}, ${landed}${summary.simulated ? ' (simulated)' : ''}  ${change}`,
    width,
  ).trimEnd();
}

function findRun(
  repo: Repository,
  name: string | undefined,
  wanted: (summary: Summary) => boolean = () => true,
): Result<{ stamp: string; summary: Summary }, Failure> {
  const runs = listRuns(repo.root);
  if (name === undefined) {
    const last = runs.filter((run) => run.summary && wanted(run.summary)).at(-1);
    if (last?.summary) return ok({ stamp: last.stamp, summary: last.summary });
    return err({ kind: 'usage', message: 'There is no finished run in this repository.' });
  }
  const run = runs.find(({ stamp }) => stamp === name);
  if (run?.summary) return ok({ stamp: run.stamp, summary: run.summary });
  const message = run?.alive ? `The run ${name} is not finished yet.` : `There is no run ${name}.`;
  return err({ kind: 'usage', message, hint: 'aider-orchestrator runs lists them.' });
}

/** `show [RUN] [AGENT]`: a run's table; with an agent its diff and log. */
export async function showCommand(args: Arguments, terminal: Terminal): Promise<number> {
  const repo = await openForHistory(args, terminal);
  if (!repo) return 2;
  const rest = [...args.rest];
  // A lone number names an agent of the last run; a run's name has 15 characters.
  const agent =
    rest.length > 0 && /^(agent)?\d{1,4}$/.test(rest.at(-1) as string) ? rest.pop() : undefined;
  const run = findRun(repo, rest[0]);
  if (!run.ok) {
    reportFailure(terminal, run.failure);
    return 2;
  }
  const { summary } = run.value;
  if (agent !== undefined)
    return showAgent(repo, summary, agent.replace(/^agent/, ''), args, terminal);
  if (args.flags.json) {
    terminal.out(`${JSON.stringify(summary, null, 2)}\n`);
    return 0;
  }
  terminal.out(
    `run ${summary.timestamp}  ${printable(summary.change.split('\n', 1)[0] ?? '')}\n\n`,
  );
  terminal.out(`${summaryReport(summary, terminal.width, glyphsFor(process.env)).join('\n')}\n`);
  return 0;
}

async function showAgent(
  repo: Repository,
  summary: Summary,
  index: string,
  { flags }: Arguments,
  terminal: Terminal,
): Promise<number> {
  const agent = summary.agents[`agent${Number(index)}`];
  if (!agent) {
    reportFailure(terminal, {
      kind: 'usage',
      message: `The run ${summary.timestamp} has no agent ${index}.`,
    });
    return 2;
  }
  if (flags.json) {
    terminal.out(`${JSON.stringify(agent, null, 2)}\n`);
    return 0;
  }
  terminal.out(
    `agent${Number(index)}  ${printable(agent.task.title)}\n${agent.error ? `${printable(agent.error)}\n` : ''}branch ${agent.branch}\n`,
  );
  if (agent.commit) {
    const diff = await git(repo.root, [
      'show',
      '--stat',
      '--patch',
      '--no-color',
      '--format=%n%H%n%B',
      agent.commit,
      '--',
    ]);
    terminal.out(diff.ok ? `${printableLines(diff.value.stdout)}\n` : 'The commit is gone.\n');
  } else {
    terminal.out('No work was committed.\n');
  }
  const log = logPaths(repo.root, summary.timestamp).agentLog(Number(index));
  terminal.out(`Log ${agent.log_file}\n`);
  try {
    for (const line of readFileSync(log, 'utf8').split('\n').filter(Boolean))
      terminal.out(`  ${printable(line)}\n`);
  } catch {
    terminal.out('  The log is gone.\n');
  }
  return 0;
}

/** `land [RUN]`: brings a finished run's merged work home, by the rules of every landing. */
export async function landCommand(args: Arguments, terminal: Terminal): Promise<number> {
  const repo = await openForHistory(args, terminal);
  if (!repo) return 2;
  const run = findRun(repo, args.rest[0]);
  if (!run.ok) {
    reportFailure(terminal, run.failure);
    return 2;
  }
  const { stamp, summary } = run.value;
  if (summary.landed) {
    terminal.out(`Run ${stamp} has landed already.\n`);
    return 0;
  }
  if (summary.integration_commit === null) {
    reportFailure(terminal, {
      kind: 'usage',
      message: `Run ${stamp} merged nothing, so there is nothing to land.`,
    });
    return 1;
  }
  const landing = await landCommit({
    repo: repo.root,
    base: summary.base,
    branch: summary.base_branch ?? repo.branch,
    commit: summary.integration_commit,
    merged: summary.integration_branch ?? '',
    later: `aider-orchestrator land ${stamp}`,
  });
  if (landing.state !== 'landed') {
    const reason = landing.state === 'refused' ? landing.reason : '';
    terminal.error(`aider-orchestrator: not landed: ${printable(reason)}\n`);
    terminal.error(
      `  Nothing was touched. The work is on ${summary.integration_branch}; to merge it by hand: git merge ${summary.integration_branch}\n`,
    );
    return 1;
  }
  const landed: Summary = {
    ...summary,
    landed: true,
    landed_commit: landing.commit,
    landing: `landed on ${landing.branch}, ${summary.tests?.merged ?? 'untested'}`,
    land_later: null,
  };
  writeWhole(logPaths(repo.root, stamp).summary, `${JSON.stringify(landed, null, 2)}\n`);
  terminal.out(`Landed ${landing.commit.slice(0, 12)} on ${printable(landing.branch)}.\n`);
  return 0;
}

/** `undo [RUN]`: takes the landing of a run back, the last one that landed when none is named. */
export async function undoCommand(args: Arguments, terminal: Terminal): Promise<number> {
  const repo = await openForHistory(args, terminal);
  if (!repo) return 2;
  const hasLanded = (summary: Summary) => landedCommit(summary) !== null;
  const run = findRun(repo, args.rest[0], hasLanded);
  if (!run.ok) {
    const nothing: Failure = { kind: 'usage', message: 'No run has landed in this repository.' };
    reportFailure(terminal, args.rest[0] === undefined ? nothing : run.failure);
    return 2;
  }
  const { stamp, summary } = run.value;
  const commit = landedCommit(summary);
  const branch = summary.base_branch;
  if (commit === null || branch === null) {
    terminal.out(`Run ${stamp} has not landed, so there is nothing to take back.\n`);
    return 0;
  }
  const undone = await undoLanding({ repo: repo.root, stamp, base: summary.base, branch, commit });
  if (undone.state === 'refused') {
    terminal.error(`aider-orchestrator: not taken back: ${printable(undone.reason)}\n`);
    const way = undone.how === '' ? '' : ` A way on: ${undone.how}`;
    terminal.error(`  Nothing was touched.${way}\n`);
    return 1;
  }
  const back: Summary = {
    ...summary,
    landed: false,
    landed_commit: null,
    landing: `taken back from ${branch}`,
    land_later: `aider-orchestrator land ${stamp}`,
  };
  writeWhole(logPaths(repo.root, stamp).summary, `${JSON.stringify(back, null, 2)}\n`);
  terminal.out(
    `${printable(branch)} is at ${summary.base.slice(0, 12)} again, as before run ${stamp}. The work is still on ${summary.integration_branch}; aider-orchestrator land ${stamp} lands it again.\n`,
  );
  return 0;
}

/** What a run has landed last; null when nothing, or when it was taken back. */
function landedCommit({ landed, landed_commit, integration_commit }: Summary): string | null {
  return landed_commit ?? (landed ? integration_commit : null);
}
