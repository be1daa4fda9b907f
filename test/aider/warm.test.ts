import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { diffEdit } from '../../source/services/model-server/script.js';
import {
  aiderTest,
  lastSummary,
  makeRepo,
  modelServer,
  processesWith,
  startPlan,
  world,
} from '../rig.js';

const replies = [
  { text: `I mend it.\n\n${diffEdit('a.py', 'no such line', 'a = 2')}` },
  { text: 'Nothing is left to do.' },
  { text: `Now it is right: ü 日本\n\n${diffEdit('a.py', 'a = 1', 'a = 2')}` },
];

/** One run of one agent; what it wrote, without what must differ between any two runs. */
async function run(flags: readonly string[]) {
  const repo = makeRepo({ 'a.py': 'a = 1\n', 'b.py': 'b = 1\n' });
  const server = await modelServer([{ replies }]);
  const where = world(server);
  const tasks = [{ id: 'T1', title: 'Raise a', description: 'To 2.', files: ['a.py'] }];
  const running = startPlan(repo, where, tasks, ['--json', ...flags]);
  const [, pid] = await running.waitFor(/"event":"attempt_started".*?"pid":(\d+)/);
  const forked = processesWith('fork_server.py').some((line) => line.trim().startsWith(`${pid} `));
  const end = await running.end;
  expect(end.code, end.stdout + end.stderr).toBe(0);
  const logs = path.join(repo, '.aider_logs');
  const [stamp = ''] = readdirSync(path.join(logs, 'runs'));
  const plain = (text: string) =>
    text
      .replaceAll(server.url, '<server>')
      .replaceAll(repo, '<repo>')
      .replaceAll(path.basename(path.dirname(repo)), '<folder>')
      .replaceAll(where.home, '<home>')
      .replaceAll(stamp, '<run>')
      .replace(/(agent0-)\w+/g, '$1<place>')
      .replace(/\b(?=\d*[a-f])[0-9a-f]{12,40}\b/g, '<id>')
      .replace(/(\.\.\/)+/g, '<up>/')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '<time>');
  const read = (name: string) =>
    plain(readFileSync(path.join(logs, 'runs', stamp, 'agent0', name), 'utf8'));
  const lines = (text: string) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const { time: _, user_id: __, ...rest } = JSON.parse(line);
        return rest;
      });
  const agent = lastSummary(repo).agents['agent0'];
  const log = readFileSync(path.join(repo, agent?.log_file as string), 'utf8');
  return {
    forked,
    chat: read('chat.md'),
    analytics: lines(read('analytics.jsonl')),
    events: lines(plain(log)).map(({ event, text }) => ({ event, text })),
    outcome: [agent?.outcome, agent?.iterations, agent?.prompt_tokens, agent?.cost_usd],
    requests: server.requests.map(({ text, model }) => [model, plain(text)]),
  };
}

describe('agents forked and started', () => {
  aiderTest('write the same chat, the same log and the same requests', async () => {
    const { forked, ...warm } = await run([]);
    const { forked: second, ...cold } = await run(['--no-warm']);
    expect([forked, second]).toEqual([process.platform === 'linux', false]);
    expect(warm.requests.length).toBeGreaterThan(2);
    expect(warm).toEqual(cold);
  });
});
