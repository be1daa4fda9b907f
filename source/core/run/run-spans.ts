// Longer than 300 lines: a span for each part of a run, and what is known of it.
import {
  type Agent,
  type Attempt,
  currentAttempt,
  iterations,
  outcomeOf,
  outcomeReason,
  timeSpent,
  type Usage,
} from '../agent/agent.js';
import { providerOf } from '../policy/providers.js';
import type { TestRun } from '../policy/test-run.js';
import type { Message } from './message.js';
import { type RunState, runTime } from './run.js';
import { exitCode } from './summary.js';

/** By their names; those without a dot are our own. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What is measured, beside the spans. Durations are in seconds, cost in US dollars. */
export const measures = [
  'tokens',
  'requestTime',
  'cost',
  'failures',
  'agents',
  'timeToMerged',
  'testTime',
  'landings',
  'runs',
  'runTime',
] as const;
export type Measure = (typeof measures)[number];

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
      /** The attempt that this is the span of; null for any other span. */
      readonly attempt: { readonly agent: number; readonly number: number } | null;
    }
  | {
      readonly tells: 'measure';
      readonly measure: Measure;
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
    this.ofReviews(after, message);
    this.ofOutcomes(after, before);
    if (after.landing !== null && after.landing !== (before?.landing ?? null)) {
      this.measure('landings', 1, { state: after.landing.state });
    }
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
      run: config.stamp,
      repository: config.repo,
      base: config.base,
      ...(config.branch !== null && { branch: config.branch }),
      agents: config.agent.kind,
      simulated: config.simulated,
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
        tasks: tasks.length,
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
        task: agent.task.id,
        round: agent.round,
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
      ...(outcome && { outcome: outcome.state }),
      ...(reason !== null && { reason }),
      iterations: iterations(agent),
      duration_s: timeSpent(agent, ended) / 1000,
      'gen_ai.usage.input_tokens': usage.promptTokens,
      'gen_ai.usage.output_tokens': usage.completionTokens,
      ...(usage.cost !== null && { cost_usd: usage.cost }),
    });
  }

  /** Agents that have ended, also those that never began; one whose success was given up later counts again. */
  private ofOutcomes(after: RunState, before: RunState | null): void {
    for (const agent of after.agents) {
      const outcome = outcomeOf(agent);
      const was = before?.agents[agent.index];
      if (!outcome || (was && outcomeOf(was)?.state === outcome.state)) continue;
      this.measure('agents', 1, { outcome: outcome.state });
      const reason = outcomeReason(outcome);
      if (reason !== null) this.measure('failures', 1, { of: 'agent', reason });
    }
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
          attempt: attempt.number,
          interactive: attempt.interactive,
        },
      );
    }
    this.ofTurn(state, agent, message);
    // The next one may have begun in the same step.
    for (const [index, attempt] of agent.attempts.entries()) {
      const { verdict, number, endedAt } = attempt;
      if (verdict === null || verdict === was?.attempts[index]?.verdict) continue;
      if (verdict !== 'ok') this.measure('failures', 1, { of: 'attempt', reason: verdict });
      const key = this.attemptKey(agent, attempt);
      const at = endedAt ?? message.at;
      this.endAllOf(`${key}.`, at);
      const error = verdict === 'ok' ? null : verdict;
      this.end(key, at, error, { verdict }, { agent: agent.index, number });
    }
  }

  /** A message to the model and its answer. */
  private ofTurn({ config }: RunState, agent: Agent, message: Message): void {
    const attempt = currentAttempt(agent);
    if (!('agent' in message) || message.agent !== agent.index || attempt === null) return;
    const parent = this.attemptKey(agent, attempt);
    const name = `${parent}.turn`;
    const asked = modelAttributes('chat', config.provider, config.model);
    const begin = () =>
      this.start(this.next(name), parent, `chat ${config.model}`, message.at, asked, true);
    if (message.type === 'turn_started') {
      this.endAllOf(name, message.at);
      begin();
    }
    if (message.type !== 'turn_ended' && message.type !== 'turn_failed') return;
    const began = this.open.get(this.latest(name));
    // An agent that tells of its answers alone has no times for its requests.
    if (began === undefined) begin();
    const usage = message.type === 'turn_ended' ? message.usage : null;
    // Its cause is what somebody else's program says, and may be any text.
    const error = message.type === 'turn_failed' ? 'failed' : null;
    this.end(this.latest(name), message.at, error, {
      ...(usage && {
        'gen_ai.usage.input_tokens': usage.promptTokens,
        'gen_ai.usage.output_tokens': usage.completionTokens,
        ...(usage.cost !== null && { cost_usd: usage.cost }),
      }),
    });
    if (began !== undefined) {
      const wrong = error === null ? {} : { 'error.type': error };
      this.measure('requestTime', Math.max(0, message.at - began) / 1000, { ...asked, ...wrong });
    }
    this.measureUsage(usage, asked);
  }

  private measureUsage(usage: Usage | null, asked: Attributes): void {
    if (usage === null) return;
    this.measure('tokens', usage.promptTokens, { ...asked, 'gen_ai.token.type': 'input' });
    this.measure('tokens', usage.completionTokens, { ...asked, 'gen_ai.token.type': 'output' });
    if (usage.knownCost > 0) this.measure('cost', usage.knownCost, asked);
  }

  /** What reviewers use. */
  private ofReviews({ config }: RunState, message: Message): void {
    if (message.type !== 'agent_reviewed' && message.type !== 'supervised') return;
    const model = message.review.model ?? config.geminiModel;
    this.measureUsage(message.usage, modelAttributes('chat', providerOf(model), model));
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
    this.start(key, parent, `test ${what}`, at - ms, { tests_of: what });
    this.end(key, at, state === 'passed' ? null : state, { tests: state });
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
          ...(landing !== null && { landing: landing }),
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
          merged: order.length,
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
      exit_code: code,
      landed: landed,
      duration_s: duration,
    });
    // One that is led on after its end is still the same.
    if (this.run !== 'run1') return;
    this.measure('runs', 1, { exit_code: code });
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

  /** Ends a span that is open. @param attempt the one that it is of */
  private end(
    key: string,
    at: number,
    error: string | null,
    attributes: Attributes = {},
    attempt: { readonly agent: number; readonly number: number } | null = null,
  ): void {
    if (!this.open.delete(key)) return;
    this.tellings.push({ tells: 'end', key, at, attributes, error, attempt });
  }

  /** Ends what is still open of a name, but for one; the latest first. */
  private endAllOf(name: string, at: number, except: string | null = null): void {
    for (const key of [...this.open.keys()].reverse()) {
      if (key.startsWith(name) && key !== except) this.end(key, at, 'cut_off');
    }
  }

  private measure(measure: Measure, value: number, attributes: Attributes): void {
    this.tellings.push({ tells: 'measure', measure, value, attributes });
  }
}
