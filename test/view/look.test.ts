import { expect, test } from 'vitest';
import {
  type Agent,
  type AgentState,
  type CommittedWork,
  newAgent,
} from '../../source/core/agent/agent.js';
import { initialState } from '../../source/core/run/run.js';
import { lookOf } from '../../source/view/look.js';
import { cleanExit } from '../attempt-facts.js';
import { brief, checkout, task } from '../hand-driven.js';
import { testConfig } from '../test-config.js';

const working = { checkout, pid: 42, brief };
const work: CommittedWork = { commit: 'c'.repeat(40), diff: { files: [] } };
const run = initialState(testConfig, 0);
const from = { onto: [], round: 0, resume: null, rework: null };

function look(state: AgentState, more: Partial<Agent> = {}, excluded: readonly number[] = []) {
  const agent = { ...newAgent(0, task('T1')), ...more, state };
  return lookOf({ ...run, agents: [agent], excluded }, agent);
}

test.each<[AgentState, string, string]>([
  [{ name: 'queued' }, 'queued', 'queued'],
  [{ name: 'preparing', from }, 'changing', 'preparing'],
  [{ ...working, name: 'running' }, 'working', 'working'],
  [{ ...working, name: 'asking', question: 'Add it?' }, 'asks', 'asks'],
  [
    { ...working, name: 'stopping', cause: { kind: 'cap' }, signal: 'SIGINT' },
    'changing',
    'stopping',
  ],
  [{ name: 'judging', checkout, exit: cleanExit, cause: null }, 'changing', 'checking'],
  [{ name: 'testing', checkout }, 'changing', 'testing'],
  [{ name: 'waiting', checkout, feedback: null }, 'paused', 'paused'],
  [{ name: 'reviewing', checkout }, 'changing', 'in review'],
  [{ name: 'committing', checkout, outcome: { state: 'succeeded' } }, 'changing', 'saving'],
  [{ name: 'succeeded', work }, 'ok', 'succeeded'],
  [{ name: 'failed', reason: 'no_change', detail: '', work: null }, 'bad', 'failed'],
  [{ name: 'failed', reason: 'not_started', detail: '', work: null }, 'queued', 'not started'],
  [{ name: 'killed', by: 'user', work: null }, 'stopped', 'killed'],
])('%j looks like its sign and its word', (state, glyph, word) => {
  expect(look(state)).toMatchObject({ glyph, word });
});

test('a round after the first is queued again, and good work that is not merged is left out', () => {
  expect(look({ name: 'queued' }, { round: 1 }).word).toBe('queued again');
  expect(look({ name: 'succeeded', work }, {}, [0])).toMatchObject({
    glyph: 'stopped',
    word: 'left out',
  });
});
