import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Summary } from '../../source/core/run/summary.js';
import { eventually } from '../eventually.js';
import { endHosts, hostsOf } from '../processes.js';
import {
  git,
  lastSummary,
  makeRepo,
  readLines,
  recordOf,
  runCli,
  runPlan,
  startPlan,
  type World,
} from '../rig.js';
import { key, openScreen } from '../screen-rig.js';
import { lineWriter } from '../stand-in-aider.js';
import {
  type Agents,
  canRun,
  keptLeft,
  randomMoments,
  startFiles,
  tasks,
  worktreesLeft,
  worldOf,
} from './killed-runs.js';

/** How often a run is killed, and within how many milliseconds of its start. */
const ways = [
  { name: 'a stand-in', rounds: Number(process.env['RESUME_ROUNDS'] ?? 6), most: 2200 },
  { name: 'real Aider', rounds: Number(process.env['RESUME_AIDER_ROUNDS'] ?? 3), most: 6000 },
] as const;

const flags = ['--test-cmd', 'sleep 0.1', '--max-agents', '2'];

function resume(repo: string, { env, aiderFlags, afterFlags }: World, ...args: string[]) {
  const own = ['resume', ...args, ...aiderFlags, ...afterFlags];
  return runCli(own, { cwd: repo, env });
}

/** What the journal of the latest run tells, a message each. */
function journalOf(repo: string): { type: string }[] {
  const runs = path.join(repo, '.aider_logs/runs');
  const last = existsSync(runs) ? readdirSync(runs).sort().at(-1) : undefined;
  const file = path.join(runs, last ?? '', 'journal.jsonl');
  if (last === undefined || !existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(1, -1);
  return lines.map((line) => JSON.parse(line));
}

/** Processes that work in a folder of this world, by the system's own list. */
function processesIn({ home }: World): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(home) ? [command] : [];
      } catch {
        return [];
      }
    });
}

/** Where a run is when it is killed. */
const hosting = ['a host', 'the program that was started'] as const;

/** Kills a run so many milliseconds after its start; false where it had ended before. */
async function killedAfter(
  ms: number,
  isHosted: boolean,
  repo: string,
  where: World,
): Promise<boolean> {
  const running = startPlan(repo, where, tasks, [...flags, ...(isHosted ? ['--detach'] : [])]);
  const moment = new Promise((resolve) => setTimeout(resolve, ms));
  if (!isHosted) {
    await Promise.race([moment, running.end]);
    running.child.kill('SIGKILL');
    return (await running.end).signal !== null;
  }
  await moment;
  // Where the machine is slow it begins later.
  await eventually(() => {
    expect(hostsOf(where.home).length > 0 || running.child.exitCode !== null).toBe(true);
  });
  const hosts = hostsOf(where.home);
  endHosts(where.home);
  await running.end;
  return hosts.length > 0;
}

/** What is left of a run that has ended, without times and the names of its commits. */
interface Told {
  readonly tree: string;
  readonly summary: unknown;
  /** The events of each agent's log that are ours. */
  readonly logs: readonly (readonly string[])[];
}

const ourEvents = [
  'prepared',
  'started',
  'assistant_response',
  'asked',
  'exited',
  'lost',
  'judged',
];

function toldOf(repo: string, summary: Summary): Told {
  const agents = Object.values(summary.agents);
  const logs = agents.map(({ log_file }) =>
    readLines(path.join(repo, log_file))
      .filter(({ event }) => [...ourEvents, 'outcome'].includes(event))
      .map(({ event, iteration }) => (iteration === undefined ? event : `${event} ${iteration}`)),
  );
  const kept = agents.map((agent) => ({
    ...agent,
    ...{ log_file: '', branch: '', commit: '', duration_s: 0, attempts: 0 },
    ...{ prompt_tokens: 0, completion_tokens: 0 },
    tests: agent.tests?.replace(/\d.*/, ''),
  }));
  const { total_iterations, successful_agents, failed_agents, landed, exit_code } = summary;
  return {
    tree: git(repo, 'rev-parse', 'HEAD^{tree}'),
    summary: { kept, total_iterations, successful_agents, failed_agents, landed, exit_code },
    logs,
  };
}

/** What counts of a log, where an attempt was lost: it was made once, answered, ended. */
function essence(events: readonly string[]): string[] {
  return events.filter((event) => /^(prepared|assistant_response|outcome)/.test(event));
}

async function toldOfWhole(who: Agents): Promise<Told> {
  const { where } = await worldOf(who);
  const repo = makeRepo(startFiles);
  const { summary } = await runPlan(repo, where, tasks, flags);
  return toldOf(repo, summary);
}

