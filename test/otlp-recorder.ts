import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { onTestFinished } from 'vitest';

/** What of the OTLP protocol is read here, by its numbers (opentelemetry-proto). */
const proto = `
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Status { string message = 2; int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; Status status = 15;
}
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message LogRecord {
  fixed64 time_unix_nano = 1; string severity_text = 3; AnyValue body = 5; repeated KeyValue attributes = 6;
  bytes trace_id = 9; bytes span_id = 10; string event_name = 12;
}
message ScopeLogs { repeated LogRecord log_records = 2; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message Logs { repeated ResourceLogs resource_logs = 1; }
message NumberDataPoint { double as_double = 4; sfixed64 as_int = 6; repeated KeyValue attributes = 7; }
message HistogramDataPoint { fixed64 count = 4; double sum = 5; repeated KeyValue attributes = 9; }
message Sum { repeated NumberDataPoint data_points = 1; }
message Histogram { repeated HistogramDataPoint data_points = 1; }
message Metric { string name = 1; string unit = 3; oneof data { Sum sum = 7; Histogram histogram = 9; } }
message ScopeMetrics { repeated Metric metrics = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message Metrics { repeated ResourceMetrics resource_metrics = 1; }
`;
const { root } = protobuf.parse(proto, { keepCase: true });

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface RecordedSpan {
  readonly trace: string;
  readonly id: string;
  /** '' for the root. */
  readonly parent: string;
  readonly name: string;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly isError: boolean;
}

export interface RecordedLog {
  readonly name: string;
  readonly body: string;
  readonly trace: string;
  readonly attributes: Attributes;
}

/** A figure as it was told last. */
export interface RecordedFigure {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Attributes;
  /** Of a histogram how many, of a counter its value. */
  readonly count: number;
  readonly sum: number;
}

export interface OtlpRecorder {
  readonly url: string;
  readonly spans: RecordedSpan[];
  readonly logs: RecordedLog[];
  readonly resources: Attributes[];
  /** Headers of all requests. */
  readonly headers: Record<string, string | string[] | undefined>[];
  /** All that has come, as it came. */
  readonly bytes: Buffer[];
  figures(): RecordedFigure[];
}

interface Pair {
  readonly key: string;
  readonly value?: Readonly<Record<string, unknown>>;
}

function attributesOf(pairs: readonly Pair[] = []): Attributes {
  return Object.fromEntries(
    pairs.map(({ key, value }) => {
      const { int_value, ...others } = value ?? {};
      const [one] = Object.values(others);
      return [key, int_value === undefined ? (one as string) : Number(int_value)];
    }),
  );
}

const hex = (bytes?: Uint8Array) => Buffer.from(bytes ?? []).toString('hex');
const milliseconds = (nanoseconds: unknown) => Number(nanoseconds) / 1e6;

/** A server that speaks OTLP (http/protobuf) and keeps what it is told. @param status of all answers */
export async function recordOtlp(status = 200): Promise<OtlpRecorder> {
  const figures = new Map<string, RecordedFigure>();
  const recorder: Omit<OtlpRecorder, 'url'> = {
    spans: [],
    logs: [],
    resources: [],
    headers: [],
    bytes: [],
    figures: () => [...figures.values()],
  };
  const take = (path: string, body: Buffer) => {
    const kind = { '/v1/traces': 'Traces', '/v1/logs': 'Logs', '/v1/metrics': 'Metrics' }[path];
    const type = root.lookupType(kind ?? 'none');
    // biome-ignore lint/suspicious/noExplicitAny: by the text above.
    const told = type.toObject(type.decode(body), { longs: String, defaults: false }) as any;
    for (const of of told.resource_spans ?? []) {
      recorder.resources.push(attributesOf(of.resource?.attributes));
      for (const span of of.scope_spans.flatMap((one: { spans: unknown[] }) => one.spans)) {
        recorder.spans.push({
          trace: hex(span.trace_id),
          id: hex(span.span_id),
          parent: hex(span.parent_span_id),
          name: span.name,
          start: milliseconds(span.start_time_unix_nano),
          end: milliseconds(span.end_time_unix_nano),
          attributes: attributesOf(span.attributes),
          isError: span.status?.code === 2,
        });
      }
    }
    for (const of of told.resource_logs ?? []) {
      for (const log of of.scope_logs.flatMap(
        (one: { log_records: unknown[] }) => one.log_records,
      )) {
        recorder.logs.push({
          name: log.event_name,
          body: log.body?.string_value ?? '',
          trace: hex(log.trace_id),
          attributes: attributesOf(log.attributes),
        });
      }
    }
    for (const of of told.resource_metrics ?? []) {
      for (const metric of of.scope_metrics.flatMap((one: { metrics: unknown[] }) => one.metrics)) {
        for (const point of (metric.sum ?? metric.histogram)?.data_points ?? []) {
          const attributes = attributesOf(point.attributes);
          const value = Number(point.as_double ?? point.as_int ?? point.sum ?? 0);
          figures.set(`${metric.name} ${JSON.stringify(attributes)}`, {
            name: metric.name,
            unit: metric.unit,
            attributes,
            count: metric.histogram ? Number(point.count) : value,
            sum: value,
          });
        }
      }
    }
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const sent = Buffer.concat(parts);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      recorder.headers.push(request.headers);
      recorder.bytes.push(body);
      take(request.url ?? '', body);
      response.statusCode = status;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ...recorder, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
