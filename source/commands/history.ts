// Longer than 300 lines: the subcommands that read earlier runs.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isDone } from '../core/agent/agent.js';
import { moneyOf } from '../core/policy/budget.js';
import type { Failure } from '../core/policy/failure.js';
import { err, ok, type Result } from '../core/result.js';
import { runBranches } from '../core/run/branches.js';
import type { Summary } from '../core/run/summary.js';
import { printable, printableJson, printableLines } from '../core/text/printable.js';
import { hasCode } from '../services/files/private-files.js';
import { branchesNow } from '../services/git/branches-now.js';
import { land as landCommit } from '../services/git/land.js';
import { openRepository, type Repository } from '../services/git/repository.js';
import { git, gitText } from '../services/git/run-git.js';
import { undoLanding } from '../services/git/undo.js';
import { logPaths } from '../services/logs/log-paths.js';
import { environment } from '../services/machine/environment.js';
import { neighboursOf } from '../services/records/landings.js';
import {
  foreignRuns,
  isHere,
  type KnownRun,
  type Records,
  readAllRecords,
  readRecords,
  readSummaryFile,
  recordLanding,
  updateSummary,
} from '../services/records/run-records.js';
import { summaryReport } from '../view/report.js';
import { fitWidth, glyphsFor } from '../view/table.js';
import type { Arguments } from './arguments.js';
import { waitsForResume, waysOn } from './find-left-run.js';
import { recoverRuns } from './recover.js';
import { runLine, stateNow } from './run-lines.js';
import { reportFailure, type Stdio } from './stdio.js';
import { withPlaces } from './write-summary.js';

/** Opens the repository a subcommand is about, and closes the books of runs that died and cannot be gone on with. */
export async function openForHistory(args: Arguments, stdio: Stdio): Promise<Repository | null> {
  const repo = await openRepository(path.resolve(args.flags.repo ?? '.'));
  if (!repo.ok) {
    reportFailure(stdio, repo.failure);
    return null;
  }
  await recoverRuns(repo.value, (text) => stdio.error(`${text}\n`));
  return repo.value;
}

/** Runs of this checkout, and what else lies here and is not believed. */
interface Listing {
  readonly runs: readonly KnownRun[];
  /** Stamps of runs that our records do not know. */
  readonly foreign: readonly string[];
  readonly copyOf: string | null;
}

function listRuns(repo: Repository): Listing {
  const records: Records = readRecords(repo);
  const runs = records.runs.filter(
    (run) => isHere(run, repo.root) && !run.stamp.startsWith('map-'),
  );
  return { runs, foreign: foreignRuns(repo.root, records.runs), copyOf: records.copyOf };
}

/** `runs`: the earlier runs of this repository, newest last; with `--all` those of all repositories. */
export async function runsCommand(args: Arguments, stdio: Stdio): Promise<number> {
  if (args.flags.all) return allRuns(args, stdio);
  const repo = await openForHistory(args, stdio);
  if (!repo) return 2;
  const { runs, foreign, copyOf } = listRuns(repo);
  if (args.flags.json) {
    const own = await Promise.all(runs.map(runFacts));
    const others = foreign.map((stamp) => {
      return { run: stamp, alive: false, foreign: true, summary: shippedSummary(repo, stamp) };
    });
    stdio.out(`${printableJson([...others, ...own], 2)}\n`);
    return 0;
  }
  for (const stamp of foreign) stdio.out(`${foreignLine(repo, stamp, stdio.width)}\n`);
  for (const run of runs) stdio.out(`${await runLine(run, stdio.width)}\n`);
  if (foreign.length > 0) stdio.out(`${foreignNote(repo, foreign.length, copyOf)}\n`);
  else if (runs.length === 0) stdio.out('No runs yet.\n');
  return 0;
}

