import type { Checkout, Usage } from '../source/core/agent/agent.js';
import type { Brief } from '../source/core/agent/brief.js';
import type { AttemptExit } from '../source/core/agent/evidence.js';
import type { Task } from '../source/core/plan/plan.js';
import type { TestRun } from '../source/core/policy/test-run.js';
import type { RunConfig } from '../source/core/run/config.js';
import type { Effect } from '../source/core/run/effect.js';
import type { Message, MessageBody } from '../source/core/run/message.js';
import type { Inspection, IntegrationStep, MadePlan, RunState } from '../source/core/run/run.js';
import { update } from '../source/core/run/update.js';
import { cleanExit, unchanged } from './attempt-facts.js';
import { testConfig } from './test-config.js';

/** A run that a test drives by hand: what the world would answer, in words of the run. */

export function task(id: string, depends_on: string[] = []): Task {
  return { id, title: id, description: '', files: [`${id}.ts`], read: [], depends_on };
}

export const checkout: Checkout = {
  worktree: '/w',
  branch: 'aider/x/agent0',
  start: 'b'.repeat(40),
};

/** What an agent is given for its first message. */
export const brief: Brief = {
  task: task('T1'),
  change: '',
  prdPath: null,
  alsoRead: [],
  remarks: [],
  feedback: null,
};

/** An attempt that changed one file. */
export const changed: Inspection = {
  ...unchanged,
  diff: { files: [{ path: 'T1.ts', status: 'M', added: 1, removed: 0 }] },
  changed: true,
};

export const used = (completionTokens: number, cost: number | null): Usage => ({
  promptTokens: 5,
  completionTokens,
  cost,
  knownCost: cost ?? 0,
});

export const green: TestRun = { state: 'passed', words: '', output: '', ms: 5, flaky: false };
export const red: TestRun = { ...green, state: 'failed', words: 'exit code 1', output: 'E: no' };

/** The configuration of a run that is tested. */
export const tested = {
  testCommand: { command: 'make test', from: '--test-cmd', timeoutMs: 1000, report: null },
} as const;

/** A batch that was merged as it is. */
export const step = (...agents: number[]): IntegrationStep => ({
  commit: 'd'.repeat(40),
  merged: agents,
  conflicts: [],
  broken: [],
  because: [],
  diff: { files: [] },
  testRun: null,
});

/** The same moves for the core alone and for a run with its store and terminals. */
export abstract class HandDriven {
  protected abstract give(message: MessageBody): void;
  protected abstract now(): RunState | null;

  send(...messages: MessageBody[]): this {
    for (const message of messages) this.give(message);
    return this;
  }

  /** It has its plan, and begins. */
  start(
    tasks: readonly Task[],
    config: Partial<RunConfig> = {},
    plan: Partial<MadePlan> = {},
  ): this {
    const made = { prdPath: null, geminiModelUsed: null, warnings: [], criteria: [] };
    return this.send(
      { type: 'run_started', config: { ...testConfig, ...config } },
      { type: 'plan_made', plan: { ...made, ...plan, tasks } },
      { type: 'plan_confirmed' },
    );
  }

  /** An agent has its worktree, and its process runs. */
  prepared(agent: number, at: Checkout = checkout): this {
    return this.send(
      { type: 'agent_prepared', agent, checkout: at },
      { type: 'attempt_started', agent, pid: 42 },
    );
  }

  response(agent: number, usage: Usage = used(10, 0.5)): this {
    return this.send({ type: 'turn_started', agent }, { type: 'turn_ended', agent, usage });
  }

  exit(agent: number, exit: AttemptExit = cleanExit): this {
    return this.send({ type: 'attempt_exited', agent, exit });
  }

  inspected(agent: number, inspection: Inspection = changed): this {
    return this.send({ type: 'attempt_inspected', agent, inspection });
  }

  committed(agent: number, commit: string | null, { diff } = changed): this {
    return this.send({ type: 'agent_committed', agent, work: { commit, diff } });
  }

  succeed(agent: number): this {
    return this.prepared(agent)
      .response(agent)
      .exit(agent)
      .inspected(agent)
      .committed(agent, 'c'.repeat(40));
  }

  /**
   * All that is being merged is merged, until nothing is.
   * @param conflicts files in which an agent conflicts, until it is left out; it is mended by `repair`
   */
  mergeAll(
    more: Partial<IntegrationStep> = {},
    conflicts: Readonly<Record<number, string>> = {},
    repair: (agent: number) => void = () => {},
  ): this {
    for (let merging = this.now()?.integrating; merging; merging = this.now()?.integrating) {
      const bad = merging.order.filter((agent) => conflicts[agent] !== undefined);
      const good = merging.order.filter((agent) => !bad.includes(agent));
      const told = bad.map((agent) => ({ agent, files: [conflicts[agent] ?? ''] }));
      this.send({ type: 'integrated', step: { ...step(...good), ...more, conflicts: told } });
      for (const agent of bad) {
        if (this.now()?.agents[agent]?.state.name === 'preparing') repair(agent);
      }
    }
    return this;
  }
}

/** The core alone, each message at the next millisecond. */
export class Drive extends HandDriven {
  state: RunState | null = null;
  /** Of the last message. */
  effects: Effect[] = [];
  messages: Message[] = [];
  at = 1000;

  protected give(body: MessageBody): void {
    const message: Message = { ...body, at: this.at++ };
    this.messages.push(message);
    const [state, effects] = update(this.state, message);
    this.state = state;
    this.effects = [...effects];
  }

  protected now(): RunState | null {
    return this.state;
  }

  names(): string[] {
    return this.state?.agents.map((agent) => agent.state.name) ?? [];
  }
}
