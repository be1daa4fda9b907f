import { describe, expect, test } from 'vitest';
import type { AttemptExit } from '../../../source/core/agent/evidence.js';
import type { RunState } from '../../../source/core/run/run.js';
import { exitCode } from '../../../source/core/run/summary.js';
import { cleanExit as clean } from '../../attempt-facts.js';
import { changed, Drive, task } from '../../hand-driven.js';

describe('failures that no retry cures', () => {
  const refused: AttemptExit = { ...clean, symptoms: ['auth'] };
  const fail = (drive: Drive, agent: number) => {
    drive.prepared(agent);
    drive.send({ type: 'turn_started', agent });
    drive.exit(agent, refused);
    drive.send(
      { type: 'attempt_inspected', agent, inspection: { ...changed, diff: { files: [] } } },
      { type: 'agent_committed', agent, work: { commit: null, diff: { files: [] } } },
    );
  };
  const tasks = ['T1', 'T2', 'T3', 'T4', 'T5'].map((id) => task(id));

  test('three alike end a run without a screen: the rest is not burnt', () => {
    const drive = new Drive().start(tasks, { maxAgents: 1 });
    for (const agent of [0, 1, 2]) fail(drive, agent);
    const state = drive.state as RunState;
    expect(state.phase).toBe('finished');
    expect(state.agents.slice(3).map((agent) => agent.state)).toMatchObject([
      { name: 'failed', reason: 'not_started' },
      { name: 'failed', reason: 'not_started' },
    ]);
    expect(state.warnings.join()).toContain('Check the API key');
    expect(exitCode(state)).toBe(1);
  });

  test('with a person there the run is paused, and goes on with all of them when it is mended', () => {
    const drive = new Drive().start(tasks, { maxAgents: 1, unattended: false });
    for (const agent of [0, 1, 2]) fail(drive, agent);
    expect(drive.state).toMatchObject({
      paused: true,
      circuitBreaker: { reason: 'auth' },
      phase: 'running',
    });
    expect(drive.names()).toEqual(['failed', 'failed', 'failed', 'queued', 'queued']);
    drive.send({ type: 'pause', paused: false });
    expect(drive.state).toMatchObject({ paused: false, circuitBreaker: null });
    expect(drive.names()).toEqual(['preparing', 'queued', 'queued', 'queued', 'queued']);
  });

  test('a success among the first ones, or another cause, is no such sign', () => {
    const drive = new Drive().start(tasks, { maxAgents: 1 });
    fail(drive, 0);
    fail(drive, 1);
    drive.send({ type: 'agent_not_prepared', agent: 2, reason: 'worktree_failed', detail: '' });
    fail(drive, 3);
    expect(drive.state?.circuitBreaker).toBe(null);
  });
});
