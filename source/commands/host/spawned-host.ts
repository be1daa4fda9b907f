import { setTimeout as pause } from 'node:timers/promises';
import type { Failure } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import { programVersion } from '../../services/config/package-files.js';
import type { Repository } from '../../services/git/repository.js';
import { RunClient } from '../../services/host/run-client.js';
import type { AiderCommand } from '../aider-command.js';
import type { LeftRunHere } from '../find-left-run.js';
import type { OpenedRun } from '../open-run.js';
import { firstState, heldByClient } from './held-by-client.js';
import { HostProcess, type SpawnedOptions, variablesNow } from './host-starter.js';
import { type BeginOrder, type Order, partsOf, type ResumeOrder } from './orders.js';
import type { HeldRun, RunHost } from './run-host.js';

/** Runs a run in a process of its own. */
export class SpawnedHost implements RunHost {
  private readonly host: HostProcess;
  private digests = 0;
  private hasRun = false;

  constructor(private readonly options: SpawnedOptions) {
    this.host = new HostProcess(options);
  }

  prepare(repo: Repository, opened: OpenedRun, aider: AiderCommand | null): void {
    const variables = variablesNow();
    this.host.order({
      type: 'prepare',
      root: repo.root,
      opened: partsOf(opened),
      aider,
      variables,
    });
  }

  digest(change: string, focus: readonly string[]): Promise<string> {
    this.digests += 1;
    return this.host.digest(this.digests, change, focus);
  }

  begin(begin: BeginOrder): Promise<Result<HeldRun, Failure>> {
    return this.start({ type: 'begin', begin, variables: variablesNow() });
  }

  resume(resume: ResumeOrder, _: LeftRunHere, repo: Repository): Promise<Result<HeldRun, Failure>> {
    return this.start({ type: 'resume', root: repo.root, resume, variables: variablesNow() });
  }

  async close(): Promise<void> {
    if (this.hasRun) return;
    this.host.run.destroy();
    this.host.release();
    await this.host.ended();
    this.host.lastWords();
  }

  private async start(order: Order): Promise<Result<HeldRun, Failure>> {
    const { host, options } = this;
    const client = new RunClient(host.run, {
      wants: 'screen',
      program: programVersion(),
      onWarning: options.warn,
    });
    const answer = await host.start(order);
    if (answer.type === 'failed') return err(answer.failure);
    await client.greeted;
    await firstState(client);
    this.hasRun = true;
    return ok(heldThere(client, host));
  }
}

/** So long is the end of a host waited for that has nothing more to do, milliseconds. */
const patienceMs = 10_000;

function heldThere(client: RunClient, host: HostProcess): HeldRun {
  return heldByClient(client, async () => {
    const isOver = client.state()?.phase === 'finished' && client.watchers <= 1;
    await client.leave();
    host.release();
    // What it does last is done when we say that all is. Another screen may come in this very moment.
    if (isOver) await Promise.race([host.ended(), pause(patienceMs, null, { ref: false })]);
  });
}
