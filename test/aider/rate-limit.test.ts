import { describe, expect } from 'vitest';
import { diffEdit } from '../../source/services/model-server/script.js';
import { aiderTest, makeRepo, modelServer, runPlan, world } from '../rig.js';

describe('limits, with real Aider', () => {
  const names = ['a', 'b', 'c'];
  const files = Object.fromEntries(names.map((name) => [`${name}.py`, 'x = 1\n']));
  const tasks = names.map((name) => ({
    id: name.toUpperCase(),
    title: `Raise ${name}`,
    files: [`${name}.py`],
  }));
  const rules = names.map((name) => ({
    when: `Task: Raise ${name}`,
    replies: [
      { text: diffEdit(`${name}.py`, 'x = 0', 'x = 2') },
      { text: diffEdit(`${name}.py`, 'x = 1', 'x = 2') },
    ],
  }));

  aiderTest(
    'a rate limit is met by all agents together: no agent sees it, and it is said',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer(rules, { limit: { requests: 2, spanMs: 4000 } });
      const end = await runPlan(repo, world(server), tasks, ['--max-agents', '3']);
      expect(end.code, end.stdout + end.stderr).toBe(0);
      expect(end.summary).toMatchObject({ successful_agents: 3, total_iterations: 6 });
      expect(end.stdout).toContain('rate limited: all wait until');
      expect(end.stdout).not.toContain('Retrying');
    },
  );

  aiderTest(
    'at the budget no message is sent any more; what is done is merged, the rest is not begun',
    async () => {
      const repo = makeRepo(files);
      const server = await modelServer(rules);
      // A message costs between 0.4 and 0.8 cents.
      const flags = ['--budget', '0.008', '--max-agents', '1', '--land', 'any'];
      const end = await runPlan(repo, world(server), tasks, flags);
      expect(end.code, end.stdout + end.stderr).toBe(1);
      expect(server.requests.length).toBe(2);
      expect(end.stdout).toContain('The budget of $0.0080 is spent');
      const { agent0, agent1, agent2 } = end.summary.agents;
      expect([agent0, agent1, agent2].map((agent) => agent?.outcome.reason)).toEqual([
        null,
        'not_started',
        'not_started',
      ]);
      expect(end.summary.landed).toBe(true);
      expect(end.stdout).toMatch(/Cost: +\$0\.01\d* of a budget of \$0\.0080/);
    },
  );

  aiderTest(
    'three agents that fail alike: the rest is not burnt, and it is said what to do',
    async () => {
      const many = ['a', 'b', 'c', 'd', 'e'];
      const repo = makeRepo(Object.fromEntries(many.map((name) => [`${name}.py`, 'x = 1\n'])));
      const server = await modelServer([{ replies: [{ status: 401, text: 'Incorrect API key' }] }]);
      const own = many.map((name) => ({ id: name, title: `Raise ${name}`, files: [`${name}.py`] }));
      const end = await runPlan(repo, world(server), own, ['--max-agents', '1']);
      expect(end.code).toBe(1);
      const reasons = Object.values(end.summary.agents).map((agent) => agent.outcome.reason);
      expect(reasons, end.stdout).toEqual(['auth', 'auth', 'auth', 'not_started', 'not_started']);
      expect(end.stdout).toContain('Check the API key of the model');
    },
  );
});
