// Longer than 300 lines: a span for each part of a run, and what is known of it.
import {
  type Agent,
  type Attempt,
  currentAttempt,
  iterations,
  outcomeOf,
  outcomeReason,
  timeSpent,
} from '../agent/agent.js';
import type { TestRun } from '../policy/test-run.js';
import type { Message } from './message.js';
import { type RunState, runTime } from './run.js';
import { exitCode } from './summary.js';

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What is measured, beside the spans. Durations are in seconds, cost in US dollars. */
export const measures = {
  tokens: 'gen_ai.client.token.usage',
  requestTime: 'gen_ai.client.operation.duration',
  cost: 'aider_orchestrator.cost',
  failures: 'aider_orchestrator.failures',
  agents: 'aider_orchestrator.agents',
  timeToMerged: 'aider_orchestrator.agent.time_to_merged',
  testTime: 'aider_orchestrator.test.duration',
  runs: 'aider_orchestrator.runs',
  runTime: 'aider_orchestrator.run.duration',
} as const;

/** What a run tells those who watch it by traces and figures. Times are epoch milliseconds. */
export type Telling =
  | {
      readonly tells: 'start';
      /** Names the span in its run: the same in every program that goes on with it. */
      readonly key: string;
      /** Null for the root. */
      readonly parent: string | null;
      readonly name: string;
      /** It waits for somebody else's server. */
      readonly isRequest: boolean;
      readonly at: number;
      readonly attributes: Attributes;
    }
  | {
      readonly tells: 'end';
      readonly key: string;
      readonly at: number;
      readonly attributes: Attributes;
      /** What went wrong, a word; null where all went well. */
      readonly error: string | null;
      /** The attempt that this is the span of. */
      readonly attempt?: { readonly agent: number; readonly number: number };
    }
  | {
      readonly tells: 'measure';
      readonly measure: keyof typeof measures;
      readonly value: number;
      readonly attributes: Attributes;
    };

/** Providers by the names of the OpenTelemetry conventions for generative AI. */
const providerNames: Readonly<Record<string, string>> = {
  gemini: 'gcp.gemini',
  vertex_ai: 'gcp.vertex_ai',
  bedrock: 'aws.bedrock',
  azure: 'azure.ai.openai',
  mistral: 'mistral_ai',
  xai: 'x_ai',
};

function modelAttributes(operation: string, provider: string, model: string): Attributes {
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': providerNames[provider] ?? provider,
    'gen_ai.request.model': model,
  };
}

/** An agent that has begun and not ended. */
function isAtWork(agent: Agent | undefined): agent is Agent & { readonly startedAt: number } {
  return agent !== undefined && agent.startedAt !== null && agent.endedAt === null;
}

/**
 * The spans of a run and what is measured, from its messages: run, plan, agent, attempt, request, tests, review, merge,
 * landing. It dispatches nothing and has no clock, so that times are those of the journal and of the summary.
 */
export class RunSpans {
  private tellings: Telling[] = [];
  /** Spans that have not ended, in the order in which they began. */
  private readonly open = new Map<string, number>();
  private readonly counts = new Map<string, number>();
  private readonly merged = new Set<number>();
  /** The run as it is told of now: a finished one that is led on is told of in a span of its own. */
  private run = '';

  /** What a message and the state it led to amount to. */
  take(after: RunState, before: RunState | null, message: Message): readonly Telling[] {
    this.tellings = [];
    this.ofRun(after, before, message);
    this.ofPlan(after, before, message);
    for (const agent of after.agents)
      this.ofAgent(after, agent, before?.agents[agent.index], message);
    this.ofTests(message);
    this.ofPhases(after, before, message);
    this.ofMerge(after, before, message.at);
    if (after.phase === 'finished' && before?.phase !== 'finished') this.finish(after, message.at);
    return this.tellings;
  }

  private ofRun(after: RunState, before: RunState | null, { at }: Message): void {
    if (before !== null && !(before.phase === 'finished' && after.phase !== 'finished')) return;
    const { config } = after;
    const first = this.run === '' ? null : 'run1';
    this.run = this.next('run');
    this.start(this.run, first, 'run', at, {
      'aider_orchestrator.run': config.stamp,
      'aider_orchestrator.repository': config.repo,
      'aider_orchestrator.base': config.base,
      ...(config.branch !== null && { 'aider_orchestrator.branch': config.branch }),
      'aider_orchestrator.agents': config.agent.kind,
      'aider_orchestrator.simulated': config.simulated,
      'gen_ai.request.model': config.model,
    });
  }

  private ofPlan(after: RunState, before: RunState | null, message: Message): void {
    if (after.phase === 'planning' && before?.phase !== 'planning') {
      this.start(this.next('plan'), this.run, 'plan', message.at, {});
    }
    const key = this.latest('plan');
    if (message.type === 'plan_made') {
      const { tasks, geminiModelUsed } = message.plan;
      this.end(key, message.at, null, {
        'aider_orchestrator.tasks': tasks.length,
        ...(geminiModelUsed !== null && modelAttributes('chat', 'gemini', geminiModelUsed)),
      });
    } else if (message.type === 'plan_failed') this.end(key, message.at, message.failure.kind);
  }

