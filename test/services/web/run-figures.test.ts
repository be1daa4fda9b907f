import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { journalHead } from '../../../source/core/run/journal.js';
import type { MessageBody } from '../../../source/core/run/message.js';
import type { KnownRun } from '../../../source/services/records/run-records.js';
import { journalFile } from '../../../source/services/records/run-records.js';
import { RunFigures } from '../../../source/services/web/run-figures.js';
import { checkout, Drive, task } from '../../hand-driven.js';
import { tempFolder } from '../../rig.js';
import { testConfig } from '../../test-config.js';

const { stamp } = testConfig;
const ownCheckout = { ...checkout, branch: `aider/${stamp}/agent0` };

/** A run with its journal, and what Prometheus would read of it. */
function watched() {
  const folder = path.join(tempFolder(), 'records');
  mkdirSync(folder);
  const file = path.join(folder, `${stamp}.jsonl`);
  const drive = new Drive();
  let liveness: KnownRun['liveness'] = 'alive';
  let now = 61_000;
  const figures = new RunFigures(
    () => [{ stamp, file, root: '/repo', liveness } as KnownRun],
    () => now,
  );
  const write = (rest = '') => {
    const lines = [journalHead(stamp), ...drive.messages].map((one) => JSON.stringify(one));
    writeFileSync(journalFile(file), `${lines.join('\n')}\n${rest}`);
  };
  const read = async () => {
    const text = await figures.text();
    return (name: string) =>
      text
        .split('\n')
        .filter((line) => line.startsWith(`aider_orchestrator_${name}`))
        .map((line) => line.replaceAll(`run="${stamp}",repository="/repo"`, '').replace('{}', ''));
  };
  return {
    drive,
    write,
    read,
    at: (ms: number) => {
      now = ms;
    },
    dies: () => {
      liveness = 'dead';
    },
    close: () => figures.close(),
  };
}

const notPrepared: MessageBody = {
  type: 'agent_not_prepared',
  agent: 0,
  reason: 'setup_failed',
  detail: 'exit code 1',
};

test('a living run is told of as it goes; a line that has come by half is read when it is whole', async () => {
  const { drive, write, read, close } = watched();
  drive.start([task('T1'), task('T2')]);
  drive.prepared(0, ownCheckout).response(0);
  write('{"type":"turn_star');
  const first = await read();
  expect(first('living_runs')).toEqual(['aider_orchestrator_living_runs 1']);
  expect(first('run_agents{')).toEqual([
    'aider_orchestrator_run_agents{,state="running"} 1',
    'aider_orchestrator_run_agents{,state="preparing"} 1',
  ]);
  expect(first('run_iterations_total')).toEqual(['aider_orchestrator_run_iterations_total 1']);
  // Whoever goes on with the journal cuts the half line off.
  drive.response(0);
  write();
  const second = await read();
  expect(second('run_iterations_total')).toEqual(['aider_orchestrator_run_iterations_total 2']);
  expect(second('run_cost_usd_total')).toEqual(['aider_orchestrator_run_cost_usd_total 1']);
  close();
});

test('what has failed never gets less, also where it is begun again', async () => {
  const { drive, write, read, close } = watched();
  drive.start([task('T1'), task('T2')]);
  drive.send(notPrepared);
  write();
  const failed = (told: (name: string) => string[]) => told('run_failures_total');
  const line = 'aider_orchestrator_run_failures_total{,of="agent",reason="setup_failed"}';
  expect(failed(await read())).toEqual([`${line} 1`]);
  drive.send({ type: 'restart_agent', agent: 0, remark: null });
  write();
  expect(failed(await read())).toEqual([`${line} 1`]);
  drive.send(notPrepared);
  write();
  expect(failed(await read())).toEqual([`${line} 2`]);
  close();
});

test('a run that was cut off is told of as such, with the time up to its last moment', async () => {
  const { drive, write, read, at, dies, close } = watched();
  drive.start([task('T1')]);
  drive.at += 30_000;
  drive.prepared(0, ownCheckout);
  write();
  dies();
  at(Date.now());
  const told = await read();
  expect(told('run_alive')).toEqual(['aider_orchestrator_run_alive 0']);
  expect(told('living_runs')).toEqual(['aider_orchestrator_living_runs 0']);
  expect(told('run_duration_seconds')[0]).toMatch(/ 30\.00\d$/);
  // After an hour nobody asks for it any more.
  at(Date.now() + 3_700_000);
  expect((await read())('run_alive')).toEqual([]);
  close();
});
