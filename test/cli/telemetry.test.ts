import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import type { Summary } from '../../source/core/run/summary.js';
import { diffEdit } from '../../source/services/model-server/script.js';
import { eventually, until } from '../eventually.js';
import { type OtlpRecorder, type RecordedSpan, recordOtlp } from '../otlp-recorder.js';
import { makeListeners } from '../page-rig.js';
import { hostsOf } from '../processes.js';
import { lastSummary, makeRepo, modelServer, runCli, runPlan, startCli, world } from '../rig.js';

const edit = (name: string) => diffEdit(`${name}.py`, `${name} = 1`, `${name} = 2`);

/** That spans fit into each other and their times are those of the summary. */
function fitsSummary(recorder: OtlpRecorder, summary: Summary): RecordedSpan {
  const byId = new Map(recorder.spans.map((span) => [span.id, span]));
  // None was told twice.
  expect(byId.size).toBe(recorder.spans.length);
  const roots = recorder.spans.filter(({ parent }) => parent === '');
  expect(roots.map(({ name }) => name)).toEqual(['run']);
  const [run] = roots as [RecordedSpan];
  for (const span of recorder.spans) {
    expect(span.trace).toBe(run.trace);
    if (span === run) continue;
    const parent = byId.get(span.parent);
    expect(parent, span.name).toBeDefined();
    expect(span.start, span.name).toBeGreaterThanOrEqual(parent?.start ?? 0);
    expect(span.end, span.name).toBeLessThanOrEqual(parent?.end ?? 0);
  }
  expect((run.end - run.start) / 1000).toBeCloseTo(summary.duration_s, 0.9);
  expect(run.attributes['aider_orchestrator.exit_code']).toBe(summary.exit_code ?? -1);
  for (const [agent, of] of Object.entries(summary.agents)) {
    const own = recorder.spans.filter(({ name }) => name === `invoke_agent ${agent}`);
    const total = own.reduce((sum, { start, end }) => sum + end - start, 0) / 1000;
    expect(Math.abs(total - of.duration_s), agent).toBeLessThanOrEqual(0.0501);
    const ids = new Set(own.map(({ id }) => id));
    const attempts = recorder.spans.filter(
      ({ name, parent }) => name.startsWith('attempt ') && ids.has(parent),
    );
    expect(attempts.length, agent).toBe(of.attempts);
    const inAttempts = new Set(attempts.map(({ id }) => id));
    const answered = recorder.spans.filter(
      ({ name, parent, isError }) => name.startsWith('chat ') && inAttempts.has(parent) && !isError,
    );
    expect(answered.length, agent).toBe(of.iterations);
    const tokens = answered.reduce(
      (sum, { attributes }) => sum + Number(attributes['gen_ai.usage.input_tokens'] ?? 0),
      0,
    );
    expect(tokens, agent).toBe(of.prompt_tokens);
  }
  return run;
}

test.skipIf(inject('aider') === null)(
  'a run with real Aiders is told as a trace whose times are those of its summary, as figures and as a log',
  async () => {
    const recorder = await recordOtlp();
    const server = await modelServer([
      { when: 'The tests fail', replies: [{ text: edit('b') }] },
      { when: 'Task: Raise a', replies: [{ text: `First I think.\n\n${edit('a')}` }] },
      {
        when: 'Task: Raise b',
        replies: [
          { text: diffEdit('b.py', 'b = 1', 'b = 3') },
          { text: diffEdit('b.py', 'b = 3', 'b = 2') },
        ],
      },
    ]);
    const where = world(server);
    const repo = makeRepo({ 'a.py': 'a = 1\n', 'b.py': 'b = 1\n' });
    const env = {
      ...where.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: recorder.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector-secret',
      OTEL_RESOURCE_ATTRIBUTES: 'team=tools',
    };
    const tasks = ['a', 'b'].map((name) => ({
      id: name.toUpperCase(),
      title: `Raise ${name}`,
      description: 'the-description-of-the-task',
      files: [`${name}.py`],
    }));
    const flags = ['--change', 'the-text-of-the-change', '--yes', '--test-cmd', '! grep -q 3 b.py'];
    const { code, summary, stderr } = await runPlan(repo, { ...where, env }, tasks, flags);
    expect(code, stderr).toBe(0);
    const run = fitsSummary(recorder, summary);
    expect(run.attributes).toMatchObject({
      'aider_orchestrator.run': summary.timestamp,
      'aider_orchestrator.landed': true,
    });
    const names = recorder.spans.map(({ name }) => name.replace(/\d+$/, 'N'));
    for (const name of [
      'plan',
      'test base',
      'test agent',
      'test merged',
      'merge',
      'land',
      'attempt N',
    ]) {
      expect(names).toContain(name);
    }
    const chat = recorder.spans.find(({ name }) => name.startsWith('chat '));
    expect(chat?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
    });
    expect(recorder.resources[0]).toMatchObject({
      'service.name': 'aider-orchestrator',
      team: 'tools',
    });
    const figure = (name: string) => recorder.figures().filter((one) => one.name === name);
    const inputs = figure('gen_ai.client.token.usage').filter(
      ({ attributes }) => attributes['gen_ai.token.type'] === 'input',
    );
    const agents = Object.values(summary.agents);
    expect(inputs.reduce((sum, one) => sum + one.sum, 0)).toBe(
      agents.reduce((sum, agent) => sum + agent.prompt_tokens, 0),
    );
    expect(figure('gen_ai.client.operation.duration')[0]?.count).toBe(summary.total_iterations);
    expect(figure('aider_orchestrator.cost')[0]?.sum).toBeCloseTo(summary.cost_usd ?? 0, 9);
    expect(figure('aider_orchestrator.agent.time_to_merged')[0]?.count).toBe(2);
    expect(figure('aider_orchestrator.runs')[0]?.count).toBe(1);
    const failures = figure('aider_orchestrator.failures').map(({ attributes }) => attributes);
    expect(failures).toContainEqual({
      'aider_orchestrator.of': 'tests',
      'aider_orchestrator.reason': 'failed',
    });
    expect(failures).toContainEqual({
      'aider_orchestrator.of': 'attempt',
      'aider_orchestrator.reason': 'tests_failed',
    });
    for (const log of recorder.logs) {
      expect(log.trace).toBe(run.trace);
      expect(log.attributes['aider_orchestrator.run']).toBe(summary.timestamp);
    }
    expect(recorder.logs.map(({ name }) => name)).toContain('aider_orchestrator.run_finished');
    // What models are told and say stays here, and the collector's secret is in no request but in its header.
    const all = Buffer.concat(recorder.bytes).toString('latin1');
    for (const text of [
      'the-text-of-the-change',
      'the-description-of-the-task',
      'First I think',
      'collector-secret',
      'sk-test-secret',
    ]) {
      expect(all).not.toContain(text);
    }
    expect(
      recorder.headers.every(({ authorization }) => authorization === 'Bearer collector-secret'),
    ).toBe(true);
  },
);