describe.each(ways)(
  'a run that is killed at a random moment and resumed ends as one that was not, with $name',
  ({ name: who, rounds, most }) => {
    const seed = Number(process.env['RESUME_SEED'] ?? Date.now() % 1_000_000);
    const moments = randomMoments(seed, rounds, most);
    let undisturbed: Promise<Told> | null = null;
    test.runIf(canRun(who)).for(moments.map((ms, round) => [ms, hosting[round % 2]] as const))(
      `%i ms, run in %s, seed ${seed}`,
      { timeout: 120_000 },
      async ([ms, hosted]) => {
        undisturbed ??= toldOfWhole(who);
        const whole = await undisturbed;
        const { where, server } = await worldOf(who);
        const repo = makeRepo(startFiles);
        const base = git(repo, 'rev-parse', 'HEAD');
        const killed = await killedAfter(300 + ms, hosted === 'a host', repo, where);
        const before = journalOf(repo);
        const resumed = await resume(repo, where);
        const said = resumed.stdout + resumed.stderr;
        const hasBegun = before.some(({ type }) => type === 'plan_made');
        const hasEnded = before.some(({ type }) => type === 'landing_done') || !killed;
        if (!hasBegun || (hasEnded && resumed.code === 2)) {
          // Nothing of it is left to do, or nothing was begun: said, and nothing is blocked.
          expect(resumed.code, said).toBe(2);
          expect(said).toMatch(/cannot be gone on with|No run here can be gone on with/);
          if (!hasBegun) expect((await runPlan(repo, where, tasks, flags)).code).toBe(0);
          return;
        }
        expect(resumed.code, said).toBe(0);
        expect(git(repo, 'rev-parse', 'HEAD')).not.toBe(base);
        expect(git(repo, 'status', '--porcelain')).toBe('');
        for (const name of Object.keys(startFiles)) {
          expect(readFileSync(path.join(repo, name), 'utf8'), said).toBe('1\nby an agent\n');
        }
        const summary = lastSummary(repo, resumed);
        expect(summary).toMatchObject({ successful_agents: 3, failed_agents: 0, landed: true });
        expect(summary.total_iterations, said).toBe(3);
        const told = toldOf(repo, summary);
        expect(told.tree).toBe(whole.tree);
        expect(told.summary).toEqual(whole.summary);
        for (const [agent, events] of told.logs.entries()) {
          const isLost = events.includes('lost');
          expect(isLost ? essence(events) : events, said).toEqual(
            isLost ? essence(whole.logs[agent] ?? []) : whole.logs[agent],
          );
        }
        expect([...worktreesLeft(where), ...keptLeft(where)]).toEqual([]);
        await eventually(() => expect(processesIn(where)).toEqual([]));
        // A message whose answer was not there yet is sent again, and no other one.
        const lost = journalOf(repo).filter(({ type }) => type === 'attempt_lost').length;
        if (server) expect(server.requests.length).toBeLessThanOrEqual(3 + lost);
        const again = await resume(repo, where);
        expect(again.code, again.stdout + again.stderr).toBe(2);
      },
    );
  },
);

/** A run that is killed while its first agents work. */
async function killedAtWork(where: World, repo: string): Promise<string> {
  const running = startPlan(repo, where, tasks, flags);
  await eventually(() => expect(journalOf(repo).map(({ type }) => type)).toContain('turn_started'));
  running.child.kill('SIGKILL');
  await running.end;
  return readdirSync(path.join(repo, '.aider_logs/runs')).sort().at(-1) ?? '';
}

test('what lies in the repository is not believed: a forged journal, or none at all', async () => {
  const where = lineWriter(0.25);
  const repo = makeRepo(startFiles);
  const stamp = await killedAtWork(where, repo);
  const journal = path.join(repo, '.aider_logs/runs', stamp, 'journal.jsonl');
  const forged = readFileSync(journal, 'utf8').replaceAll('sleep 0.1', 'touch owned; false');
  expect(forged).toContain('owned');
  writeFileSync(journal, forged);
  const resumed = await resume(repo, where, stamp);
  expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
  const other = await killedAtWork(where, makeRepo(startFiles, path.join(where.home, 'other')));
  rmSync(path.join(where.home, 'other/.aider_logs'), { recursive: true });
  const second = await resume(path.join(where.home, 'other'), where, other);
  expect(second.code, second.stdout + second.stderr).toBe(0);
});

test('a run that was interrupted goes on; where its branch has moved, that is said, and it lands on top', async () => {
  const where = lineWriter(0.25);
  const repo = makeRepo(startFiles);
  const running = startPlan(repo, where, tasks, flags);
  await eventually(() => expect(journalOf(repo).map(({ type }) => type)).toContain('turn_started'));
  running.child.kill('SIGINT');
  expect((await running.end).code).toBe(130);
  writeFileSync(path.join(repo, 'd.txt'), 'of a person\n');
  git(repo, 'add', '-A');
  git(repo, 'commit', '-q', '-m', 'Meanwhile');
  const resumed = await resume(repo, where);
  expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
  expect(resumed.stdout).toContain('main has moved since the run began');
  for (const name of Object.keys(startFiles)) {
    expect(readFileSync(path.join(repo, name), 'utf8')).toContain('by an agent');
  }
  expect(readFileSync(path.join(repo, 'd.txt'), 'utf8')).toBe('of a person\n');
});

