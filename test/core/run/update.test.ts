import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isActive, isDone, iterationsUsed } from '../../../source/core/agent/agent.js';
import type { Effect } from '../../../source/core/run/effect.js';
import type { MessageBody } from '../../../source/core/run/message.js';
import { type Request, refusalOf } from '../../../source/core/run/refusals.js';
import type { RunState } from '../../../source/core/run/run.js';
import { exitCode, summarise, summarySchema } from '../../../source/core/run/summary.js';
import { update } from '../../../source/core/run/update.js';
import { cleanExit as clean } from '../../attempt-facts.js';
import {
  changed,
  checkout,
  Drive,
  green,
  red,
  step,
  task,
  tested,
  used,
} from '../../hand-driven.js';
import { testConfig as config } from '../../test-config.js';

describe('the run', () => {
  test('slots: as many at once as allowed, the rest wait; then it integrates, lands and ends', () => {
    const drive = new Drive().start([task('T1'), task('T2'), task('T3')]);
    expect(drive.names()).toEqual(['preparing', 'preparing', 'queued']);
    drive.succeed(1);
    expect(drive.names()).toEqual(['preparing', 'succeeded', 'preparing']);
    drive.succeed(0).succeed(2);
    // What is ready is merged while others work, one batch at a time.
    expect(drive.state).toMatchObject({ phase: 'integrating', integrating: { order: [1] } });
    drive.send({ type: 'integrated', step: step(1) });
    expect(drive.effects).toMatchObject([
      {
        type: 'integrate',
        items: [{ agent: 0 }, { agent: 2 }],
        onto: { commit: 'd'.repeat(40), merged: [1] },
        tests: null,
      },
    ]);
    drive.send({ type: 'integrated', step: step(0, 2) });
    expect(drive.effects).toEqual([{ type: 'land', commit: 'd'.repeat(40), from: config.base }]);
    drive.send({
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    });
    expect(drive.effects).toEqual([{ type: 'finish' }]);
    expect(exitCode(drive.state as RunState)).toBe(0);
    expect(summarise(drive.state as RunState)).toMatchObject({
      landed: true,
      successful_agents: 3,
      total_iterations: 3,
    });
  });

  test('a dependent waits, and starts from the commit it depends on; one of a failed task is skipped', () => {
    const drive = new Drive().start([task('T1'), task('T2', ['T1']), task('T3', ['T2'])]);
    expect(drive.names()).toEqual(['preparing', 'queued', 'queued']);
    drive.succeed(0);
    expect(drive.names()).toEqual(['succeeded', 'queued', 'queued']);
    drive.mergeAll();
    expect(drive.effects.find(({ type }) => type === 'prepare_agent')).toMatchObject({
      agent: 1,
      from: { onto: ['c'.repeat(40)], round: 0, resume: null, rework: null },
    });
    drive.send({ type: 'agent_not_prepared', agent: 1, reason: 'setup_failed', detail: 'x' });
    expect(drive.names()).toEqual(['succeeded', 'failed', 'failed']);
    expect(drive.state?.agents[2]?.state).toMatchObject({
      reason: 'dependency_failed',
      detail: 'T2',
    });
  });

  test.each([
    ['all', 'refused'],
    ['any', 'landing'],
    ['none', 'not_asked'],
  ] as const)('--land %s when one failed', (land, expected) => {
    const drive = new Drive().start([task('T1'), task('T2')], { land }).succeed(0);
    drive.send({ type: 'agent_not_prepared', agent: 1, reason: 'worktree_failed', detail: '' });
    drive.mergeAll();
    if (expected === 'landing') expect(drive.state?.phase).toBe('landing');
    else expect(drive.state?.landing?.state).toBe(expected);
  });

  test('a message without success is followed by another, with the reason, until the cap', () => {
    const drive = new Drive()
      .start([task('T1')])
      .prepared(0)
      .response(0)
      .exit(0);
    drive.send({
      type: 'attempt_inspected',
      agent: 0,
      inspection: { ...changed, diff: { files: [] } },
    });
    expect(drive.effects[0]).toMatchObject({ type: 'start_attempt', attempt: 2 });
    expect(drive.effects[0]).toMatchObject({
      brief: { feedback: { kind: 'failed', reason: 'no_change' } },
    });
    // One that had no response counts as one.
    drive.exit(0).send({
      type: 'attempt_inspected',
      agent: 0,
      inspection: { ...changed, diff: { files: [] } },
    });
    expect(iterationsUsed((drive.state as RunState).agents[0] as never)).toBe(2);
    drive
      .response(0)
      .exit(0)
      .send({
        type: 'attempt_inspected',
        agent: 0,
        inspection: { ...changed, diff: { files: [] } },
      });
    expect(drive.effects).toMatchObject([
      { type: 'commit_agent', agent: 0, checkout, finished: false },
    ]);
  });

  test('the cap: at the next call after N responses the agent is killed', () => {
    const drive = new Drive()
      .start([task('T1')], { maxIterations: 2 })
      .prepared(0)
      .response(0)
      .response(0);
    expect(drive.names()).toEqual(['running']);
    drive.send({ type: 'turn_started', agent: 0 });
    expect(drive.effects).toEqual([{ type: 'signal_agent', agent: 0, signal: 'SIGKILL' }]);
  });

  test('a late timer means nothing; a stop becomes harsher', () => {
    const drive = new Drive().start([task('T1')]).prepared(0);
    const early = drive.state?.agents[0]?.epoch as number;
    drive.send({ type: 'kill_agent', agent: 0 });
    expect(drive.effects[0]).toEqual({ type: 'signal_agent', agent: 0, signal: 'SIGINT' });
    const epoch = drive.state?.agents[0]?.epoch as number;
    drive.send({ type: 'timer_fired', timer: { kind: 'escalate', agent: 0, epoch: early } });
    expect(drive.effects).toEqual([]);
    drive.send({ type: 'timer_fired', timer: { kind: 'escalate', agent: 0, epoch } });
    expect(drive.effects[0]).toMatchObject({ signal: 'SIGTERM' });
  });

  test('a question is not waited for for ever', () => {
    const drive = new Drive().start([task('T1')]).prepared(0);
    drive.send(
      { type: 'agent_asks', agent: 0, question: 'Sure? (Y/n)' },
      { type: 'agent_goes_on', agent: 0 },
      { type: 'agent_asks', agent: 0, question: 'Really? (Y/n)' },
    );
    const timer = drive.effects[0] as Effect & { type: 'start_timer' };
    drive.send({ type: 'timer_fired', timer: timer.timer });
    expect(drive.state?.agents[0]?.state).toMatchObject({
      name: 'stopping',
      cause: { kind: 'unanswered' },
    });
  });

  test('an interrupt keeps the work; a second one kills at once', () => {
    const drive = new Drive().start([task('T1'), task('T2'), task('T3')]).prepared(0);
    drive.send({ type: 'interrupt', signal: 'SIGINT' });
    expect(drive.names()).toEqual(['stopping', 'preparing', 'killed']);
    drive.send({ type: 'interrupt', signal: 'SIGINT' });
    expect(drive.effects[0]).toEqual({ type: 'signal_agent', agent: 0, signal: 'SIGKILL' });
    drive.send({ type: 'agent_prepared', agent: 1, checkout });
    expect(drive.effects).toMatchObject([
      { type: 'commit_agent', agent: 1, checkout, finished: false },
    ]);
  });

  test('an interrupt while it plans ends the run', () => {
    const drive = new Drive().send(
      { type: 'run_started', config },
      { type: 'interrupt', signal: 'SIGTERM' },
    );
    expect(drive.effects.map((effect) => effect.type)).toEqual(['cancel_planning', 'finish']);
    expect(exitCode(drive.state as RunState)).toBe(143);
  });
});

