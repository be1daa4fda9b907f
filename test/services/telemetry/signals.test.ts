import { expect, test } from 'vitest';
import {
  isCollectorSecret,
  mayTellTexts,
  wantedSignals,
} from '../../../source/services/telemetry/signals.js';

const endpoint = 'http://collector:4318';
const of = (env: Record<string, string>) => {
  const { traces, metrics, logs, problems } = wantedSignals(env);
  return [traces, metrics, logs, problems.length];
};

test('nothing is sent unless an exporter or an endpoint is named', () => {
  expect(of({})).toEqual([false, false, false, 0]);
  expect(of({ OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).toEqual([
    false,
    false,
    false,
    0,
  ]);
  expect(of({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toEqual([true, true, true, 0]);
  expect(of({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: endpoint })).toEqual([false, false, true, 0]);
  expect(of({ OTEL_TRACES_EXPORTER: 'otlp' })).toEqual([true, false, false, 0]);
});

test('what is switched off stays off, and what is not spoken here is said', () => {
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  expect(of({ ...all, OTEL_SDK_DISABLED: 'true' })).toEqual([false, false, false, 0]);
  expect(of({ ...all, OTEL_METRICS_EXPORTER: 'none' })).toEqual([true, false, true, 0]);
  expect(of({ ...all, OTEL_LOGS_EXPORTER: 'console' })).toEqual([true, true, false, 1]);
  expect(of({ ...all, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toEqual([false, false, false, 3]);
  const one = { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' };
  expect(of({ ...all, ...one })).toEqual([false, true, true, 1]);
  expect(of({ ...all, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' })).toEqual([
    true,
    true,
    true,
    0,
  ]);
});

test('an endpoint that is no address is said, and nothing is sent elsewhere in its place', () => {
  for (const wrong of ['collector', 'collector:4318', 'ftp://collector', 'http://', '::::']) {
    expect(of({ OTEL_EXPORTER_OTLP_ENDPOINT: wrong }), wrong).toEqual([false, false, false, 3]);
  }
  const secret = 'grpc://user:secret@collector';
  const { problems } = wantedSignals({ OTEL_EXPORTER_OTLP_ENDPOINT: secret });
  expect(problems.join()).not.toContain('secret');
  expect(of({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/otlp' })).toEqual([
    true,
    true,
    true,
    0,
  ]);
});

test('texts are told only where that is asked for, and a collector secret is known by its name', () => {
  const name = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
  expect([{}, { [name]: 'false' }, { [name]: 'no_content' }].map(mayTellTexts)).toEqual([
    false,
    false,
    false,
  ]);
  expect([{ [name]: 'true' }, { [name]: 'SPAN_ONLY' }].map(mayTellTexts)).toEqual([true, true]);
  const names = [
    'OTEL_EXPORTER_OTLP_HEADERS',
    'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ];
  expect(names.map(isCollectorSecret)).toEqual([true, true, false]);
});
