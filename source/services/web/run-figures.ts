import { statSync } from 'node:fs';
import { Counter, Gauge, Registry } from 'prom-client';
import { iterations } from '../../core/agent/agent.js';
import { JournalReader } from '../../core/run/journal.js';
import { type RunState, runTime } from '../../core/run/run.js';
import { RunSpans } from '../../core/run/run-spans.js';
import { exitCode } from '../../core/run/summary.js';
import { unless, unreadable } from '../files/private-files.js';
import { FollowedFile } from '../logs/followed-file.js';
import { journalFile, type KnownRun } from '../records/run-records.js';

/** A run that has ended is told of for so long, so that its end is seen, milliseconds. */
const toldAfterMs = 60 * 60_000;

/** A run of which figures are told, as far as its journal was read. */
interface Followed {
  readonly file: FollowedFile;
  readonly reader: JournalReader;
  /** What has failed so far, by what and why: it never gets less. */
  readonly failures: Map<string, number>;
  isBroken: boolean;
}

/** The figures of all runs of this user, as Prometheus reads them. */
export class RunFigures {
  private readonly followed = new Map<string, Followed>();

  /** @param runs all that are known now */
  constructor(
    private readonly runs: () => readonly KnownRun[],
    private readonly now: () => number = Date.now,
  ) {}

  /** In the text format of Prometheus. */
  text(): Promise<string> {
    const known = this.runs().filter(
      (run) => run.liveness === 'alive' || this.hasEndedLately(run.file),
    );
    this.forgetAllBut(new Set(known.map(({ file }) => file)));
    const registry = new Registry();
    const figures = figuresIn(registry);
    figures.living.set(0);
    for (const run of known) {
      // A change that is still being typed has no state.
      const read = this.read(run);
      const state = read?.reader.run;
      if (!read || !state) continue;
      const isAlive = run.liveness === 'alive';
      // One that has ended may still be looked at.
      if (isAlive && state.phase !== 'finished') figures.living.inc();
      tell(figures, run, state, isAlive ? this.now() : read.reader.at);
      tellFailures(figures, run, read.failures);
    }
    return registry.metrics();
  }

  get type(): string {
    return new Registry().contentType;
  }

  close(): void {
    this.forgetAllBut(new Set());
  }

  private hasEndedLately(file: string): boolean {
    const stats = unless(unreadable, null, () => statSync(journalFile(file)));
    return stats !== null && this.now() - stats.mtimeMs < toldAfterMs;
  }

  private forgetAllBut(files: ReadonlySet<string>): void {
    for (const [file, { file: open }] of this.followed) {
      if (files.has(file)) continue;
      open.close();
      this.followed.delete(file);
    }
  }

  /** What is new is read on; null where nothing can be told. */
  private read(run: KnownRun): Followed | null {
    const known = this.followed.get(run.file) ?? follow(run);
    this.followed.set(run.file, known);
    unless(unreadable, undefined, () => {
      for (const line of known.isBroken ? [] : known.file.lines()) {
        if (known.reader.read(line) === null) continue;
        // Of a journal that cannot be read, nothing is believed.
        known.isBroken = true;
        break;
      }
    });
    return known.isBroken ? null : known;
  }
}

function follow(run: KnownRun): Followed {
  const failures = new Map<string, number>();
  const spans = new RunSpans();
  const reader = new JournalReader(run.stamp, (after, before, message) => {
    for (const telling of spans.take(after, before, message)) {
      if (telling.tells !== 'measure' || telling.measure !== 'failures') continue;
      const name = JSON.stringify([telling.attributes['of'], telling.attributes['reason']]);
      failures.set(name, (failures.get(name) ?? 0) + telling.value);
    }
  });
  return { file: new FollowedFile(journalFile(run.file)), reader, failures, isBroken: false };
}

const own = ['run', 'repository'] as const;

function figuresIn(registry: Registry) {
  const named = (name: string, help: string, labels: readonly string[]) => ({
    name: `aider_orchestrator_${name}`,
    help,
    labelNames: [...own, ...labels],
    registers: [registry],
  });
  const gauge = (name: string, help: string, ...labels: string[]) =>
    new Gauge(named(name, help, labels));
  const counter = (name: string, help: string, ...labels: string[]) =>
    new Counter(named(name, help, labels));
  return {
    living: new Gauge({
      name: 'aider_orchestrator_living_runs',
      help: 'Runs that go on.',
      registers: [registry],
    }),
    alive: gauge(
      'run_alive',
      '1 while the program of a run is there; 0 before its end: it was cut off.',
    ),
    info: gauge('run_info', 'What a run is made with; always 1.', 'model', 'branch', 'agent'),
    phase: gauge('run_phase', 'The phase a run is in; always 1.', 'phase'),
    duration: gauge('run_duration_seconds', 'Time a run has taken.'),
    agents: gauge('run_agents', 'Agents by their state.', 'state'),
    merged: gauge('run_agents_merged', 'Agents whose work is merged.'),
    landed: gauge('run_landed', '1 once the work has landed.'),
    exitCode: gauge('run_exit_code', 'What a run has ended with.'),
    paused: gauge('run_paused', '1 while nothing new starts.'),
    waiting: gauge('run_requests_waiting', "Requests that wait for the provider's limit."),
    attempts: counter('run_attempts_total', 'Processes of agents that were started.'),
    iterations: counter('run_iterations_total', 'Answers of models.'),
    tokens: counter('run_tokens_total', 'Tokens of agents and reviews.', 'type'),
    cost: counter('run_cost_usd_total', 'US dollars, as far as prices are known.'),
    failures: counter(
      'run_failures_total',
      'What has failed: agents, attempts, tests.',
      'of',
      'reason',
    ),
  };
}

function tell(
  figures: ReturnType<typeof figuresIn>,
  known: KnownRun,
  state: RunState,
  now: number,
): void {
  const { config, agents, phase } = state;
  const labels = { run: config.stamp, repository: known.root };
  figures.info.set(
    { ...labels, model: config.model, branch: config.branch ?? '', agent: config.agent.kind },
    1,
  );
  figures.phase.set({ ...labels, phase }, 1);
  figures.alive.set(labels, known.liveness === 'alive' ? 1 : 0);
  figures.duration.set(labels, runTime(state, now) / 1000);
  figures.merged.set(labels, state.integration?.merged.length ?? 0);
  figures.landed.set(labels, state.landed === null ? 0 : 1);
  if (phase === 'finished') figures.exitCode.set(labels, exitCode(state));
  figures.paused.set(labels, state.paused ? 1 : 0);
  figures.waiting.set(labels, state.rate?.waiting ?? 0);
  for (const agent of agents) {
    figures.agents.inc({ ...labels, state: agent.state.name });
    figures.attempts.inc(labels, agent.attempts.length);
    figures.iterations.inc(labels, iterations(agent));
  }
  const used = [...agents.map(({ usage }) => usage), state.reviewUsage];
  for (const usage of used) {
    figures.tokens.inc({ ...labels, type: 'input' }, usage.promptTokens);
    figures.tokens.inc({ ...labels, type: 'output' }, usage.completionTokens);
    figures.cost.inc(labels, usage.knownCost);
  }
}

function tellFailures(
  figures: ReturnType<typeof figuresIn>,
  { stamp, root }: KnownRun,
  failures: ReadonlyMap<string, number>,
): void {
  for (const [name, count] of failures) {
    const [of, reason] = JSON.parse(name) as [string, string];
    figures.failures.inc({ run: stamp, repository: root, of, reason }, count);
  }
}