/** The runs of all repositories, a heading for each. */
async function allRuns({ flags }: Arguments, stdio: Stdio): Promise<number> {
  const runs = readAllRecords();
  if (flags.json) {
    const facts = runs.map(async (run) => ({ repo: run.root, ...(await runFacts(run)) }));
    stdio.out(`${printableJson(await Promise.all(facts), 2)}\n`);
    return 0;
  }
  const byRoot = new Map<string, KnownRun[]>();
  for (const run of runs) byRoot.set(run.root, [...(byRoot.get(run.root) ?? []), run]);
  for (const [root, own] of byRoot) {
    stdio.out(`${printable(root)}\n`);
    for (const run of own) stdio.out(`  ${await runLine(run, stdio.width - 2)}\n`);
  }
  if (runs.length === 0) stdio.out('No runs yet.\n');
  return 0;
}

/** A run as scripts read it; `now` is there for one that lives and answers. */
async function runFacts(run: KnownRun) {
  const { stamp, liveness, summary } = run;
  const state = liveness === 'alive' ? await stateNow(run) : null;
  const now = state && {
    phase: state.phase,
    agents: state.agents.length,
    ended: state.agents.filter(isDone).length,
    cost_usd: moneyOf(state).isPartial ? null : moneyOf(state).spent,
    change: state.config.change,
  };
  return { run: stamp, alive: liveness !== 'dead', foreign: false, summary, ...(now && { now }) };
}

/** Why runs that lie here are only shown. */
function foreignNote(repo: Repository, count: number, copyOf: string | null): string {
  const one = count === 1;
  const tracked = [...repo.tracked.keys()].some((name) => name.startsWith('.aider_logs/'));
  const why =
    copyOf !== null
      ? `${one ? 'is' : 'are'} of ${copyOf}, of which this is a copy`
      : tracked
        ? 'came with the repository, which tracks .aider_logs'
        : `${one ? 'has' : 'have'} no record of ours: started elsewhere, or by an earlier version`;
  const runs = one ? 'A run lies' : 'Runs lie';
  const kept = 'Shown, but not landed, undone or cleaned up.';
  return `${runs} in .aider_logs and ${why}. ${kept}`;
}

function shippedSummary(repo: Repository, stamp: string): Summary | null {
  return readSummaryFile(logPaths(repo.root, stamp).summary);
}

function foreignLine(repo: Repository, stamp: string, width: number): string {
  const change = printable(shippedSummary(repo, stamp)?.change.split('\n', 1)[0] ?? '');
  return fitWidth(`${stamp}  not yours  ${change}`, width).trimEnd();
}

interface FoundRun {
  readonly stamp: string;
  readonly summary: Summary;
  /** Our record of it; null for one that only lies here. */
  readonly run: KnownRun | null;
}

function findRun(
  repo: Repository,
  name: string | undefined,
  wanted: (summary: Summary) => boolean = () => true,
): Result<FoundRun, Failure> {
  const { runs, foreign } = listRuns(repo);
  const hint = 'aider-orchestrator runs lists them.';
  if (name === undefined) {
    const last = runs.filter(({ summary }) => summary && wanted(summary)).at(-1);
    if (last?.summary) return ok({ stamp: last.stamp, summary: last.summary, run: last });
    const message = 'There is no finished run of yours in this repository.';
    return err({ kind: 'usage', message, ...(foreign.length > 0 ? { hint } : {}) });
  }
  const run = runs.find(({ stamp }) => stamp === name);
  if (run?.summary) return ok({ stamp: run.stamp, summary: run.summary, run });
  const shipped = foreign.includes(name) ? shippedSummary(repo, name) : null;
  if (shipped?.timestamp === name) return ok({ stamp: name, summary: shipped, run: null });
  if (run && waitsForResume(run) !== null) {
    const cut = `The run ${name} was cut off, and is not ended yet.`;
    return err({ kind: 'usage', message: cut, hint: waysOn(name).join('\n  ') });
  }
  const message = run
    ? run.liveness === 'dead'
      ? `The run ${name} has no summary.`
      : `The run ${name} is not finished yet.`
    : foreign.includes(name)
      ? `The summary of the run ${name} in .aider_logs was not written by aider-orchestrator.`
      : `There is no run ${printable(name)}.`;
  return err({ kind: 'usage', message, hint });
}