  private ofAgent(state: RunState, agent: Agent, was: Agent | undefined, message: Message): void {
    const { index } = agent;
    const name = `agent${index}.`;
    const isAnew = isAtWork(was) && isAtWork(agent) && was.startedAt !== agent.startedAt;
    if (isAtWork(was) && (!isAtWork(agent) || isAnew)) this.endAgent(agent, message);
    if (isAtWork(agent) && (!isAtWork(was) || isAnew)) {
      const at = message.type === 'resumed' ? message.at : agent.startedAt;
      this.start(this.next(name), this.run, `invoke_agent agent${index}`, at, {
        'gen_ai.operation.name': 'invoke_agent',
        'gen_ai.agent.name': `agent${index}`,
        'aider_orchestrator.task': agent.task.id,
        'aider_orchestrator.round': agent.round,
      });
    }
    this.ofAttempt(state, agent, was, message);
    if (agent.state.name === 'reviewing' && was?.state.name !== 'reviewing') {
      this.start(this.next(`${name}review`), this.latest(name), 'review', message.at, {});
    }
    if (was?.state.name === 'reviewing' && agent.state.name !== 'reviewing') {
      this.end(
        this.latest(`${name}review`),
        message.at,
        agent.review?.problem ? 'no_review' : null,
      );
    }
  }

  private endAgent(agent: Agent, message: Message): void {
    const isCutOff = message.type === 'resumed';
    const ended = isCutOff ? message.at - message.idleMs : (agent.endedAt ?? message.at);
    const outcome = isCutOff ? null : outcomeOf(agent);
    const reason = outcome && outcomeReason(outcome);
    const name = `agent${agent.index}.`;
    const { usage } = agent;
    this.endAllOf(name, ended, this.latest(name));
    this.end(this.latest(name), ended, outcome?.state === 'succeeded' || isCutOff ? null : reason, {
      ...(outcome && { 'aider_orchestrator.outcome': outcome.state }),
      ...(reason !== null && reason !== undefined && { 'aider_orchestrator.reason': reason }),
      'aider_orchestrator.iterations': iterations(agent),
      'aider_orchestrator.duration_s': timeSpent(agent, ended) / 1000,
      'gen_ai.usage.input_tokens': usage.promptTokens,
      'gen_ai.usage.output_tokens': usage.completionTokens,
      ...(usage.cost !== null && { 'aider_orchestrator.cost_usd': usage.cost }),
    });
    if (!outcome) return;
    this.measure('agents', 1, { outcome: outcome.state });
    if (outcome.state !== 'succeeded')
      this.measure('failures', 1, { of: 'agent', reason: reason ?? outcome.state });
  }

  private ofAttempt(state: RunState, agent: Agent, was: Agent | undefined, message: Message): void {
    const name = `agent${agent.index}.`;
    for (const attempt of agent.attempts.slice(was?.attempts.length ?? 0)) {
      this.start(
        this.attemptKey(agent, attempt),
        this.latest(name),
        `attempt ${attempt.number}`,
        attempt.startedAt,
        {
          'aider_orchestrator.attempt': attempt.number,
          'aider_orchestrator.interactive': attempt.interactive,
        },
      );
    }
    this.ofTurn(state, agent, message);
    const now = currentAttempt(agent);
    if (now === null || now.verdict === null) return;
    const key = this.attemptKey(agent, now);
    if (!this.open.has(key)) return;
    const at = now.endedAt ?? message.at;
    this.endAllOf(`${key}.`, at);
    const isFine = now.verdict === 'ok';
    this.open.delete(key);
    this.tellings.push({
      tells: 'end',
      key,
      at,
      attributes: { 'aider_orchestrator.verdict': now.verdict },
      error: isFine ? null : now.verdict,
      attempt: { agent: agent.index, number: now.number },
    });
    if (!isFine) this.measure('failures', 1, { of: 'attempt', reason: now.verdict });
  }

  /** A message to the model and its answer. */
  private ofTurn({ config }: RunState, agent: Agent, message: Message): void {
    const attempt = currentAttempt(agent);
    if (!('agent' in message) || message.agent !== agent.index || attempt === null) return;
    const name = `${this.attemptKey(agent, attempt)}.turn`;
    const asked = modelAttributes('chat', config.provider, config.model);
    if (message.type === 'turn_started') {
      this.endAllOf(name, message.at);
      this.start(
        this.next(name),
        this.attemptKey(agent, attempt),
        `chat ${config.model}`,
        message.at,
        asked,
        true,
      );
    }
    if (message.type !== 'turn_ended' && message.type !== 'turn_failed') return;
    const key = this.latest(name);
    const began = this.open.get(key);
    // An agent that tells of its answers alone has no times for its requests.
    if (began === undefined)
      this.start(
        this.next(name),
        this.attemptKey(agent, attempt),
        `chat ${config.model}`,
        message.at,
        asked,
        true,
      );
    const usage = message.type === 'turn_ended' ? message.usage : null;
    const error = message.type === 'turn_failed' ? (message.cause ?? 'failed') : null;
    this.end(this.latest(name), message.at, error, {
      ...(usage && {
        'gen_ai.usage.input_tokens': usage.promptTokens,
        'gen_ai.usage.output_tokens': usage.completionTokens,
        ...(usage.cost !== null && { 'aider_orchestrator.cost_usd': usage.cost }),
      }),
    });
    if (began !== undefined) {
      const wrong = error === null ? {} : { 'error.type': error };
      this.measure('requestTime', Math.max(0, message.at - began) / 1000, { ...asked, ...wrong });
    }
    if (usage === null) return;
    this.measure('tokens', usage.promptTokens, { ...asked, 'gen_ai.token.type': 'input' });
    this.measure('tokens', usage.completionTokens, { ...asked, 'gen_ai.token.type': 'output' });
    if (usage.knownCost > 0) this.measure('cost', usage.knownCost, asked);
  }

