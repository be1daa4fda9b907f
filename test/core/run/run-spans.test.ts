import { expect, test } from 'vitest';
import type { MessageBody } from '../../../source/core/run/message.js';
import type { RunState } from '../../../source/core/run/run.js';
import { RunSpans, type Telling } from '../../../source/core/run/run-spans.js';
import { update } from '../../../source/core/run/update.js';
import { unchanged } from '../../attempt-facts.js';
import { green, HandDriven, step, task, tested, used } from '../../hand-driven.js';
import { problemsOf } from '../../span-problems.js';

/** A run whose spans are kept; each message comes after a second. */
class Watched extends HandDriven {
  state: RunState | null = null;
  at = 0;
  readonly tellings: Telling[] = [];
  private readonly spans = new RunSpans();

  protected give(body: MessageBody): void {
    this.at += body.type === 'resumed' ? body.idleMs : 1000;
    const message = { ...body, at: this.at };
    const before = this.state;
    [this.state] = update(before, message);
    this.tellings.push(...this.spans.take(this.state, before, message));
  }

  protected now(): RunState | null {
    return this.state;
  }

  /** Spans as `name from-to`, seconds. */
  told(): string[] {
    const open = new Map<string, Telling & { tells: 'start' }>();
    return this.tellings.flatMap((telling) => {
      if (telling.tells === 'start') open.set(telling.key, telling);
      if (telling.tells !== 'end') return [];
      const { name, at } = open.get(telling.key) as Telling & { tells: 'start' };
      const error = telling.error === null ? '' : ` ${telling.error}`;
      return [`${name} ${at / 1000}-${telling.at / 1000}${error}`];
    });
  }

  measured(measure: string): (readonly [number, object])[] {
    return this.tellings.flatMap((one) =>
      one.tells === 'measure' && one.measure === measure
        ? [[one.value, one.attributes] as const]
        : [],
    );
  }
}

test('a run is told by its parts, at the times of its messages', () => {
  const run = new Watched();
  run.start([task('T1')], { land: 'all', ...tested });
  run.send({ type: 'base_tested', testRun: { ...green, ms: 400 } });
  run.prepared(0).response(0).exit(0).inspected(0);
  run.send({ type: 'agent_tested', agent: 0, testRun: { ...green, ms: 200 } });
  run.committed(0, 'c'.repeat(40));
  run.send({ type: 'integrated', step: { ...step(0), testRun: { ...green, ms: 300 } } });
  const landing = { state: 'landed', commit: 'd'.repeat(40), branch: 'main' } as const;
  run.send({ type: 'landing_done', landing });
  expect(run.told()).toEqual([
    'plan 1-2',
    'test base 3.6-4',
    'chat gpt-4o 7-8',
    'attempt 1 5-9',
    'test agent 10.8-11',
    'invoke_agent agent0 4-12',
    'test merged 12.7-13',
    'merge 12-13',
    'land 13-14',
    'run 1-14',
  ]);
  expect(problemsOf(run.tellings, run.state as RunState)).toEqual([]);
  expect(run.measured('requestTime')).toEqual([
    [1, expect.objectContaining({ 'gen_ai.operation.name': 'chat' })],
  ]);
  expect(run.measured('cost')).toEqual([[0.5, expect.anything()]]);
  expect(run.measured('timeToMerged')).toEqual([[12, {}]]);
  expect(run.measured('failures')).toEqual([]);
  expect(run.measured('runs')).toEqual([[1, { exit_code: 0 }]]);
  expect(run.measured('landings')).toEqual([[1, { state: 'landed' }]]);
  expect(run.measured('agents')).toEqual([[1, { outcome: 'succeeded' }]]);
});

test('a run that is gone on with later: the time between belongs to no agent', () => {
  const run = new Watched();
  run.start([task('T1')], { land: 'none' }).prepared(0);
  run.send({ type: 'turn_started', agent: 0 });
  const cutOff = run.at / 1000;
  run.send({ type: 'resumed', idleMs: 3_600_000, unattended: true });
  run.send({ type: 'attempt_lost', agent: 0 });
  run.prepared(0).response(0).exit(0).inspected(0).committed(0, 'c'.repeat(40)).mergeAll();
  expect(run.told().slice(0, 4)).toEqual([
    'plan 1-2',
    `chat gpt-4o 6-${cutOff} cut_off`,
    `attempt 1 4-${cutOff} cut_off`,
    `invoke_agent agent0 3-${cutOff}`,
  ]);
  expect(problemsOf(run.tellings, run.state as RunState)).toEqual([]);
});

test('a run that has ended and is led on is told of in a second span', () => {
  const run = new Watched();
  run.start([task('T1')], { land: 'none', maxIterations: 1 });
  run.send({ type: 'agent_not_prepared', agent: 0, reason: 'setup_failed', detail: 'exit code 1' });
  expect(run.state?.phase).toBe('finished');
  expect(run.measured('failures')).toEqual([[1, { of: 'agent', reason: 'setup_failed' }]]);
  run.at += 60_000;
  run.send({ type: 'restart_failed' });
  run.succeed(0).mergeAll();
  expect(run.measured('landings').at(-1)).toEqual([1, { state: 'not_asked' }]);
  const runs = run.told().filter((words) => words.startsWith('run '));
  expect(runs).toHaveLength(2);
  expect(runs[0]).toMatch(/^run 1-\d+ exit_code_/);
  expect(problemsOf(run.tellings, run.state as RunState)).toEqual([]);
});

test('an attempt that another one follows at once is told with its verdict and its end', () => {
  const run = new Watched();
  run.start([task('T1')], { land: 'none' });
  run.prepared(0).response(0).exit(0);
  const ended = run.at / 1000;
  run.inspected(0, unchanged);
  run.prepared(0).response(0).exit(0).inspected(0).committed(0, 'c'.repeat(40)).mergeAll();
  expect(run.told()).toContain(`attempt 1 4-${ended} no_change`);
  expect(run.measured('failures')).toEqual([[1, { of: 'attempt', reason: 'no_change' }]]);
  expect(problemsOf(run.tellings, run.state as RunState)).toEqual([]);
});

test('an agent that never began is counted, and what reviews cost', () => {
  const run = new Watched();
  const review = { model: 'gpt-4o-mini' };
  run.start([task('T1'), task('T2', ['T1'])], { land: 'none', review });
  run.send({ type: 'agent_not_prepared', agent: 0, reason: 'setup_failed', detail: 'exit code 1' });
  expect(run.measured('agents')).toHaveLength(2);
  expect(
    run
      .measured('failures')
      .map(([, { reason }]: readonly [number, { reason?: string }]) => reason),
  ).toEqual(['setup_failed', 'dependency_failed']);
  const again = new Watched();
  again.start([task('T1')], { land: 'none', review });
  again.prepared(0).response(0, used(10, 0)).exit(0).inspected(0);
  const said = { criteria: [], remarks: '', model: 'gpt-4o-mini', problem: null };
  again.send({ type: 'agent_reviewed', agent: 0, review: said, usage: used(7, 0.25) });
  expect(again.measured('cost')).toEqual([
    [0.25, expect.objectContaining({ 'gen_ai.request.model': 'gpt-4o-mini' })],
  ]);
});
