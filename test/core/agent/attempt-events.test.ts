import { describe, expect, test } from 'vitest';
import type { MessageBody } from '../../../source/core/run/message.js';
import { cleanExit as clean } from '../../attempt-facts.js';
import { changed, Drive, task } from '../../hand-driven.js';

describe('a conflict between agents at work', () => {
  test('is one for both sides, until a look at either of them says otherwise', () => {
    const drive = new Drive()
      .start([task('T1'), task('T2')])
      .prepared(0)
      .prepared(1);
    const look = (agent: number, other: number | null): MessageBody => ({
      type: 'agent_touched',
      agent,
      files: [],
      dangers: [],
      conflicts: other === null ? [] : [{ agent: other, files: ['x'] }],
    });
    const seen = () => drive.state?.agents.map((agent) => agent.conflicts);
    drive.send(look(0, 1));
    expect(seen()).toEqual([[{ agent: 1, files: ['x'] }], [{ agent: 0, files: ['x'] }]]);
    drive.send(look(1, null));
    expect(seen()).toEqual([[], []]);
  });

  test('what would run code ends an agent at once, but not a person at the keyboard', () => {
    const danger: MessageBody = {
      type: 'agent_touched',
      agent: 0,
      files: [],
      dangers: [{ path: '.env', why: 'runs_code', undone: true }],
      conflicts: [],
    };
    const drive = new Drive()
      .start([task('T1')])
      .prepared(0)
      .send(danger);
    expect(drive.effects).toEqual([{ type: 'signal_agent', agent: 0, signal: 'SIGKILL' }]);
    drive.send(
      { type: 'attempt_exited', agent: 0, exit: { ...clean, code: null, signal: 'SIGKILL' } },
      { type: 'attempt_inspected', agent: 0, inspection: changed },
    );
    expect(drive.state?.agents[0]?.state).toMatchObject({
      outcome: { reason: 'dangerous_change', detail: '.env: would run code on the next start' },
    });
    const mine = new Drive().start([task('T1')], { unattended: false });
    mine.send({ type: 'take_over', agent: 0 }).prepared(0).send(danger);
    expect(mine.names()).toEqual(['running']);
  });
});
