// Longer than 300 lines: three signals, each with its provider and its words.
import {
  type Context,
  type Counter,
  type Histogram,
  type Meter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { type Logger, SeverityNumber } from '@opentelemetry/api-logs';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Message } from '../../core/run/message.js';
import { type PublicEvent, publicEvents } from '../../core/run/public-events.js';
import type { RunState } from '../../core/run/run.js';
import { type Attributes, type Measure, RunSpans, type Telling } from '../../core/run/run-spans.js';
import { printable } from '../../core/text/printable.js';
import type { Environment } from '../machine/environment.js';
import { KeyedIds } from './keyed-ids.js';
import type { Signals } from './signals.js';

/** Under this name the program is known to who receives what it tells. */
const scope = 'aider-orchestrator';

/** So long the end of a run waits for a collector, milliseconds. */
const patienceMs = 3000;

export interface TelemetryOptions {
  readonly signals: Signals;
  readonly env: Environment;
  /** The run, by its stamp. */
  readonly run: string;
  /** Tells this run from all others, everywhere. */
  readonly identity: string;
  /** The version of the program. */
  readonly version: string;
  /** What an agent was told in an attempt, and what it was answered; null where such texts are not sent. */
  readonly texts: ((agent: number, attempt: number) => Texts) | null;
  readonly warn: (text: string) => void;
}

export interface Texts {
  /** '' where there is none. */
  readonly told: string;
  readonly answered: string;
}

/** Tells a run to OpenTelemetry: a trace, figures and a log. What cannot be sent changes nothing for the run. */
export class Telemetry {
  private readonly ids: KeyedIds;
  private readonly spans = new RunSpans();
  private readonly open = new Map<string, Span>();
  private readonly tracing: TracerProvider | null;
  private readonly metering: MeterProvider | null;
  private readonly logging: LoggerProvider | null;
  private readonly tracer: Tracer | null;
  private readonly logger: Logger | null;
  private readonly instruments: Instruments | null;
  private flags = TraceFlags.SAMPLED;
  private hasFailed = false;

  constructor(private readonly options: TelemetryOptions) {
    const { signals, env, identity, version } = options;
    this.ids = new KeyedIds(identity);
    setGlobalErrorHandler((error) => this.failed(error));
    const resource = resourceOf(version);
    this.tracing = signals.traces ? tracerProvider(resource, this.ids, env) : null;
    this.metering = signals.metrics ? meterProvider(resource, env) : null;
    this.logging = signals.logs ? loggerProvider(resource, env) : null;
    this.tracer = this.tracing?.getTracer(scope, version) ?? null;
    this.logger = this.logging?.getLogger(scope, version) ?? null;
    const meter = this.metering?.getMeter(scope, version);
    this.instruments = meter ? instrumentsOf(meter) : null;
  }

  /** Takes what a program before this one has told: nothing is sent again, and what has not ended goes on. */
  readonly recall = (after: RunState, before: RunState | null, message: Message): void => {
    for (const telling of this.spans.take(after, before, message)) {
      if (telling.tells === 'start') this.start(telling);
      if (telling.tells === 'end') this.open.delete(telling.key);
    }
  };

  readonly observe = (after: RunState, before: RunState | null, message: Message): void => {
    try {
      for (const telling of this.spans.take(after, before, message)) this.tell(telling, after);
      for (const event of publicEvents(after, before, message)) this.log(event, message.at);
    } catch (error) {
      // Whatever the SDK, or a disk from which texts are read, throws: the run is not to end by it.
      this.failed(error);
    }
  };

