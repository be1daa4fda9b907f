import { describe, expect, test } from 'vitest';
import { currentAttempt, iterationsUsed } from '../../../source/core/agent/agent.js';
import { resumeRefusal } from '../../../source/core/run/resume.js';
import type { RunState } from '../../../source/core/run/run.js';
import { cleanExit } from '../../attempt-facts.js';
import { Drive, green, red, step, task, tested } from '../../hand-driven.js';

const hour = 3_600_000;

/** Another program goes on with the run, an hour later. */
function resumed(run: Drive, more: { unattended?: boolean } = {}): Drive {
  run.at += hour;
  return run.send({ type: 'resumed', idleMs: hour, unattended: true, ...more });
}

/** An agent that has begun its first message. */
function atWork(...tasks: ReturnType<typeof task>[]): Drive {
  const run = new Drive().start(tasks.length > 0 ? tasks : [task('T1')], { maxAgents: 1 });
  return run.prepared(0).send({ type: 'turn_started', agent: 0 });
}

const agentOf = (run: Drive, index = 0) => (run.state as RunState).agents[index] as never as Agent;
type Agent = RunState['agents'][number];

describe('a run whose program died', () => {
  test('what is under way is carried out, with what has been told of it', () => {
    const run = resumed(atWork());
    expect(run.effects.map(({ type }) => type)).toEqual(['start_attempt', 'start_timer']);
    expect(run.effects[0]).toMatchObject({ told: { sends: 1, responses: 0, exceptions: 0 } });
    // Its time is what it was: the hour in between is none of it.
    const left = run.effects[1] as { ms: number };
    expect(left.ms).toBeGreaterThan((run.state?.config.timeoutMs ?? 0) - 100);
    expect(run.state).toMatchObject({ resumed: 1, rested: hour });
  });

  test('an attempt that was lost begins again, with the same message, and is no iteration', () => {
    const run = resumed(atWork()).send({ type: 'attempt_lost', agent: 0 });
    expect(run.effects).toMatchObject([{ type: 'inspect_attempt', rollBack: true }]);
    run.inspected(0);
    expect(run.effects).toMatchObject([
      { type: 'start_attempt', attempt: 2, told: null, brief: { feedback: null } },
    ]);
    expect(agentOf(run).attempts[0]?.verdict).toBe('lost');
    expect(iterationsUsed(agentOf(run))).toBe(0);
    run.response(0).exit(0).inspected(0).committed(0, 'c'.repeat(40));
    expect(run.names()).toEqual(['succeeded']);
  });

  test('what the tests said is told again to one that was lost while it mended that', () => {
    const run = new Drive().start([task('T1')], { ...tested, maxAgents: 1 });
    run.send({ type: 'base_tested', testRun: green });
    run.prepared(0).response(0).exit(0).inspected(0);
    run.send({ type: 'agent_tested', agent: 0, testRun: red });
    run.send({ type: 'attempt_started', agent: 0, pid: 7 }, { type: 'turn_started', agent: 0 });
    resumed(run).send({ type: 'attempt_lost', agent: 0 }).inspected(0);
    expect(run.effects).toMatchObject([
      { brief: { feedback: { kind: 'tests', output: 'E: no' } } },
    ]);
  });

  test('edits of an answer that came whole stay, and are told of', () => {
    const run = atWork();
    const usage = { promptTokens: 1, completionTokens: 1, cost: 0, knownCost: 0 };
    run.send({ type: 'turn_ended', agent: 0, usage }, { type: 'turn_started', agent: 0 });
    resumed(run).send({ type: 'attempt_lost', agent: 0 });
    expect(run.effects).toMatchObject([{ rollBack: false }]);
    run.inspected(0);
    expect(run.effects).toMatchObject([{ brief: { feedback: { reason: 'stream_broken' } } }]);
    expect(iterationsUsed(agentOf(run))).toBe(1);
  });

  test('one that has used up its iterations does not begin again', () => {
    const run = new Drive().start([task('T1')], { maxAgents: 1, maxIterations: 1 });
    run.prepared(0).response(0);
    resumed(run).send({ type: 'attempt_lost', agent: 0 }).inspected(0).committed(0, null);
    expect(agentOf(run).state).toMatchObject({ name: 'failed', reason: 'max_iterations' });
  });

  test('one that was being ended is ended, and one that a person had is theirs again', () => {
    const killed = atWork().send({ type: 'kill_agent', agent: 0 });
    resumed(killed).send({ type: 'attempt_lost', agent: 0 }).inspected(0).committed(0, null);
    expect(killed.names()).toEqual(['killed']);
    const taken = atWork().send({ type: 'take_over', agent: 0 });
    taken.exit(0, { ...cleanExit, signal: 'SIGINT', orderly: false }).inspected(0);
    expect(currentAttempt(agentOf(taken))?.interactive).toBe(true);
    resumed(taken, { unattended: false }).send({ type: 'attempt_lost', agent: 0 }).inspected(0);
    expect(currentAttempt(agentOf(taken))).toMatchObject({ interactive: true, number: 3 });
    taken.send({ type: 'attempt_started', agent: 0, pid: 9 });
    // Where nobody watches, nobody can.
    resumed(taken).send({ type: 'attempt_lost', agent: 0 }).inspected(0);
    expect(agentOf(taken).state.name).toBe('committing');
  });

  test('what would run code is no reason to begin again', () => {
    const run = resumed(atWork()).send({ type: 'attempt_lost', agent: 0 });
    const refused = [{ path: '.git/hooks/x', why: 'runs_code' as const, undone: true }];
    run.inspected(0, {
      diff: { files: [] },
      changed: false,
      substantial: false,
      refused,
      tree: 'a'.repeat(40),
      named: [],
      unresolved: [],
      failure: null,
    });
    run.committed(0, null);
    expect(agentOf(run).state).toMatchObject({ name: 'failed', reason: 'dangerous_change' });
  });

  test('where nobody watches, nothing waits for a person', () => {
    const run = new Drive().start([task('T1'), task('T2')], { maxAgents: 1 });
    run
      .prepared(0)
      .send({ type: 'pause', paused: true })
      .exit(0)
      .inspected(0, {
        diff: { files: [] },
        changed: false,
        substantial: false,
        refused: [],
        tree: 'a'.repeat(40),
        named: [],
        unresolved: [],
        failure: null,
      });
    expect(run.names()).toEqual(['waiting', 'queued']);
    resumed(run, { unattended: false });
    expect(run.names()).toEqual(['waiting', 'queued']);
    resumed(run);
    expect(run.names()).toEqual(['running', 'queued']);
    const onRed = new Drive().start([task('T1')], { ...tested, redBase: 'ask', unattended: false });
    onRed.send({ type: 'base_tested', testRun: red });
    expect(onRed.state?.phase).toBe('red_base');
    resumed(onRed).send({ type: 'base_tested', testRun: red });
    expect(onRed.state).toMatchObject({ phase: 'finished', failure: { kind: 'red_base' } });
  });
});