/** `show [RUN] [AGENT]`: a run's table; with an agent its diff and log. */
export async function showCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const repo = await openForHistory(args, stdio);
  if (!repo) return 2;
  const rest = [...args.rest];
  // A lone number names an agent of the last run; a run's name has 15 characters.
  const agent =
    rest.length > 0 && /^(agent)?\d{1,4}$/.test(rest.at(-1) as string) ? rest.pop() : undefined;
  const run = findRun(repo, rest[0]);
  if (!run.ok) {
    reportFailure(stdio, run.failure);
    return 2;
  }
  const summary = withPlaces(run.value.summary, repo.root);
  if (run.value.run === null) stdio.error(`! ${foreignNote(repo, 1, null)}\n`);
  if (agent !== undefined)
    return showAgent(repo, summary, agent.replace(/^agent/, ''), args, stdio);
  if (args.flags.json) {
    stdio.out(`${printableJson(summary, 2)}\n`);
    return 0;
  }
  stdio.out(`run ${summary.timestamp}  ${printable(summary.change.split('\n', 1)[0] ?? '')}\n\n`);
  stdio.out(`${summaryReport(summary, stdio.width, glyphsFor(environment())).join('\n')}\n`);
  return 0;
}

async function showAgent(
  repo: Repository,
  summary: Summary,
  index: string,
  { flags }: Arguments,
  stdio: Stdio,
): Promise<number> {
  const agent = summary.agents[`agent${Number(index)}`];
  if (!agent) {
    reportFailure(stdio, {
      kind: 'usage',
      message: `The run ${summary.timestamp} has no agent ${index}.`,
    });
    return 2;
  }
  if (flags.json) {
    stdio.out(`${printableJson(agent, 2)}\n`);
    return 0;
  }
  const where = agent.branch === '' ? 'on no branch' : `branch ${agent.branch}`;
  stdio.out(
    `agent${Number(index)}  ${printable(agent.task.title)}\n${agent.error ? `${printable(agent.error)}\n` : ''}${where}\n`,
  );
  if (agent.commit) {
    const diff = await git(repo.root, [
      'show',
      '--stat',
      '--patch',
      '--no-color',
      '--no-ext-diff',
      '--no-textconv',
      '--format=%n%H%n%B',
      '--end-of-options',
      `${agent.commit}^{commit}`,
      '--',
    ]);
    stdio.out(diff.ok ? `${printableLines(diff.value.stdout)}\n` : 'The commit is gone.\n');
  } else {
    stdio.out('No work was committed.\n');
  }
  const log = logPaths(repo.root, summary.timestamp).agentLog(Number(index));
  stdio.out(`Log ${printable(path.relative(repo.root, log))}\n`);
  try {
    for (const line of readFileSync(log, 'utf8').split('\n').filter(Boolean))
      stdio.out(`  ${printable(line)}\n`);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR', 'ELOOP')) throw error;
    stdio.out('  The log is gone.\n');
  }
  return 0;
}

/** Why a run that only lies here is not acted on. */
function notOurs(stamp: string, doing: string): Failure {
  return {
    kind: 'usage',
    message: `The run ${stamp} was not started from here by you, so it is not ${doing}.`,
    hint: `What is on its branches is yours to merge by hand: git branch --list '${runBranches(stamp)}*'`,
  };
}