  /** Sends what waits, as far as it is taken soon. */
  async close(): Promise<void> {
    const all = [this.tracing, this.metering, this.logging].map((one) => one?.shutdown());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), patienceMs);
    });
    const ended = await Promise.race([Promise.allSettled(all), late]);
    if (ended === 'late') {
      this.failed(new Error(`not all was taken within ${patienceMs / 1000} s`));
    } else for (const one of ended) if (one.status === 'rejected') this.failed(one.reason);
    clearTimeout(timer);
  }

  private tell(telling: Telling, state: RunState): void {
    if (telling.tells === 'start') this.start(telling);
    else if (telling.tells === 'end') this.end(telling, state);
    else this.instruments?.[telling.measure](telling.value, named(telling.attributes));
  }

  private start({ key, parent, name, isRequest, at, attributes }: Telling & { tells: 'start' }) {
    if (this.tracer === null) return;
    this.ids.key = key;
    const kind = isRequest ? SpanKind.CLIENT : SpanKind.INTERNAL;
    const within = parent === null ? ROOT_CONTEXT : this.contextOf(parent);
    const span = this.tracer.startSpan(
      name,
      { startTime: at, kind, attributes: named(attributes) },
      within,
    );
    if (parent === null) this.flags = span.spanContext().traceFlags;
    this.open.set(key, span);
  }

  private end(
    { key, at, attributes, error, attempt }: Telling & { tells: 'end' },
    state: RunState,
  ) {
    const span = this.open.get(key);
    if (!span) return;
    this.open.delete(key);
    span.setAttributes(named(attributes));
    if (error !== null) {
      span.setAttribute('error.type', error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    }
    const { texts } = this.options;
    if (texts !== null && attempt !== null) {
      const { told, answered } = texts(attempt.agent, attempt.number);
      if (told !== '') span.setAttribute('gen_ai.input.messages', spoken('user', told));
      if (answered !== '')
        span.setAttribute('gen_ai.output.messages', spoken('assistant', answered));
    }
    if (texts !== null && key === 'run1') {
      span.setAttribute('aider_orchestrator.change', state.config.change);
    }
    span.end(at);
  }

  private contextOf(key: string): Context {
    const { ids, flags: traceFlags } = this;
    const spanId = ids.spanOf(key);
    return trace.setSpanContext(ROOT_CONTEXT, { traceId: ids.trace, spanId, traceFlags });
  }

  private log(event: PublicEvent, at: number): void {
    const { severityNumber, severityText } = severityOf(event);
    this.logger?.emit({
      eventName: `aider_orchestrator.${event.event}`,
      timestamp: at,
      severityNumber,
      severityText,
      body: bodyOf(event, this.options.texts !== null),
      attributes: named({ run: this.options.run, ...scalarsOf(event) }),
      context: this.contextOf('run1'),
    });
  }

  private failed(error: unknown): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    const why = typeof error === 'string' ? error : ((error as Error).message ?? String(error));
    this.options.warn(
      `OpenTelemetry: not all could be sent to ${collectorOf(this.options.env)} (${printable(why).slice(0, 200)}). The run does not depend on it.`,
    );
  }
}

/** Attributes as they are sent: our own by a name that nobody else has. */
function named(attributes: Attributes): Attributes {
  const pairs = Object.entries(attributes).map(
    ([name, value]) => [name.includes('.') ? name : `aider_orchestrator.${name}`, value] as const,
  );
  return Object.fromEntries(pairs);
}

/** Where the collector is, without what may be secret in its address. */
function collectorOf(env: Environment): string {
  const names = ['', 'TRACES_', 'METRICS_', 'LOGS_'].map(
    (of) => `OTEL_EXPORTER_OTLP_${of}ENDPOINT`,
  );
  const [address = ''] = names.flatMap((name) => env[name]?.trim() || []);
  return URL.canParse(address) ? new URL(address).host : 'the collector';
}

function spoken(role: string, content: string): string {
  return JSON.stringify([{ role, parts: [{ type: 'text', content }] }]);
}

function resourceOf(version: string): Resource {
  const own = resourceFromAttributes({ 'service.name': scope, 'service.version': version });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}

/** A whole number from 1 on of a variable, or the standard's own where it holds none. */
function numberOf(env: Environment, variable: string, standard: number): number {
  const value = env[variable]?.trim() ?? '';
  return /^[1-9]\d{0,8}$/.test(value) ? Number(value) : standard;
}

/** How often and how much is sent at once, by the variables of a signal. @param delay the standard's, milliseconds */
function batching(env: Environment, prefix: string, delay: number) {
  const maxQueueSize = numberOf(env, `${prefix}_MAX_QUEUE_SIZE`, 2048);
  const batch = numberOf(env, `${prefix}_MAX_EXPORT_BATCH_SIZE`, 512);
  return {
    scheduledDelayMillis: numberOf(env, `${prefix}_SCHEDULE_DELAY`, delay),
    exportTimeoutMillis: numberOf(env, `${prefix}_EXPORT_TIMEOUT`, 30_000),
    maxQueueSize,
    // No more at once than may wait.
    maxExportBatchSize: Math.min(batch, maxQueueSize),
  };
}

function tracerProvider(resource: Resource, idGenerator: KeyedIds, env: Environment) {
  const exporter = new OTLPTraceExporter();
  const processor = new BatchSpanProcessor({ exporter, ...batching(env, 'OTEL_BSP', 5000) });
  const sampler = samplerOf(env);
  return new TracerProvider({ resource, idGenerator, spanProcessors: [processor], sampler });
}

