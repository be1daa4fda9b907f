import { rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Failure } from '../../core/policy/failure.js';
import { geminiKeyVariables } from '../../core/policy/providers.js';
import { ok, type Result } from '../../core/result.js';
import { findAider } from '../../services/agents/aider/find-aider.js';
import type { AiderLauncher } from '../../services/agents/aider/launcher.js';
import type { Repository } from '../../services/git/repository.js';
import { type LogPaths, logPaths } from '../../services/logs/log-paths.js';
import { variable } from '../../services/machine/environment.js';
import { claimRun, type RunRecord } from '../../services/records/run-records.js';
import { type AiderCommand, commandOf, type Overrides } from '../aider-command.js';
import type { Arguments } from '../arguments.js';
import type { LiveRun } from '../live-run.js';
import type { OpenedRun } from '../open-run.js';
import type { PreparedRun } from '../prepare-run.js';
import type { RepoKnowledge } from '../repo-knowledge.js';

/** The stamp of a session and what belongs to it; claimed when something is first written. */
interface Claimed {
  readonly record: RunRecord;
  readonly paths: LogPaths;
}

/** What a wizard works on, from its opening to the end of its run. */
export class Session {
  repo: Repository;
  geminiModel: string;
  claimed: Claimed | null = null;
  live: LiveRun | null = null;
  /** The PRD that was saved, relative to the repository. */
  prdSaved: string | null = null;
  /** A folder for texts that are edited elsewhere. */
  scratch: string | null = null;
  readonly ready: Readiness;

  constructor(
    readonly args: Arguments,
    readonly opened: OpenedRun,
    readonly overrides: Overrides,
    readonly warn: (text: string) => void,
  ) {
    this.repo = opened.repo;
    this.geminiModel = opened.options.geminiModel;
    this.ready = new Readiness(opened, overrides, () => this.repo);
  }

  claim(): Result<Claimed, Failure> {
    if (this.claimed) return ok(this.claimed);
    const record = claimRun(this.repo);
    if (!record.ok) return record;
    const paths = logPaths(this.repo.root, record.value.stamp);
    this.claimed = { record: record.value, paths };
    return ok(this.claimed);
  }

  async prepared(change: string, maxAgents: number): Promise<PreparedRun> {
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
      launcher: await ready.launcher,
      knowledge: await ready.knowledge,
    };
  }

  async close(): Promise<void> {
    if (this.scratch) rmSync(this.scratch, { recursive: true, force: true });
    if (this.live) {
      await this.live.close();
      return;
    }
    await this.ready.close();
    this.claimed?.record.discard();
  }
}

/** What is looked for, warmed up and made while a person types the change. */
export class Readiness {
  aider: Promise<AiderCommand | null>;
  launcher: Promise<AiderLauncher>;
  knowledge: Promise<RepoKnowledge>;
  private found: ReturnType<typeof findAider> | null = null;

  constructor(
    private readonly opened: OpenedRun,
    private readonly overrides: Overrides,
    private readonly repo: () => Repository,
  ) {
    this.aider = this.lookForAider();
    this.launcher = this.launch();
    this.knowledge = this.know();
  }

  /** Aider takes a second of CPU to tell its version, so it is asked once. */
  readonly findOnce = (): ReturnType<typeof findAider> => {
    this.found ??= findAider(this.opened.options.aider);
    return this.found;
  };

  /** Where Aider was not found, it may have been installed elsewhere meanwhile. */
  async lookAgainIfMissing(): Promise<void> {
    if (this.found && !(await this.found).ok) this.lookAgain();
  }

  /** Aider was installed: all that depends on it begins anew. */
  lookAgain(): void {
    this.found = null;
    this.aider = this.lookForAider();
    this.renew();
  }

  /** What was made went with a run. */
  renew(): void {
    this.launcher = this.launch();
    this.knowledge = this.know();
  }

  async close(): Promise<void> {
    const own = await this.knowledge;
    own.stop();
    (await this.launcher).close();
    await own.settled();
  }

  private async lookForAider(): Promise<AiderCommand | null> {
    if (this.overrides.aider) return this.overrides.aider;
    if (this.opened.options.agentCmd !== null) return null;
    // The first frame comes first: to start a program takes its time.
    await nextTurn();
    const answer = await this.findOnce();
    return answer.ok ? commandOf(answer.value) : null;
  }

  private async launch(): Promise<AiderLauncher> {
    const { options } = this.opened;
    const found = await this.aider;
    const { launcherFor } = await import('../prepare-run.js');
    return launcherFor(found, options, options.agentCmd === null);
  }

  private async know(): Promise<RepoKnowledge> {
    const { options, handed } = this.opened;
    const ready = await this.launcher;
    const { RepoKnowledge } = await import('../repo-knowledge.js');
    return new RepoKnowledge(this.repo(), await this.aider, options.model, ready, handed);
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