test('a run that lives, one that there is not, one that has ended: each is refused with its reason', async () => {
  const where = lineWriter(0.4);
  const repo = makeRepo(startFiles);
  const none = await resume(repo, where);
  expect(none).toMatchObject({ code: 2 });
  expect(none.stderr).toContain('No run here can be gone on with');
  expect((await resume(repo, where, '20200101_000000')).stderr).toContain('There is no run');
  expect((await resume(repo, where, 'a', 'b')).stderr).toContain('resume takes one run');
  const running = startPlan(repo, where, tasks, flags);
  await eventually(() => expect(journalOf(repo).map(({ type }) => type)).toContain('turn_started'));
  const stamp = readdirSync(path.join(repo, '.aider_logs/runs')).sort().at(-1) ?? '';
  expect((await resume(repo, where, stamp)).stderr).toContain('is still running');
  expect((await running.end).code).toBe(0);
  expect((await resume(repo, where, stamp)).stderr).toContain('its work has landed');
  // Of one whose own journal is gone nothing can be known.
  const cut = await killedAtWork(where, repo);
  rmSync(recordOf(where, cut).replace(/jsonl$/, 'journal.jsonl'));
  expect((await resume(repo, where, cut)).stderr).toContain('its journal is gone');
});

test('clean leaves a run that can be resumed alone, unless it is told to', async () => {
  const where = lineWriter(0.25);
  const repo = makeRepo(startFiles);
  const stamp = await killedAtWork(where, repo);
  const run = (...args: string[]) => runCli(args, { cwd: repo, env: where.env });
  const runs = await run('runs');
  expect(runs.stdout).toMatch(
    new RegExp(`${stamp}  cut off after \\d of 3 agents, can be resumed`),
  );
  for (const command of ['show', 'land']) {
    const { stderr } = await run(command, stamp);
    expect(stderr).toContain(`The run ${stamp} was cut off`);
    expect(stderr).toContain(`To go on with it: aider-orchestrator resume ${stamp}`);
    expect(stderr).toContain(`aider-orchestrator stop ${stamp}`);
  }
  const before = worktreesLeft(where);
  expect(before).not.toEqual([]);
  const kept = await run('clean');
  expect(kept.stdout).toContain(`kept, as it can be gone on with`);
  // A run without a screen says that it is there, and leaves it alone too.
  const next = await runPlan(repo, where, tasks, flags);
  expect(next.code, next.stderr).toBe(0);
  expect(next.stderr).toContain(`Run ${stamp} (One; Two; Three) was cut off`);
  expect(worktreesLeft(where)).toEqual(before);
  expect(git(repo, 'branch', '--list', 'aider/*')).not.toBe('');
  const cleaned = await run('clean', '--yes');
  expect(cleaned.code).toBe(0);
  expect(git(repo, 'branch', '--list', 'aider/*')).toBe('');
  expect((await run('runs')).stdout).not.toContain('can be resumed');
  expect((await resume(repo, where, stamp)).stderr).toContain('it was cleaned up');
});

test.each([
  ['is gone after resume', false],
  ['stays, and is told of, where somebody has worked in it since', true],
])('a worktree whose work was committed when its program died %s', async (_, isTouched) => {
  const where = lineWriter(0.25);
  const repo = makeRepo(startFiles);
  const running = startPlan(repo, where, tasks, flags);
  await eventually(() =>
    expect(journalOf(repo).map(({ type }) => type)).toContain('agent_committed'),
  );
  running.child.kill('SIGKILL');
  await running.end;
  const stamp = readdirSync(path.join(repo, '.aider_logs/runs')).sort().at(-1) ?? '';
  const done = journalOf(repo).find(({ type }) => type === 'agent_committed') as unknown as {
    agent: number;
  };
  const made = readLines(recordOf(where, stamp)) as unknown as { agent?: number; path: string }[];
  const worktree = made.find(({ agent }) => agent === done.agent)?.path ?? '';
  // As it was a moment before.
  if (!existsSync(worktree)) {
    git(repo, 'worktree', 'add', '-q', '--force', worktree, `aider/${stamp}/agent${done.agent}`);
  }
  if (isTouched) writeFileSync(path.join(worktree, 'mine.txt'), 'by hand\n');
  const resumed = await resume(repo, where, stamp);
  expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
  if (isTouched) {
    expect(resumed.stderr).toContain(`The worktree ${worktree} is left as it is`);
    expect(readFileSync(path.join(worktree, 'mine.txt'), 'utf8')).toBe('by hand\n');
    return;
  }
  expect([...worktreesLeft(where), ...keptLeft(where)]).toEqual([]);
  expect(git(repo, 'worktree', 'list').split('\n')).toHaveLength(1);
});