function meterProvider(resource: Resource, env: Environment): MeterProvider {
  const exportIntervalMillis = numberOf(env, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000);
  const timeout = numberOf(env, 'OTEL_METRIC_EXPORT_TIMEOUT', 30_000);
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis,
    // The SDK takes no longer one.
    exportTimeoutMillis: Math.min(timeout, exportIntervalMillis),
  });
  return new MeterProvider({ resource, readers: [reader] });
}

function loggerProvider(resource: Resource, env: Environment): LoggerProvider {
  const exporter = new OTLPLogExporter();
  const processor = new BatchLogRecordProcessor({ exporter, ...batching(env, 'OTEL_BLRP', 1000) });
  return new LoggerProvider({ resource, processors: [processor] });
}

/** The samplers of the standard; all is told where another one is named. */
function samplerOf(env: Environment): Sampler {
  const name = env['OTEL_TRACES_SAMPLER']?.trim() ?? '';
  const part = Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? 1);
  const plain = name.replace(/^parentbased_/, '');
  const root =
    plain === 'always_off'
      ? new AlwaysOffSampler()
      : plain === 'traceidratio' && part >= 0 && part <= 1
        ? new TraceIdRatioBasedSampler(part)
        : new AlwaysOnSampler();
  return new ParentBasedSampler({ root });
}

type Instruments = Readonly<Record<Measure, (value: number, attributes: Attributes) => void>>;

/** Bounds of the histograms: of the conventions for generative AI, else minutes of a person's time. */
const tokenBounds = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];
const requestBounds = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const longBounds = [1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];

function instrumentsOf(meter: Meter): Instruments {
  const histogram = (name: string, unit: string, explicitBucketBoundaries: number[]) => {
    const one: Histogram = meter.createHistogram(name, {
      unit,
      advice: { explicitBucketBoundaries },
    });
    return (value: number, attributes: Attributes) => one.record(value, attributes);
  };
  const counter = (name: string, unit: string) => {
    const one: Counter = meter.createCounter(name, { unit });
    return (value: number, attributes: Attributes) => one.add(value, attributes);
  };
  return {
    tokens: histogram('gen_ai.client.token.usage', '{token}', tokenBounds),
    requestTime: histogram('gen_ai.client.operation.duration', 's', requestBounds),
    cost: counter('aider_orchestrator.cost', 'USD'),
    failures: counter('aider_orchestrator.failures', '{failure}'),
    agents: counter('aider_orchestrator.agents', '{agent}'),
    timeToMerged: histogram('aider_orchestrator.agent.time_to_merged', 's', longBounds),
    testTime: histogram('aider_orchestrator.test.duration', 's', longBounds),
    landings: counter('aider_orchestrator.landings', '{landing}'),
    runs: counter('aider_orchestrator.runs', '{run}'),
    runTime: histogram('aider_orchestrator.run.duration', 's', longBounds),
  };
}

const failing: readonly PublicEvent['event'][] = ['attempt_failed', 'warning', 'interrupted'];

function severityOf(event: PublicEvent) {
  const isWarning =
    failing.includes(event.event) || (event.event === 'agent_done' && event.state !== 'succeeded');
  return isWarning
    ? { severityNumber: SeverityNumber.WARN, severityText: 'WARN' }
    : { severityNumber: SeverityNumber.INFO, severityText: 'INFO' };
}

/** @param mayTell whether words may be sent in which a model's, or a person's, may stand */
function bodyOf(event: PublicEvent, mayTell: boolean): string {
  if (mayTell && 'words' in event) return event.words;
  if (mayTell && event.event === 'warning') return event.message;
  return event.event.replaceAll('_', ' ');
}

/** What of an event is sent: names of things and figures, no text that a model is told or says. */
const sent = [
  ...['base', 'branch', 'model', 'agent', 'task', 'attempt', 'iteration', 'prompt_tokens'],
  ...['completion_tokens', 'cost', 'reason', 'state', 'iterations', 'files', 'added', 'removed'],
  ...['duration_s', 'signal', 'passed', 'flaky', 'landed', 'exit_code', 'window', 'waiting'],
  ...['commit', 'idle_s'],
];

function scalarsOf(event: PublicEvent): Attributes {
  const pairs = Object.entries(event).filter(
    ([name, value]) =>
      sent.includes(name) && ['string', 'number', 'boolean'].includes(typeof value),
  );
  return Object.fromEntries(pairs);
}
