import {
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AgentLine, AgentLogs } from '../../../source/services/logs/agent-log.js';
import { logPaths } from '../../../source/services/logs/log-paths.js';
import { tempFolder } from '../../rig.js';

/** What a journal tells of two agents. */
const lines: AgentLine[] = [
  'prepared',
  'started',
  'assistant_response',
  'exited',
  'outcome',
].flatMap((event, at) =>
  [0, 1].map((agent) => ({ agent, line: { event, time: 1000 + at, attempt: 1, iteration: at } })),
);

function completed(text: string | null): string {
  const paths = logPaths(tempFolder(), '20260102_030405');
  mkdirSync(paths.logs, { recursive: true });
  if (text !== null) writeFileSync(paths.agentLog(0), text);
  const logs = new AgentLogs(paths, (problem) => expect.fail(problem));
  logs.complete(lines);
  logs.close();
  return readFileSync(paths.agentLog(0), 'utf8');
}

const whole = lines
  .filter(({ agent }) => agent === 0)
  .map(({ line }) => `${JSON.stringify(line)}\n`)
  .join('');

test('a log that ends anywhere gets the lines that its journal tells, each once', () => {
  fc.assert(
    fc.property(fc.nat(whole.length), (length) => {
      expect(completed(whole.slice(0, length))).toBe(whole);
    }),
    { numRuns: 200 },
  );
  expect(completed(null)).toBe(whole);
});

test('what the agent itself has told stays, and keys in another order are the same line', () => {
  const own = '{"event":"message_send","properties":{},"time":1001.5}\n';
  const turned = whole.replace(/\{("event":"started"),(.*?)\}/, '{$2,$1}');
  expect(turned).not.toBe(whole);
  expect(completed(own + turned)).toBe(own + turned);
});

test('a log that is too large to be read is left as it is', () => {
  const paths = logPaths(tempFolder(), '20260102_030405');
  mkdirSync(paths.logs, { recursive: true });
  const size = 64 * 1024 * 1024 + 1;
  writeFileSync(paths.agentLog(0), '');
  truncateSync(paths.agentLog(0), size);
  const logs = new AgentLogs(paths, (problem) => expect.fail(problem));
  logs.complete(lines);
  logs.close();
  expect(statSync(paths.agentLog(0)).size).toBe(size);
});

test('a log that somebody has made a link is not followed, and does not end the run', () => {
  const folder = tempFolder();
  const paths = logPaths(folder, '20260102_030405');
  mkdirSync(paths.logs, { recursive: true });
  const other = path.join(folder, 'other');
  writeFileSync(other, 'of somebody\n');
  rmSync(paths.agentLog(0), { force: true });
  symlinkSync(other, paths.agentLog(0));
  const problems: string[] = [];
  const logs = new AgentLogs(paths, (problem) => problems.push(problem));
  logs.complete(lines);
  logs.close();
  expect(readFileSync(other, 'utf8')).toBe('of somebody\n');
  expect(problems).toHaveLength(1);
});
