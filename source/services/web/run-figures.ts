import { statSync } from 'node:fs';
import { Counter, Gauge, Registry } from 'prom-client';
import { iterations, outcomeOf, outcomeReason } from '../../core/agent/agent.js';
import { JournalReader } from '../../core/run/journal.js';
import { type RunState, runTime } from '../../core/run/run.js';
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
      const state = this.stateOf(run);
      if (state === null) continue;
      if (run.liveness === 'alive') figures.living.inc();
      tell(figures, run, state, this.now());
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
  private stateOf(run: KnownRun): RunState | null {
    const known = this.followed.get(run.file) ?? {
      file: new FollowedFile(journalFile(run.file)),
      reader: new JournalReader(run.stamp),
      isBroken: false,
    };
    this.followed.set(run.file, known);
    unless(unreadable, undefined, () => {
      for (const line of known.isBroken ? [] : known.file.lines()) {
        if (known.reader.read(line) === null) continue;
        // Of a journal that cannot be read, nothing is believed.
        known.isBroken = true;
        break;
      }
    });
    return known.isBroken ? null : known.reader.run;
  }
}

const own = ['run', 'repository'] as const;

function figuresIn(registry: Registry) {
  const gauge = (name: string, help: string, ...labels: string[]) =>
    new Gauge({
      name: `aider_orchestrator_${name}`,
      help,
      labelNames: [...own, ...labels],
      registers: [registry],
    });
  const counter = (name: string, help: string, ...labels: string[]) =>
    new Counter({
      name: `aider_orchestrator_${name}`,
      help,
      labelNames: [...own, ...labels],
      registers: [registry],
    });
  return {
    living: new Gauge({
      name: 'aider_orchestrator_living_runs',
      help: 'Runs that go on.',
      registers: [registry],
    }),
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
    failures: counter('run_failures_total', 'Agents and attempts that failed.', 'of', 'reason'),
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
  // A run that was cut off takes no time any more.
  const until = known.liveness === 'alive' ? now : (state.endedAt ?? state.startedAt);
  figures.duration.set(labels, runTime(state, until) / 1000);
  figures.merged.set(labels, state.integration?.merged.length ?? 0);
  figures.landed.set(labels, state.landed === null ? 0 : 1);
  if (phase === 'finished') figures.exitCode.set(labels, exitCode(state));
  figures.paused.set(labels, state.paused ? 1 : 0);
  figures.waiting.set(labels, state.rate?.waiting ?? 0);
  for (const agent of agents) {
    figures.agents.inc({ ...labels, state: agent.state.name });
    figures.attempts.inc(labels, agent.attempts.length);
    figures.iterations.inc(labels, iterations(agent));
    const outcome = outcomeOf(agent);
    if (outcome && outcome.state !== 'succeeded') {
      figures.failures.inc({
        ...labels,
        of: 'agent',
        reason: outcomeReason(outcome) ?? outcome.state,
      });
    }
    for (const { verdict } of agent.attempts) {
      if (verdict === null || verdict === 'ok') continue;
      figures.failures.inc({ ...labels, of: 'attempt', reason: verdict });
    }
  }
  const used = [...agents.map(({ usage }) => usage), state.reviewUsage];
  for (const usage of used) {
    figures.tokens.inc({ ...labels, type: 'input' }, usage.promptTokens);
    figures.tokens.inc({ ...labels, type: 'output' }, usage.completionTokens);
    figures.cost.inc(labels, usage.knownCost);
  }
}