describe('a run that has ended early', () => {
  test('by a signal: agents go on from what they had, and those that waited for them with them', () => {
    const tasks = [task('T1'), task('T2'), task('T3', ['T2'])];
    const run = new Drive().start(tasks, { maxAgents: 2 }).succeed(0);
    run.prepared(1).send({ type: 'turn_started', agent: 1 });
    run.send({ type: 'interrupt', signal: 'SIGINT' });
    run.exit(1, { ...cleanExit, signal: 'SIGINT', orderly: false }).inspected(1);
    run.committed(1, 'e'.repeat(40)).mergeAll();
    expect(run.state).toMatchObject({ phase: 'finished', interruptedBy: 'SIGINT' });
    expect(run.names()).toEqual(['succeeded', 'killed', 'killed']);
    expect(resumeRefusal(run.state as RunState)).toBe(null);
    resumed(run);
    expect(run.state).toMatchObject({ phase: 'running', interruptedBy: null, landing: null });
    expect(run.names()).toEqual(['succeeded', 'preparing', 'queued']);
    expect(run.effects).toMatchObject([
      { type: 'prepare_agent', agent: 1, from: { resume: 'e'.repeat(40), round: 1 } },
      { type: 'start_timer' },
    ]);
    // Its one broken attempt still counts.
    expect(iterationsUsed(agentOf(run, 1))).toBe(1);
    run.succeed(1).mergeAll().succeed(2).mergeAll();
    expect(run.state).toMatchObject({ phase: 'landing' });
  });

  test('in the middle of the plan, or of the tests of the base: that is done again', () => {
    const planning = new Drive().send(
      { type: 'run_started', config: { ...(atWork().state as RunState).config } },
      { type: 'interrupt', signal: 'SIGTERM' },
    );
    expect(resumed(planning)).toMatchObject({
      state: { phase: 'planning' },
      effects: [{ type: 'make_plan' }],
    });
    const testing = new Drive().start([task('T1')], tested);
    testing.send({ type: 'interrupt', signal: 'SIGTERM' });
    expect(resumed(testing).effects).toMatchObject([{ type: 'test_base' }]);
  });

  test('halted for a common cause: what failed of it begins again, and what had not begun', () => {
    const run = new Drive().start(
      ['T1', 'T2', 'T3', 'T4'].map((id) => task(id)),
      { maxAgents: 1 },
    );
    for (const agent of [0, 1, 2]) {
      run.prepared(agent).send({ type: 'turn_started', agent });
      run
        .exit(agent, { ...cleanExit, symptoms: ['auth'] })
        .inspected(agent)
        .committed(agent, null);
    }
    expect(run.names()).toEqual(['failed', 'failed', 'failed', 'failed']);
    expect(run.state).toMatchObject({ phase: 'finished', circuitBreaker: { reason: 'auth' } });
    resumed(run);
    expect(run.names()).toEqual(['preparing', 'queued', 'queued', 'queued']);
    expect(run.state?.circuitBreaker).toBe(null);
  });

  test('what is done, was refused or was killed by a person is no reason to go on', () => {
    const done = new Drive()
      .start([task('T1')])
      .succeed(0)
      .mergeAll();
    done.send({
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd'.repeat(40), branch: 'main' },
    });
    expect(resumeRefusal(done.state as RunState)).toBe('its work has landed');
    const killed = atWork().send({ type: 'kill_agent', agent: 0 });
    killed
      .exit(0, { ...cleanExit, signal: 'SIGINT' })
      .inspected(0)
      .committed(0, null);
    expect(resumeRefusal(killed.state as RunState)).toContain('nothing of it is left to do');
    const before = killed.state;
    expect(resumed(killed).state).toBe(before);
    expect(killed.effects).toEqual([]);
    const isRed = new Drive().start([task('T1')], { ...tested, redBase: 'stop' });
    isRed.send({ type: 'base_tested', testRun: red });
    expect(resumeRefusal(isRed.state as RunState)).toBe('the tests fail on the base');
    const ending = atWork().send({ type: 'interrupt', signal: 'SIGINT' });
    expect(resumeRefusal(ending.state as RunState)).toBe('it is being ended');
  });
});

test('work whose branch has moved goes on to where that is now by itself, once, and says so', () => {
  const moved = { state: 'refused', reason: 'has moved', how: '', tip: 'f'.repeat(40) } as const;
  const usual = new Drive()
    .start([task('T1')])
    .succeed(0)
    .mergeAll();
  usual.send({ type: 'landing_done', landing: moved });
  expect(usual.state?.phase).toBe('finished');
  const run = resumed(new Drive().start([task('T1')]))
    .succeed(0)
    .mergeAll();
  run.send({ type: 'landing_done', landing: moved });
  expect(run.effects).toMatchObject([{ type: 'merge_onto_tip', tip: moved.tip }]);
  expect(run.state?.warnings.join()).toContain('main has moved since the run began');
  run.send({ type: 'tip_merged', merged: { state: 'merged', commit: step(0).commit as string } });
  expect(run.effects).toMatchObject([{ type: 'land' }]);
  run.send({ type: 'landing_done', landing: moved });
  expect(run.state?.phase).toBe('finished');
});
