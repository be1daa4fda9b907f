import { rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Failure } from '../../core/policy/failure.js';
import { geminiKeyVariables } from '../../core/policy/providers.js';
import { ok, type Result } from '../../core/result.js';
import { findAider } from '../../services/agents/aider/find-aider.js';
import type { Repository } from '../../services/git/repository.js';
import { type LogPaths, logPaths } from '../../services/logs/log-paths.js';
import { variable } from '../../services/machine/environment.js';
import { claimRun, type RunRecord } from '../../services/records/run-records.js';
import { type AiderCommand, commandOf, type Overrides } from '../aider-command.js';
import type { Arguments } from '../arguments.js';
import type { HeldRun, RunHost } from '../host/run-host.js';
import type { OpenedRun } from '../open-run.js';
import type { PageServer } from '../page-server.js';
import type { PlannedRun } from '../prepare-run.js';

/** The stamp of a session and what belongs to it; claimed when something is first written. */
interface Claimed {
  readonly record: RunRecord;
  readonly paths: LogPaths;
}

/** Another screen than this one. */
export interface NextScreen {
  /** A run that lives, by its stamp; null for a new change. */
  readonly run: string | null;
}

/** What a wizard works on, from its opening to the end of its run. */
export class Session {
  repo: Repository;
  geminiModel: string;
  claimed: Claimed | null = null;
  held: HeldRun | null = null;
  /** Where the person goes on from here. */
  next: NextScreen | null = null;
  /** Told when the run cannot be heard of any more. */
  onLost = () => {};
  /** The PRD that was saved, relative to the repository. */
  prdSaved: string | null = null;
  /** A folder for texts that are edited elsewhere. */
  scratch: string | null = null;
  private readiness: Readiness | null = null;
  isClosed = false;
  private page: Promise<Result<PageServer, Failure>> | null = null;
  private readonly closing: (() => void)[] = [];

  constructor(
    readonly args: Arguments,
    readonly opened: OpenedRun,
    readonly overrides: Overrides,
    readonly warn: (text: string) => void,
    /** What is told before a run is gone on with. */
    readonly say: (text: string) => void,
  ) {
    this.repo = opened.repo;
    this.geminiModel = opened.options.geminiModel;
  }

  /** Nothing is looked for or warmed up before it is asked for. */
  get ready(): Readiness {
    const { opened, overrides } = this;
    this.readiness ??= new Readiness(
      opened,
      overrides,
      () => this.repo,
      () => this.openHost(),
    );
    return this.readiness;
  }

  /** What runs the run: a process of its own, but where what it needs ends with this one. */
  async openHost(): Promise<RunHost> {
    const { overrides, warn } = this;
    if (overrides.ownModels) {
      const { LocalHost } = await import('../host/local-host.js');
      return new LocalHost({ overrides, warn, geminiKey, say: this.say });
    }
    const { SpawnedHost } = await import('../host/spawned-host.js');
    return new SpawnedHost({ warn, say: this.say });
  }

  claim(): Result<Claimed, Failure> {
    if (this.claimed) return ok(this.claimed);
    const record = claimRun(this.repo);
    if (!record.ok) return record;
    const paths = logPaths(this.repo.root, record.value.stamp);
    this.claimed = { record: record.value, paths };
    return ok(this.claimed);
  }

  hold(held: HeldRun): void {
    this.held = held;
    void held.lost.then(() => {
      if (this.held === held) this.onLost();
    });
  }

  async prepared(change: string, maxAgents: number): Promise<PlannedRun> {
    const { opened, repo, geminiModel, ready } = this;
    const { argumentsOf } = await import('../compose/agent-arguments.js');
    return {
      ...opened,
      repo,
      options: { ...opened.options, geminiModel, maxAgents },
      change,
      agentArgs: argumentsOf(opened),
      geminiKey: geminiKey(),
      aider: await ready.aider,
      knowledge: await ready.host,
    };
  }

  /** Serves the page from now on, until the screen is left. */
  async pageServer(): Promise<Result<PageServer, Failure>> {
    this.page ??= servePage();
    const page = await this.page;
    // It is tried again the next time.
    if (!page.ok) this.page = null;
    return page;
  }

  /** Has something done when the screen was left; at once where it was. */
  onClose(work: () => void): void {
    if (this.isClosed) work();
    else this.closing.push(work);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const work of this.closing) work();
    const page = await this.page;
    if (page?.ok) await page.value.close();
    if (this.scratch) rmSync(this.scratch, { recursive: true, force: true });
    if (this.held) {
      await this.held.close();
      return;
    }
    await this.readiness?.close();
    this.claimed?.record.discard();
  }
}

async function servePage(): Promise<Result<PageServer, Failure>> {
  const { openPageServer } = await import('../page-server.js');
  return openPageServer(0);
}

/** What is looked for, warmed up and made while a person types the change. */
export class Readiness {
  aider: Promise<AiderCommand | null>;
  private hosting: Promise<RunHost> | null = null;
  private found: ReturnType<typeof findAider> | null = null;

  constructor(
    private readonly opened: OpenedRun,
    private readonly overrides: Overrides,
    private readonly repo: () => Repository,
    private readonly openHost: () => Promise<RunHost>,
  ) {
    this.aider = this.lookForAider();
  }

  /** What will run the run; told to prepare for one at once. */
  get host(): Promise<RunHost> {
    this.hosting ??= this.prepare();
    return this.hosting;
  }

  /** Aider takes a second of CPU to tell its version, so it is asked once. */
  readonly findOnce = (): ReturnType<typeof findAider> => {
    this.found ??= findAider(this.opened.options.aider);
    return this.found;
  };

  /** Where Aider was not found, it may have been installed elsewhere meanwhile. */
  async lookAgainIfMissing(): Promise<void> {
    if (this.found && !(await this.found).ok) await this.lookAgain();
  }

  /** Aider was installed: all that depends on it begins anew. */
  async lookAgain(): Promise<void> {
    this.found = null;
    this.aider = this.lookForAider();
    const before = this.hosting;
    this.renew();
    await (await before)?.close();
  }

  /** The one there was went with a run. */
  renew(): void {
    this.hosting = null;
    // It warms up while a person reads on.
    void this.host;
  }

  async close(): Promise<void> {
    await (await this.hosting)?.close();
  }

  private async lookForAider(): Promise<AiderCommand | null> {
    if (this.overrides.aider) return this.overrides.aider;
    if (this.opened.options.agentCmd !== null) return null;
    // The first frame comes first: to start a program takes its time.
    await nextTurn();
    const answer = await this.findOnce();
    return answer.ok ? commandOf(answer.value) : null;
  }

  private async prepare(): Promise<RunHost> {
    // The first frame comes first.
    await nextTurn();
    const host = await this.openHost();
    host.prepare(this.repo(), this.opened, await this.aider);
    return host;
  }
}

/** Gemini's key as it is now; null where there is none. */
export function geminiKey(): string | null {
  for (const name of geminiKeyVariables) {
    const value = variable(name);
    if (value !== null) return value;
  }
  return null;
}