test('stop ends a run that was cut off: its work is on branches, from which it can still be gone on with', async () => {
  const where = lineWriter(0.25);
  const repo = makeRepo(startFiles);
  const stamp = await killedAtWork(where, repo);
  const run = (...args: string[]) => runCli(args, { cwd: repo, env: where.env });
  const stopped = await run('stop', stamp);
  expect(stopped.code, stopped.stderr).toBe(0);
  expect(stopped.stderr).toContain(`To go on with it: aider-orchestrator resume ${stamp}`);
  expect([...worktreesLeft(where), ...keptLeft(where)]).toEqual([]);
  expect((await run('runs')).stdout).toMatch(/of 3 agents succeeded.*can be resumed/);
  expect((await run('stop', stamp)).stderr).toContain('has ended');
  expect((await resume(repo, where, stamp)).code).toBe(0);
});

test('the next start on a terminal offers it by name: no closes its books, yes goes on on the screen', async () => {
  const where = lineWriter(0.25);
  const repo = makeRepo(startFiles);
  const stamp = await killedAtWork(where, repo);
  const flagsHere = ['--no-prd', ...where.aiderFlags];
  const app = openScreen(flagsHere, { cwd: repo, env: where.env });
  await app.shows(
    new RegExp(`Run ${stamp} \\(.*\\) was cut off; last heard of .* ago, 0 of 3 agents had ended`),
  );
  await app.press('y\r', /3 of 3|succeeded|landed/);
  await app.shows(/landed/);
  app.type('q');
  await app.end();
  expect(readFileSync(path.join(repo, 'c.txt'), 'utf8')).toBe('1\nby an agent\n');
  const other = makeRepo(startFiles);
  const second = await killedAtWork(where, other);
  const no = openScreen(flagsHere, { cwd: other, env: where.env });
  await no.shows(/Go on with it\?/);
  await no.press('n\r', /What is to be changed/);
  no.type(key.ctrl('c'));
  await no.end();
  const runs = await runCli(['runs'], { cwd: other, env: where.env });
  expect(runs.stdout).toMatch(new RegExp(`${second}.*can be resumed`));
});

test('a run that was killed while it was being ended is ended first, then it goes on', async () => {
  // It takes a second to end an agent that does not hear.
  const deaf = [
    'import os, signal',
    'signal.signal(signal.SIGINT, signal.SIG_IGN)',
    "open(os.environ['HOME'] + '/deaf', 'w').close()",
    'time.sleep(1.5)',
  ];
  const where = lineWriter(0, deaf.join('\n'));
  const repo = makeRepo(startFiles);
  const running = startPlan(repo, where, tasks, flags);
  const told = () => journalOf(repo).map(({ type }) => type);
  await eventually(() => expect(existsSync(path.join(where.home, 'deaf'))).toBe(true));
  running.child.kill('SIGINT');
  await eventually(() => expect(told()).toContain('interrupt'));
  running.child.kill('SIGKILL');
  await running.end;
  expect(told()).not.toContain('agent_committed');
  const resumed = await resume(repo, where);
  expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
  for (const name of Object.keys(startFiles)) {
    expect(readFileSync(path.join(repo, name), 'utf8')).toContain('by an agent');
  }
  expect([...worktreesLeft(where), ...keptLeft(where)]).toEqual([]);
});

test.each<[string, (journal: string) => void, RegExp]>([
  [
    'foreign',
    (file) => appendFileSync(file, '{"type":"dance","at":1}\n'),
    /line \d+ is no message/,
  ],
  ['huge', (file) => truncateSync(file, 300 * 1024 * 1024), /it is too large/],
  ['half', (file) => appendFileSync(file, '{"type":"kill_a'), /The work landed/],
])(
  'an own journal that is %s: refused with its reason, or gone on with',
  async (_, damage, said) => {
    const where = lineWriter(0.25);
    const repo = makeRepo(startFiles);
    const stamp = await killedAtWork(where, repo);
    damage(recordOf(where, stamp).replace(/jsonl$/, 'journal.jsonl'));
    const resumed = await resume(repo, where);
    expect(resumed.stdout + resumed.stderr).toMatch(said);
    expect(resumed.stdout + resumed.stderr).not.toContain('internal error');
    // Nothing is blocked: its books are closed by the next start.
    const runs = await runCli(['runs'], { cwd: repo, env: where.env });
    expect(runs).toMatchObject({ code: 0 });
    expect(runs.stdout).toContain(stamp);
  },
);
