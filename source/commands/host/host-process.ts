import { fstatSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Failure } from '../../core/policy/failure.js';
import type { Result } from '../../core/result.js';
import { unless } from '../../services/files/private-files.js';
import { openRepository } from '../../services/git/repository.js';
import { Channel } from '../../services/host/channel.js';
import { mostFrameBytes } from '../../services/host/contract.js';
import { environment, setVariable } from '../../services/machine/environment.js';
import { findLeftRun } from '../find-left-run.js';
import { onSignals } from '../signals.js';
import type { Stdio } from '../stdio.js';
import { geminiKey } from '../wizard/session.js';
import { LocalHost, type OpenedHere } from './local-host.js';
import { hostDescriptors, type Order, type OrderAnswer, type Variables } from './orders.js';
import type { HeldRun } from './run-host.js';

/**
 * The process that hosts a run: it does what it is ordered by the program that has started it, gives the run to
 * that one and to all others who attach, and ends when the run has finished and nobody looks at it any more.
 * @param log where its standard error goes; it is removed where all ends in good order
 */
export async function hostMain(log: string, stdio: Stdio): Promise<number> {
  if (!Object.values(hostDescriptors).every(isSocket)) {
    stdio.error(
      'aider-orchestrator: Only aider-orchestrator itself starts the process of a run.\n',
    );
    return 2;
  }
  // The program that has started it may have gone, and what it waits for is the run.
  process.on('SIGHUP', () => {});
  const code = await new HostMain().over;
  rmSync(log, { force: true });
  return code;
}

class HostMain {
  readonly over: Promise<number>;
  private end: (code: number) => void = () => {};
  private readonly channel: Channel;
  private readonly run = new Socket({ fd: hostDescriptors.run });
  private readonly host: LocalHost;
  private opened: OpenedHere | null = null;
  private watched: (() => void) | null = null;
  private watchers = 0;
  private isFinished = false;
  private isEnding = false;
  /** A run was ordered, from which on the starter may go. */
  private isOrdered = false;

  constructor() {
    this.over = new Promise((resolve) => {
      this.end = resolve;
    });
    this.channel = new Channel(
      new Socket({ fd: hostDescriptors.orders }),
      mostFrameBytes.fromHost,
      {
        json: (value) => void this.take(value as Order),
        bytes: () => {},
        drain: () => {},
        close: () => void this.starterLeft(),
      },
    );
    // Whoever starts a run and is gone before it has begun: it goes on all the same.
    this.run.on('error', () => {});
    this.host = new LocalHost({
      overrides: {},
      warn: () => {},
      geminiKey,
      say: (text) => this.answer({ type: 'said', to: 'error', text: `${text}\n` }),
      onFinish: () => {
        this.isFinished = true;
        this.endWhenOver();
      },
      onWatchers: (count) => {
        this.watchers = count;
        this.watched?.();
        this.endWhenOver();
      },
      onOpen: (opened) => this.opensRun(opened),
    });
  }

  private answer(answer: OrderAnswer): void {
    this.channel.send(answer);
  }

  private async take(order: Order): Promise<void> {
    if ('variables' in order) wear(order.variables);
    switch (order.type) {
      case 'prepare':
        // At once, also as far as the next order is concerned, which may follow closely.
        this.host.prepareWhen(openRepository(order.root), order.opened, order.aider);
        break;
      case 'digest': {
        const text = await this.host.digest(order.change, order.focus);
        this.answer({ type: 'digest', id: order.id, text });
        break;
      }
      case 'begin':
      case 'resume':
        this.isOrdered = true;
        await this.start(order);
        break;
      case 'headless':
        this.isOrdered = true;
        await this.runHeadless(order);
        break;
    }
  }

  private async start(order: Order & { type: 'begin' | 'resume' }): Promise<void> {
    const held = await this.held(order);
    if (held.ok) return;
    this.answer({ type: 'failed', failure: held.failure });
    this.channel.end();
    await this.host.close();
    this.end(2);
  }

  private async held(
    order: Order & { type: 'begin' | 'resume' },
  ): Promise<Result<HeldRun, Failure>> {
    const repo = await openRepository(
      order.type === 'begin' ? order.begin.config.repo : order.root,
    );
    if (!repo.ok) return repo;
    if (order.type === 'begin') return this.host.begin(order.begin, repo.value);
    const left = findLeftRun(repo.value, order.resume.run);
    return left.ok ? this.host.resume(order.resume, left.value, repo.value) : left;
  }

  /** The one who has started it looks at it from its first moment on. */
  private async opensRun(opened: OpenedHere): Promise<void> {
    this.opened = opened;
    const { live, served } = opened;
    live.subscribe(() => {
      if (live.state()?.phase !== 'finished') this.isFinished = false;
    });
    onSignals((signal) => {
      if (signal !== 'SIGHUP') live.dispatch({ type: 'interrupt', signal });
    });
    const isThere = new Promise<void>((resolve) => {
      this.watched = resolve;
      this.run.once('close', () => resolve());
    });
    served.accept(this.run);
    await isThere;
    this.watched = null;
    this.answer({ type: 'begun', run: opened.run });
  }

  private endWhenOver(): void {
    const { opened, isFinished, watchers } = this;
    if (!opened || !isFinished || watchers > 0 || this.isEnding) return;
    this.isEnding = true;
    void opened.served
      .close()
      .then(() => opened.live.close())
      .then(() => this.end(0));
  }

  private async starterLeft(): Promise<void> {
    if (this.isOrdered) return;
    await this.host.close();
    this.end(0);
  }

  private async runHeadless({ args, width }: Order & { type: 'headless' }): Promise<void> {
    const { runHeadless } = await import('../headless-run.js');
    const { resumeCommand } = await import('../resume.js');
    const say = (to: 'out' | 'error') => (text: string) => this.answer({ type: 'said', to, text });
    let hasBegun = false;
    const stdio = { out: say('out'), error: say('error'), interactive: false, width };
    const work = args.command === 'resume' ? resumeCommand : runHeadless;
    const code = await work(args, stdio, {
      onBegun: (run) => {
        hasBegun = true;
        this.answer({ type: 'begun', run });
        this.channel.end();
      },
    });
    if (!hasBegun) this.answer({ type: 'over', code });
    this.channel.end();
    this.end(code);
  }
}

/** Whether a file descriptor leads to the program that has started this one. */
function isSocket(descriptor: number): boolean {
  return unless(['EBADF'], false, () => fstatSync(descriptor).isSocket());
}

/** Takes the environment of the program that has started it: a key may have been typed, or taken away. */
function wear(variables: Variables): void {
  for (const name of Object.keys(environment())) {
    if (!(name in variables)) setVariable(name, undefined);
  }
  for (const [name, value] of Object.entries(variables)) setVariable(name, value);
}