  private ofTests(message: Message): void {
    const { at } = message;
    if (message.type === 'base_tested') this.tested('base', this.run, message.testRun, at);
    else if (message.type === 'tip_tested') this.tested('tip', this.run, message.testRun, at);
    else if (message.type === 'agent_tested') {
      this.tested('agent', this.latest(`agent${message.agent}.`), message.testRun, at);
    } else if (message.type === 'integrated' && message.step.testRun !== null) {
      this.tested('merged', this.latest('merge'), message.step.testRun, at);
    }
  }

  private tested(what: string, parent: string, { ms, state }: TestRun, at: number): void {
    const key = this.next('test');
    this.start(key, parent, `test ${what}`, at - ms, { 'aider_orchestrator.tests_of': what });
    this.end(key, at, state === 'passed' ? null : state, { 'aider_orchestrator.tests': state });
    this.measure('testTime', ms / 1000, { of: what, state });
    if (state !== 'passed') this.measure('failures', 1, { of: 'tests', reason: state });
  }

  /** What the whole run does at one time. */
  private ofPhases(after: RunState, before: RunState | null, { at }: Message): void {
    const names = { reviewing: 'supervise', landing: 'land' } as const;
    for (const [phase, name] of Object.entries(names)) {
      if (before?.phase === phase && after.phase !== phase) {
        const landing = name === 'land' && after.landing ? after.landing.state : null;
        const error = landing === 'refused' ? landing : null;
        this.end(this.latest(name), at, error, {
          ...(landing !== null && { 'aider_orchestrator.landing': landing }),
        });
      }
      if (after.phase === phase && before?.phase !== phase) {
        this.start(this.next(name), this.run, name, at, {});
      }
    }
  }

  private ofMerge(state: RunState, before: RunState | null, at: number): void {
    // Batches are merged while other agents are at work.
    if (state.integrating !== (before?.integrating ?? null)) {
      this.end(this.latest('merge'), at, null);
      const order = state.integrating?.order;
      if (order)
        this.start(this.next('merge'), this.run, 'merge', at, {
          'aider_orchestrator.merged': order.length,
        });
    }
    for (const agent of state.integration?.merged ?? []) {
      // Merged anew without another one, it was merged before.
      if (this.merged.has(agent)) continue;
      this.merged.add(agent);
      this.measure('timeToMerged', runTime(state, at) / 1000, {});
    }
  }

  private finish(state: RunState, at: number): void {
    const code = exitCode(state);
    const duration = runTime(state, at) / 1000;
    this.endAllOf('', at, this.run);
    const landed = state.landed !== null;
    this.end(this.run, at, code === 0 ? null : `exit_code_${code}`, {
      'aider_orchestrator.exit_code': code,
      'aider_orchestrator.landed': landed,
      'aider_orchestrator.duration_s': duration,
    });
    this.measure('runs', 1, { exit_code: code, landed });
    this.measure('runTime', duration, {});
  }

  private attemptKey({ index }: Agent, { number }: Attempt): string {
    return `agent${index}.attempt${number}`;
  }

  /** The key of one more span of this name. */
  private next(name: string): string {
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    return `${name}${count}`;
  }

  private latest(name: string): string {
    return `${name}${this.counts.get(name) ?? 0}`;
  }

  private start(
    key: string,
    parent: string | null,
    name: string,
    at: number,
    attributes: Attributes,
    isRequest = false,
  ): void {
    this.open.set(key, at);
    this.tellings.push({ tells: 'start', key, parent, name, isRequest, at, attributes });
  }

  private end(key: string, at: number, error: string | null, attributes: Attributes = {}): void {
    if (!this.open.delete(key)) return;
    this.tellings.push({ tells: 'end', key, at, attributes, error });
  }

  /** Ends what is still open of a name, but for one; the latest first. */
  private endAllOf(name: string, at: number, except: string | null = null): void {
    for (const key of [...this.open.keys()].reverse()) {
      if (key.startsWith(name) && key !== except) this.end(key, at, 'cut_off');
    }
  }

  private measure(measure: keyof typeof measures, value: number, attributes: Attributes): void {
    this.tellings.push({ tells: 'measure', measure, value, attributes });
  }
}