describe('any order of messages', () => {
  const agents = [0, 1, 2];
  /** An agent does its work and succeeds, if nothing keeps it from that. */
  const success = (agent: number): MessageBody[] => [
    { type: 'base_tested', testRun: green },
    { type: 'agent_prepared', agent, checkout },
    { type: 'attempt_started', agent, pid: 1 },
    { type: 'turn_started', agent },
    { type: 'turn_ended', agent, usage: used(3, 0.3) },
    { type: 'attempt_exited', agent, exit: clean },
    { type: 'attempt_inspected', agent, inspection: changed },
    { type: 'agent_tested', agent, testRun: green },
    { type: 'agent_committed', agent, work: { commit: 'c'.repeat(40), diff: changed.diff } },
    { type: 'integrated', step: step(agent) },
  ];
  /** A run from its first agent to its landing. */
  const whole: MessageBody[] = [
    ...agents.flatMap(success),
    {
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    },
  ];
  const body: fc.Arbitrary<MessageBody> = fc.oneof(
    fc.record({
      type: fc.constant('agent_prepared' as const),
      agent: fc.constantFrom(...agents),
      checkout: fc.constant(checkout),
    }),
    fc.record({
      type: fc.constant('attempt_started' as const),
      agent: fc.constantFrom(...agents),
      pid: fc.constant(1),
    }),
    fc.record({ type: fc.constant('turn_started' as const), agent: fc.constantFrom(...agents) }),
    fc.record({
      type: fc.constant('turn_ended' as const),
      agent: fc.constantFrom(...agents),
      usage: fc.constantFrom(null, used(3, null)),
    }),
    fc.record({
      type: fc.constant('turn_failed' as const),
      agent: fc.constantFrom(...agents),
      cause: fc.constant(null),
    }),
    fc.record({
      type: fc.constant('agent_edited' as const),
      agent: fc.constantFrom(...agents),
      files: fc.constant(['T1.ts']),
    }),
    fc.record({
      type: fc.constant('attempt_exited' as const),
      agent: fc.constantFrom(...agents),
      exit: fc.constantFrom(clean, { ...clean, code: 1 }),
    }),
    fc.record({
      type: fc.constant('attempt_inspected' as const),
      agent: fc.constantFrom(...agents),
      inspection: fc.constantFrom(changed, { ...changed, diff: { files: [] } }),
    }),
    fc.record({
      type: fc.constant('agent_committed' as const),
      agent: fc.constantFrom(...agents),
      work: fc.constant({ commit: 'c'.repeat(40), diff: changed.diff }),
    }),
    fc.record({ type: fc.constant('kill_agent' as const), agent: fc.constantFrom(...agents) }),
    fc.record({ type: fc.constant('interrupt' as const), signal: fc.constant('SIGINT') }),
    fc.record({
      type: fc.constant('restart_agent' as const),
      agent: fc.constantFrom(...agents),
      remark: fc.constantFrom(null, 'more'),
    }),
    fc.record({
      type: fc.constantFrom('take_over' as const, 'leave_out' as const),
      agent: fc.constantFrom(...agents),
    }),
    fc.record({ type: fc.constant('pause' as const), paused: fc.boolean() }),
    fc.record({ type: fc.constantFrom('kill_all', 'restart_failed', 'land_now') }),
    fc.record({
      type: fc.constant('remark' as const),
      agent: fc.constantFrom(...agents),
      text: fc.constant('hm'),
    }),
    fc.record({
      type: fc.constant('integrated' as const),
      step: fc.constantFrom(
        step(0),
        step(1, 2),
        { ...step(), conflicts: [{ agent: 0, files: ['T1.ts'] }] },
        { ...step(0), broken: [{ agent: 2, words: 'exit code 1', output: 'no' }] },
      ),
    }),
    fc.record({
      type: fc.constant('agent_tested' as const),
      agent: fc.constantFrom(...agents),
      testRun: fc.constantFrom(green, red),
    }),
    fc.record({
      type: fc.constant('base_tested' as const),
      testRun: fc.constantFrom(green, red),
    }),
    fc.record({
      type: fc.constant('landing_done' as const),
      landing: fc.constantFrom(
        { state: 'landed' as const, commit: 'd'.repeat(40), branch: 'main' },
        { state: 'refused' as const, reason: 'moved', how: '', tip: 'e'.repeat(40) },
      ),
    }),
    fc.record({
      type: fc.constant('tip_merged' as const),
      merged: fc.constantFrom(
        { state: 'merged' as const, commit: 'f'.repeat(40) },
        { state: 'refused' as const, reason: 'conflicts' },
      ),
    }),
    fc.record({ type: fc.constant('tip_tested' as const), testRun: fc.constantFrom(green, red) }),
    fc.record({
      type: fc.constant('landing_undone' as const),
      undone: fc.constantFrom(
        { state: 'undone' as const },
        { state: 'refused' as const, reason: 'no', how: '' },
      ),
    }),
  );

  test('never more agents than slots; no success without evidence; the journal rebuilds the state', () => {
    fc.assert(
      fc.property(fc.array(body, { maxLength: 80 }), (bodies) => {
        const drive = new Drive().start([task('T1'), task('T2'), task('T3', ['T1'])]);
        for (const one of bodies) {
          drive.send(one);
          const state = drive.state as RunState;
          expect(state.agents.filter(isActive).length).toBeLessThanOrEqual(2);
          for (const agent of state.agents) {
            if (agent.state.name === 'succeeded') {
              expect(agent.attempts.at(-1)?.verdict).toBe('ok');
              expect(agent.attempts.some((attempt) => attempt.responses > 0)).toBe(true);
            }
            if (isDone(agent)) expect(agent.endedAt).not.toBe(null);
          }
        }
        const again = drive.messages.reduce<RunState | null>(
          (state, message) => update(state, JSON.parse(JSON.stringify(message)))[0],
          null,
        );
        expect(again).toEqual(drive.state);
        expect(summarySchema.safeParse(summarise(drive.state as RunState)).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  /** All that a person may ask of a run with three agents. */
  const wishesIn = (state: RunState): Request[] => [
    ...agents.flatMap((agent): Request[] => [
      { type: 'kill_agent', agent },
      { type: 'restart_agent', agent, remark: null },
      { type: 'restart_agent', agent, remark: 'more' },
      { type: 'take_over', agent },
      { type: 'remark', agent, text: 'hm' },
      { type: 'leave_out', agent },
    ]),
    { type: 'kill_all' },
    { type: 'restart_failed' },
    { type: 'pause', paused: true },
    { type: 'pause', paused: false },
    { type: 'set_slots', slots: state.slots + 1 },
    { type: 'set_slots', slots: state.slots - 1 },
    { type: 'land_now' },
    { type: 'undo_landing' },
    { type: 'model_named', model: 'gpt-4o' },
    { type: 'model_named', model: 'other' },
    { type: 'setup_named', command: null },
    { type: 'setup_named', command: 'npm ci' },
    { type: 'red_base_decided', how: 'report' },
    { type: 'tests_named', command: 'other' },
  ];
  const story = fc
    .array(
      fc.oneof(
        body.map((one) => [one]),
        fc.constantFrom(...agents).map(success),
        fc.constant(whole),
      ),
      {
        maxLength: 60,
      },
    )
    .map((bodies) => bodies.flat());
  const base = fc
    .constantFrom(green, red)
    .map((check): MessageBody => ({ type: 'base_tested', testRun: check }));

  test('a request that is not refused does something, and one that is refused does nothing', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(
        fc.tuple(base, story).map(([first, rest]) => [first, ...rest]),
        fc.constantFrom(null, 0.4, 5),
        fc.constantFrom('ask' as const, 'fix' as const),
        (bodies, budgetUsd, redBase) => {
          const drive = new Drive().start([task('T1'), task('T2'), task('T3', ['T1'])], {
            ...tested,
            budgetUsd,
            redBase,
          });
          for (const one of bodies) {
            drive.send(one);
            const state = drive.state as RunState;
            for (const request of wishesIn(state)) {
              const [next, effects] = update(state, { ...request, at: 1_000_000 });
              const refusal = refusalOf(state, request);
              met.add(`${request.type} ${refusal === null}`);
              const changes = effects.length > 0 || JSON.stringify(next) !== JSON.stringify(state);
              expect({ request, refusal, changes }).toEqual({
                request,
                refusal,
                changes: refusal === null,
              });
            }
          }
        },
      ),
      {
        numRuns: 80,
        // What chance may leave out: a run that lands; an agent that was killed while the run goes on; choices said twice.
        examples: [
          [[{ type: 'base_tested', testRun: green }, ...whole], null, 'ask'],
          [
            [
              { type: 'base_tested', testRun: green },
              { type: 'pause', paused: true },
              { type: 'agent_prepared', agent: 1, checkout },
              { type: 'restart_agent', agent: 1, remark: null },
            ],
            null,
            'ask',
          ],
          [
            [
              { type: 'base_tested', testRun: green },
              { type: 'agent_prepared', agent: 0, checkout },
              { type: 'attempt_started', agent: 0, pid: 1 },
              { type: 'attempt_exited', agent: 0, exit: clean },
              { type: 'kill_agent', agent: 0 },
            ],
            null,
            'ask',
          ],
          [
            [
              { type: 'base_tested', testRun: green },
              { type: 'kill_agent', agent: 2 },
            ],
            null,
            'fix',
          ],
        ],
      },
    );
    // Each of them was refused and was not.
    const types = new Set(wishesIn({ slots: 1 } as RunState).map(({ type }) => type));
    expect([...types].filter((type) => !met.has(`${type} true`))).toEqual([]);
    expect([...types].filter((type) => !met.has(`${type} false`))).toEqual([]);
  });
});
