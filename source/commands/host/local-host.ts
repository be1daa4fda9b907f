import type { RunPort } from '../../app/ports.js';
import type { Failure } from '../../core/policy/failure.js';
import { ok, type Result } from '../../core/result.js';
import type { AiderLauncher } from '../../services/agents/aider/launcher.js';
import type { Repository } from '../../services/git/repository.js';
import { logPaths } from '../../services/logs/log-paths.js';
import type { AiderCommand, Overrides } from '../aider-command.js';
import type { LiveRunOptions } from '../compose/live-run-options.js';
import type { LeftRunHere } from '../find-left-run.js';
import type { LiveRun } from '../live-run.js';
import type { OpenedRun } from '../open-run.js';
import type { RepoKnowledge } from '../repo-knowledge.js';
import { makeLiveRecord } from './live-record.js';
import type { BeginOrder, OpenedParts, ResumeOrder } from './orders.js';
import type { HeldRun, RunHost } from './run-host.js';
import { runPort } from './run-port.js';
import { type ServedRun, serveRun } from './serve-run.js';

/** A run that is open, and what others see of it. */
export interface OpenedHere {
  /** Its stamp. */
  readonly run: string;
  readonly live: LiveRun;
  readonly served: ServedRun;
}

export interface LocalHostOptions {
  readonly overrides: Overrides;
  readonly warn: (text: string) => void;
  readonly geminiKey: () => string | null;
  /** Told before a run that is gone on with. */
  readonly say: (text: string) => void;
  /** Told each time the run has finished. */
  readonly onFinish?: () => void;
  readonly onWatchers?: (count: number) => void;
  /** The run is there, and has not begun. */
  readonly onOpen?: (opened: OpenedHere) => Promise<void>;
}

interface Prepared {
  readonly launcher: AiderLauncher;
  readonly knowledge: RepoKnowledge;
}

/** Runs a run in this process: it ends with it. */
export class LocalHost implements RunHost {
  private preparing: Promise<Prepared> | null = null;

  constructor(private readonly options: LocalHostOptions) {}

  prepare(repo: Repository, opened: OpenedRun, aider: AiderCommand | null): void {
    this.preparing = this.prepareNow(repo, opened, aider);
  }

  /** The same when the repository has been read; a run that is begun meanwhile waits for it. */
  prepareWhen(
    reading: Promise<Result<Repository, Failure>>,
    opened: OpenedParts,
    aider: AiderCommand | null,
  ): void {
    this.preparing = reading.then((repo) => {
      // A run in a repository that cannot be read is refused before it asks for this.
      if (!repo.ok) throw new Error('the repository cannot be read');
      return this.prepareNow(repo.value, { ...opened, repo: repo.value }, aider);
    });
    // It is told to who asks for what was to be prepared.
    this.preparing.catch(() => {});
  }

  async digest(change: string, focus: readonly string[]): Promise<string> {
    return (await this.prepared()).knowledge.digest(change, focus);
  }

  async begin(order: BeginOrder, repo: Repository): Promise<Result<HeldRun, Failure>> {
    const { config, opened, agentArgs, geminiKey, aider, plan } = order;
    const { launcher, knowledge } = await this.prepared();
    const record = makeLiveRecord(config.stamp, order.record);
    if (!record.ok) return record;
    const { change } = config;
    const run = { ...opened, repo, change, agentArgs, geminiKey, aider, launcher, knowledge };
    return ok(
      await this.open({
        config,
        run,
        paths: logPaths(config.repo, config.stamp),
        record: record.value,
        repoFlag: order.repoFlag,
        plan: async () => ok(plan),
        from: null,
      }),
    );
  }

  async resume(
    { opened, geminiKey, repoFlag }: ResumeOrder,
    left: LeftRunHere,
    repo: Repository,
  ): Promise<Result<HeldRun, Failure>> {
    const { overrides, say } = this.options;
    const { openLeftRun } = await import('../open-left-run.js');
    const { planWith } = await import('../compose/planning.js');
    const parts = await openLeftRun(left, { ...opened, repo }, geminiKey, false, overrides, say);
    if (!parts.ok) return parts;
    const { config, run, paths } = parts.value;
    const plan = planWith(config, run, paths);
    return ok(await this.open({ ...parts.value, repoFlag, plan }));
  }

  async close(): Promise<void> {
    const prepared = await this.preparing?.catch(() => null);
    if (!prepared) return;
    const { launcher, knowledge } = prepared;
    knowledge.stop();
    launcher.close();
    await knowledge.settled();
  }

  private prepared(): Promise<Prepared> {
    if (this.preparing === null) throw new Error('the host was not told what to prepare');
    return this.preparing;
  }

  private async prepareNow(
    repo: Repository,
    { options, handed }: OpenedRun,
    aider: AiderCommand | null,
  ): Promise<Prepared> {
    const { launcherFor } = await import('../prepare-run.js');
    const { RepoKnowledge } = await import('../repo-knowledge.js');
    const launcher = launcherFor(aider, options, options.agentCmd === null);
    const knowledge = new RepoKnowledge(repo, aider, options.model, launcher, handed);
    return { launcher, knowledge };
  }

  private async open(
    given: Omit<
      LiveRunOptions,
      'confirm' | 'warn' | 'geminiKey' | 'observers' | 'telemetry' | 'onFinish'
    >,
  ): Promise<HeldRun> {
    const { warn, geminiKey, onFinish, onWatchers, onOpen } = this.options;
    const { openLiveRun } = await import('../live-run.js');
    const { openTelemetry } = await import('../compose/telemetry.js');
    // The run takes them with it.
    this.preparing = null;
    let served: ServedRun | null = null;
    // What is to be told before there is anybody who hears it.
    const early: string[] = [];
    let hears = false;
    const tell = (text: string) => {
      warn(text);
      if (hears) served?.warn(text);
      else early.push(text);
    };
    const { config, paths, record, from } = given;
    const telemetry = await openTelemetry(config, paths, record, from !== null, tell);
    const live = openLiveRun({
      ...given,
      confirm: async () => true,
      warn: tell,
      telemetry,
      geminiKey,
      observers: [(after, before, message) => served?.observe(after, before, message)],
      onFinish: () => {
        served?.finished();
        onFinish?.();
      },
    });
    served = await serveRun(live, given.paths, given.record, warn, onWatchers);
    await onOpen?.({ run: given.config.stamp, live, served });
    hears = true;
    for (const text of early) served.warn(text);
    await live.begin();
    return heldHere(runPort(live, given.paths), live, served);
  }
}

/** A run of this process. */
function heldHere(port: RunPort, live: LiveRun, served: ServedRun): HeldRun {
  return {
    port,
    lost: new Promise(() => {}),
    isLeft: () => false,
    isLost: () => false,
    // It is in this process's environment.
    hasKey: () => null,
    setKey: () => {},
    // Its own screen sets its sizes itself.
    used: () => {},
    close: async () => {
      await served.close();
      await live.close();
    },
  };
}