test.skipIf(inject('aider') === null)('texts are told where that is asked for', async () => {
  const recorder = await recordOtlp();
  const server = await modelServer([
    { when: 'Task: Raise a', replies: [{ text: `First I think.\n\n${edit('a')}` }] },
  ]);
  const where = world(server);
  const repo = makeRepo({ 'a.py': 'a = 1\n' });
  const env = {
    ...where.env,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${recorder.url}/v1/traces`,
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true',
  };
  const tasks = [{ id: 'A', title: 'Raise a', files: ['a.py'] }];
  const flags = ['--change', 'the-text-of-the-change', '--yes', '--no-test'];
  expect((await runPlan(repo, { ...where, env }, tasks, flags)).code).toBe(0);
  const attempt = recorder.spans.find(({ name }) => name === 'attempt 1');
  expect(attempt?.attributes['gen_ai.input.messages']).toContain('Task: Raise a');
  expect(attempt?.attributes['gen_ai.output.messages']).toContain('First I think.');
  const run = recorder.spans.find(({ name }) => name === 'run');
  expect(run?.attributes['aider_orchestrator.change']).toBe('the-text-of-the-change');
  // Nothing else was asked for.
  expect([recorder.logs, recorder.figures()]).toEqual([[], []]);
});

test('a collector that is gone, refuses or is another changes nothing but a warning', async () => {
  const refuses = await recordOtlp(401);
  const cases = [
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
      /OpenTelemetry: not all could be sent to 127\.0\.0\.1:9 \(/,
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: refuses.url },
      /OpenTelemetry: not all could be sent to 127\.0\.0\.1:\d+ \(/,
    ],
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /OTEL_TRACES_EXPORTER is zipkin, and only otlp is sent/],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: refuses.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      /OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and only http\/protobuf is spoken/,
    ],
  ] as const;
  const ended = await Promise.all(
    cases.map(async ([variables, warned]) => {
      const { where, repo, args } = makeListeners();
      const env = { ...where.env, ...variables };
      const agent = path.join(where.home, 'agent.sh');
      writeFileSync(agent, '#!/bin/sh\nfor file in $AGENT_FILES; do echo done >> "$file"; done\n');
      const { code, stderr } = await runCli([...args, '--yes'], { cwd: repo, env });
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(warned);
      return lastSummary(repo).landed;
    }),
  );
  expect(ended).toEqual(cases.map(() => true));
});

test('a run that is gone on with after kill -9 is told in the same trace, and no part of it twice', async () => {
  const recorder = await recordOtlp();
  const { where, repo, args } = makeListeners();
  const env = {
    ...where.env,
    OTEL_EXPORTER_OTLP_ENDPOINT: recorder.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
  const begun = await runCli([...args, '--detach'], { cwd: repo, env });
  const run = begun.stdout.trim();
  await eventually(async () => {
    const { stdout } = await runCli(['logs', run, '--json'], { cwd: repo, env });
    expect(stdout.match(/attempt_started/g)?.length).toBe(4);
  });
  await until(() => recorder.spans.some(({ name }) => name === 'plan'));
  for (const pid of hostsOf(where.home)) process.kill(pid, 'SIGKILL');
  await until(() => hostsOf(where.home).length === 0);
  writeFileSync(
    path.join(where.home, 'agent.sh'),
    '#!/bin/sh\nfor file in $AGENT_FILES; do echo done >> "$file"; done\n',
  );
  const resumed = startCli(['resume', run, '--yes'], { cwd: repo, env });
  expect((await resumed.end).code).toBe(0);
  const summary = lastSummary(repo);
  const byId = new Set(recorder.spans.map(({ id }) => id));
  expect(byId.size).toBe(recorder.spans.length);
  expect(new Set(recorder.spans.map(({ trace }) => trace)).size).toBe(1);
  const [root] = recorder.spans.filter(({ parent }) => parent === '');
  expect(root?.attributes['aider_orchestrator.duration_s']).toBeCloseTo(summary.duration_s, 0.9);
  for (const [agent, of] of Object.entries(summary.agents)) {
    const own = recorder.spans.filter(({ name }) => name === `invoke_agent ${agent}`);
    // What was cut off, and what went on.
    expect(own.length, agent).toBe(2);
    const total = own.reduce((sum, { start, end }) => sum + end - start, 0) / 1000;
    expect(Math.abs(total - of.duration_s), agent).toBeLessThanOrEqual(0.0501);
  }
});
