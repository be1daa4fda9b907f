import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TestRun } from '../../../source/core/policy/test-run.js';
import type { RunConfig } from '../../../source/core/run/config.js';
import type { Effect } from '../../../source/core/run/effect.js';
import type { Message, MessageBody } from '../../../source/core/run/message.js';
import { pendingEffects } from '../../../source/core/run/pending-effects.js';
import type { RunState } from '../../../source/core/run/run.js';
import { update } from '../../../source/core/run/update.js';
import { cleanExit, unchanged } from '../../attempt-facts.js';
import { green, red, task } from '../../hand-driven.js';
import { testConfig } from '../../test-config.js';

/**
 * A world that answers effects, in any order and with any result, while a person asks for this and that. After
 * each message, what is under way by the state has to be what was begun and not answered yet.
 */

const tasks = [task('T1'), task('T2'), task('T3', ['T1'])];

const stopped: TestRun = { ...green, state: 'stopped', words: 'told to end' };
const object = (letter: string) => letter.repeat(40);

/** What carries on, and must be there again; timers, looks and signals are set or sent anew. */
type Lasting = Exclude<
  Effect,
  {
    readonly type:
      | 'start_timer'
      | 'look_at_agent'
      | 'signal_agent'
      | 'stop_tests'
      | 'cancel_planning'
      | 'finish';
  }
>;

const passing = [
  'start_timer',
  'look_at_agent',
  'signal_agent',
  'stop_tests',
  'cancel_planning',
  'finish',
];

function isLasting(effect: Effect): effect is Lasting {
  return !passing.includes(effect.type);
}

/** An effect without what may differ when it is carried out once more. */
function essence(effect: Effect): unknown {
  if (effect.type === 'start_attempt') return { ...effect, told: null };
  return effect;
}

/** What the world answers to an effect. @param luck chooses among what may come of it */
function answer(effect: Lasting, luck: number): MessageBody[] {
  const good = luck % 3 !== 0;
  switch (effect.type) {
    case 'make_plan':
      return [
        {
          type: 'plan_made',
          plan: {
            tasks,
            prdPath: null,
            geminiModelUsed: null,
            warnings: [],
            criteria: [{ id: 'R1', text: 'works', kind: 'requirement' }],
          },
        },
      ];
    case 'confirm_plan':
      return [{ type: 'plan_confirmed' }];
    case 'test_base':
      return [{ type: 'base_tested', testRun: luck % 7 === 0 ? red : green }];
    case 'prepare_agent': {
      const { agent } = effect;
      const checkout = { worktree: `/w${agent}`, branch: `b${agent}`, start: object('b') };
      return luck % 8 === 0
        ? [{ type: 'agent_not_prepared', agent, reason: 'worktree_failed', detail: 'x' }]
        : [{ type: 'agent_prepared', agent, checkout }];
    }
    case 'start_attempt': {
      const { agent } = effect;
      if (luck % 9 === 0) {
        return [{ type: 'attempt_not_started', agent, reason: 'start_failed', detail: 'x' }];
      }
      const turn: MessageBody[] = [
        { type: 'turn_started', agent },
        { type: 'turn_ended', agent, usage: null },
      ];
      const exit = { ...cleanExit, code: good ? 0 : 1 };
      return [
        { type: 'attempt_started', agent, pid: 1 },
        ...(luck % 4 === 0 ? [{ type: 'agent_asks', agent, question: 'Sure?' } as const] : turn),
        { type: 'attempt_exited', agent, exit },
      ];
    }
    case 'inspect_attempt': {
      const diff = { files: [{ path: 'x', status: 'M', added: 1, removed: 0 }] };
      const inspection = { ...unchanged, diff, changed: good, tree: String(luck) };
      return [{ type: 'attempt_inspected', agent: effect.agent, inspection }];
    }
    case 'test_agent':
      return [
        {
          type: 'agent_tested',
          agent: effect.agent,
          testRun: luck % 5 === 0 ? stopped : good ? green : red,
        },
      ];
    case 'review_agent':
    case 'supervise': {
      const review = { criteria: [], remarks: '', model: 'm', problem: null };
      return effect.type === 'supervise'
        ? [{ type: 'supervised', commit: effect.commit, review, usage: null }]
        : [{ type: 'agent_reviewed', agent: effect.agent, review, usage: null }];
    }
    case 'commit_agent': {
      const { agent } = effect;
      const diff = { files: [{ path: 'x', status: 'M', added: 1, removed: 0 }] };
      return luck % 11 === 0
        ? [{ type: 'agent_not_committed', agent, reason: 'commit_failed', detail: 'x' }]
        : [{ type: 'agent_committed', agent, work: { commit: object('c'), diff } }];
    }
    case 'integrate': {
      const agents = effect.items.map(({ agent }) => agent);
      const conflicts = good ? [] : agents.slice(0, 1).map((agent) => ({ agent, files: ['x'] }));
      const merged = agents.filter((agent) => !conflicts.some((one) => one.agent === agent));
      const commit = merged.length > 0 ? object('d') : (effect.onto?.commit ?? null);
      const step = { commit, merged, conflicts, broken: [], because: [] };
      if (luck % 13 === 0) {
        const failure = { kind: 'git', doing: 'merge', detail: 'x' } as const;
        return [{ type: 'integration_failed', failure }];
      }
      return [{ type: 'integrated', step: { ...step, diff: { files: [] }, testRun: null } }];
    }
    case 'land':
      return [
        {
          type: 'landing_done',
          landing: good
            ? { state: 'landed', commit: effect.commit, branch: 'main' }
            : { state: 'refused', reason: 'moved', how: '', tip: object('f') },
        },
      ];
    case 'merge_onto_tip':
      return [
        {
          type: 'tip_merged',
          merged: good
            ? { state: 'merged', commit: object('9') }
            : { state: 'refused', reason: 'conflicts' },
        },
      ];
    case 'test_tip':
      return [{ type: 'tip_tested', testRun: good ? green : red }];
    case 'undo_landing':
      return [
        {
          type: 'landing_undone',
          undone: good ? { state: 'undone' } : { state: 'refused', reason: 'no', how: '' },
        },
      ];
  }
}