/** `land [RUN]`: brings a finished run's merged work home, by the rules of every landing. */
export async function landCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const repo = await openForHistory(args, stdio);
  if (!repo) return 2;
  const found = findRun(repo, args.rest[0]);
  if (!found.ok) {
    reportFailure(stdio, found.failure);
    return 2;
  }
  const { stamp, summary, run } = found.value;
  if (run === null) {
    reportFailure(stdio, notOurs(stamp, 'landed'));
    return 2;
  }
  if (summary.landed) {
    stdio.out(`Run ${stamp} has landed already.\n`);
    return 0;
  }
  const { integration_commit: commit, integration_branch: merged } = summary;
  if (commit === null || merged === null) {
    reportFailure(stdio, {
      kind: 'usage',
      message: `Run ${stamp} merged nothing, so there is nothing to land.`,
    });
    return 1;
  }
  const tip = await gitText(
    repo.root,
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${merged}`],
    { answers: [1] },
  );
  if (!tip.ok || tip.value !== commit) {
    const where = tip.ok && tip.value !== '' ? `stands at ${tip.value.slice(0, 12)}` : 'is gone';
    stdio.error(
      `aider-orchestrator: not landed: ${merged} ${where}, and what was merged and tested is ${commit.slice(0, 12)}\n  To merge that by hand: git merge ${commit}\n`,
    );
    return 1;
  }
  const landing = await neighboursOf(run.file).inTurn(async () => {
    const done = await landCommit({
      repo: repo.root,
      base: summary.base,
      branch: summary.base_branch ?? repo.branch,
      commit,
      merged,
      later: `aider-orchestrator land ${stamp}`,
    });
    if (done.state === 'landed') recordLanding(run, commit, summary.base);
    return done;
  });
  if (landing.state !== 'landed') {
    const { reason, how } = landing.state === 'refused' ? landing : { reason: '', how: '' };
    stdio.error(`aider-orchestrator: not landed: ${printable(reason)}\n`);
    const intact = how.startsWith('git checkout ')
      ? `To bring it back: ${printable(how)}`
      : 'Nothing was touched.';
    stdio.error(`  ${intact} The work is on ${merged}; to merge it by hand: git merge ${merged}\n`);
    return 1;
  }
  updateSummary(run, {
    ...summary,
    landed: true,
    landed_commit: landing.commit,
    landing: `landed on ${landing.branch}, ${summary.tests?.merged ?? 'untested'}`,
    land_later: null,
  });
  stdio.out(`Landed ${landing.commit.slice(0, 12)} on ${printable(landing.branch)}.\n`);
  return 0;
}

/** `undo [RUN]`: takes the landing of a run back, the last one that landed when none is named. */
export async function undoCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const repo = await openForHistory(args, stdio);
  if (!repo) return 2;
  const hasLanded = (summary: Summary) => landedCommit(summary) !== null;
  const found = findRun(repo, args.rest[0], hasLanded);
  if (!found.ok) {
    const nothing: Failure = { kind: 'usage', message: 'No run has landed in this repository.' };
    reportFailure(stdio, args.rest[0] === undefined ? nothing : found.failure);
    return 2;
  }
  const { stamp, summary, run } = found.value;
  if (run === null) {
    reportFailure(stdio, notOurs(stamp, 'undone'));
    return 2;
  }
  const commit = landedCommit(summary);
  const branch = summary.base_branch;
  if (commit === null || branch === null) {
    stdio.out(`Run ${stamp} has not landed, so there is nothing to take back.\n`);
    return 0;
  }
  const base = summary.landed_from ?? summary.base;
  const undone = await undoLanding({ repo: repo.root, stamp, base, branch, commit });
  if (undone.state === 'refused') {
    stdio.error(`aider-orchestrator: not taken back: ${printable(undone.reason)}\n`);
    const way = undone.how === '' ? '' : ` A way on: ${undone.how}`;
    stdio.error(`  Nothing was touched.${way}\n`);
    return 1;
  }
  updateSummary(run, {
    ...summary,
    landed: false,
    landed_commit: null,
    landed_from: null,
    landing: `taken back from ${branch}`,
    land_later: `aider-orchestrator land ${stamp}`,
  });
  const merged = summary.integration_branch;
  const kept = merged !== null && branchesNow(repo.root, stamp)?.get(commit)?.includes(merged);
  const where = kept
    ? `The work is still on ${merged}; aider-orchestrator land ${stamp} lands it again.`
    : `The work is the commit ${commit}.`;
  stdio.out(
    `${printable(branch)} is at ${base.slice(0, 12)} again, as before run ${stamp}. ${where}\n`,
  );
  return 0;
}

/** What a run has landed last; null when nothing, or when it was taken back. */
function landedCommit({ landed, landed_commit, integration_commit }: Summary): string | null {
  return landed_commit ?? (landed ? integration_commit : null);
}