const agent = fc.constantFrom(0, 1, 2);
const asked: fc.Arbitrary<MessageBody> = fc.oneof(
  fc.record({ type: fc.constant('kill_agent' as const), agent }),
  fc.record({ type: fc.constant('restart_agent' as const), agent, remark: fc.constant('more') }),
  fc.record({ type: fc.constantFrom('take_over' as const, 'leave_out' as const), agent }),
  fc.record({ type: fc.constant('remark' as const), agent, text: fc.constant('mind') }),
  fc.record({ type: fc.constant('pause' as const), paused: fc.boolean() }),
  fc.record({
    type: fc.constantFrom(
      'kill_all' as const,
      'restart_failed' as const,
      'land_now' as const,
      'undo_landing' as const,
    ),
  }),
  fc.record({ type: fc.constant('red_base_decided' as const), how: fc.constant('fix' as const) }),
  fc.record({ type: fc.constant('set_slots' as const), slots: fc.constantFrom(1, 2, 3) }),
);

const step = fc.record({
  /** What is answered, of all that is under way. */
  which: fc.nat(20),
  luck: fc.integer({ min: 1, max: 100 }),
  person: fc.option(asked, { freq: 5 }),
});

const kinds: fc.Arbitrary<Partial<RunConfig>> = fc.record({
  testCommand: fc.constantFrom(null, { command: 't', from: 'x', timeoutMs: 1, report: null }),
  review: fc.constantFrom(null, { model: null }),
  land: fc.constantFrom('all' as const, 'any' as const, 'ask' as const),
  redBase: fc.constantFrom('ask' as const, 'fix' as const),
  unattended: fc.boolean(),
});

interface Step {
  readonly which: number;
  readonly luck: number;
  readonly person: MessageBody | null;
}

/** Plays a world; gives how the effects that were seen are called. */
function play(more: Partial<RunConfig>, steps: readonly Step[], interruptAt: number): Set<string> {
  let state: RunState | null = null;
  let at = 1000;
  const seen = new Set<string>();
  const trace: string[] = [];
  /** What was begun and is not answered yet, and what of its answer has not been told. */
  let open: { effect: Lasting; rest: MessageBody[] | null }[] = [];
  const send = (body: MessageBody) => {
    const message: Message = { ...body, at: at++ };
    trace.push(`${body.type} ${JSON.stringify(body).slice(0, 120)}`);
    const [next, effects] = update(state, message);
    state = next;
    for (const effect of effects) {
      seen.add(effect.type);
      // Whatever it was doing, a plan that is given up is not told any more.
      if (effect.type === 'cancel_planning') open = [];
      if (isLasting(effect)) open.push({ effect, rest: null });
    }
    // What has ended answers to nobody.
    if (next.phase === 'finished') open = [];
    const all = pendingEffects(next, at);
    expect(all.some(({ type }) => type === 'finish')).toBe(next.phase === 'finished');
    const pending = all.filter(isLasting).map(essence);
    const begun = open.map(({ effect }) => essence(effect));
    const sorted = (all: readonly unknown[]) => all.map((one) => JSON.stringify(one)).sort();
    expect(sorted(pending), trace.slice(-14).join('\n')).toEqual(sorted(begun));
  };
  send({ type: 'run_started', config: { ...testConfig, maxAgents: 3, ...more } });
  for (const [number, { which, luck, person }] of steps.entries()) {
    if (number === interruptAt) send({ type: 'interrupt', signal: 'SIGINT' });
    if (person) send(person);
    const one = open[which % Math.max(1, open.length)];
    if (!one) continue;
    one.rest ??= answer(one.effect, luck);
    const told = one.rest.shift();
    if (one.rest.length === 0) {
      open = open.filter((other) => other !== one);
    }
    if (told) send(told);
  }
  return seen;
}

describe('what is under way in a state', () => {
  test('is what was begun and has not been answered, after any message', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        kinds,
        fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }),
        fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, fc.nat(100)),
        (more, steps, interruptAt) => {
          for (const type of play(more, steps, interruptAt)) seen.add(type);
        },
      ),
      { numRuns: 400, endOnFailure: true },
    );
    // A property that never comes to a landing says nothing of it.
    for (const type of ['integrate', 'test_agent', 'review_agent', 'supervise', 'land']) {
      expect(seen).toContain(type);
    }
  });
});
