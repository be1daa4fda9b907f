import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { diffEdit } from '../../source/services/model-server/script.js';
import { aiderTest, git, makeRepo, modelServer, runCli, runPlan, world } from '../rig.js';

const many = Object.fromEntries(
  Array.from({ length: 24 }, (_, index) => [
    `pkg/m${index}.py`,
    `def symbol_${index}(value):\n    return value + ${index}\n`,
  ]),
);

aiderTest(
  'agents and planner read the map of the base: the symbols of files they do not have',
  async () => {
    const repo = makeRepo({
      ...many,
      'pkg/main.py': `${Object.keys(many)
        .map((_, index) => `from pkg.m${index} import symbol_${index}`)
        .join('\n')}\n\nx = 1\n`,
    });
    const answer = {
      prd: '# Raise x\n',
      parallel: true,
      tasks: [{ id: 'T1', title: 'Raise x', files: ['pkg/main.py'] }],
    };
    const server = await modelServer(
      [{ replies: [{ text: diffEdit('pkg/main.py', 'x = 1', 'x = 2') }] }],
      {
        gemini: [{ replies: [{ text: JSON.stringify(answer) }] }],
      },
    );
    const where = world(server);
    const args = ['--change', 'Raise x', ...where.aiderFlags, ...where.afterFlags];
    const end = await runCli(args, { cwd: repo, env: where.env });
    expect(end.code, end.stdout + end.stderr).toBe(0);
    const [planner, agent] = ['gemini', 'chat'].map(
      (kind) => server.requests.find((request) => request.kind === kind)?.text ?? '',
    );
    expect(planner).toContain('def symbol_3(value)');
    expect(agent).toContain('Map of the repository');
    expect(agent).toContain('# Raise x');
    expect(readFileSync(path.join(repo, 'pkg/main.py'), 'utf8')).toContain('x = 2');
    expect(git(repo, 'status', '--porcelain')).toBe('?? docs/');
    expect(git(repo, 'worktree', 'list').split('\n')).toHaveLength(1);
  },
);

aiderTest('a very long message goes by file', async () => {
  const repo = makeRepo({ 'a.py': 'a = 1\n' });
  const server = await modelServer([{ replies: [{ text: diffEdit('a.py', 'a = 1', 'a = 2') }] }]);
  const description = Array.from({ length: 20_000 }, (_, index) => index).join(' ');
  const end = await runPlan(repo, world(server), [
    { id: 'T1', title: 'Raise a', files: ['a.py'], description },
  ]);
  expect(end.code, end.stdout + end.stderr).toBe(0);
  expect(server.requests[0]?.text).toContain('19998 19999');
});

aiderTest(
  'a PRD and a file to read with code blocks move no fence: whole files in ``` are taken at once',
  async () => {
    const code = 'Text\n\n```py\nx = 0\n```\n';
    const repo = makeRepo({ 'a.py': 'x = 1\n', 'b.py': 'y = 1\n', 'README.md': code });
    const prd = `# Raise x\n\n${code}\n## Tasks\n\n### T1: Raise x\n\n- Files: \`a.py\`\n- Reads: \`README.md\`\n`;
    writeFileSync(path.join(repo, 'prd.md'), prd);
    const server = await modelServer([{ replies: [{ text: 'a.py\n```\nx = 2\n```\n' }] }]);
    const where = world(server);
    const args = ['--prd', 'prd.md', '--yes', ...where.aiderFlags, ...where.afterFlags];
    const end = await runCli([...args, '--edit-format', 'whole'], { cwd: repo, env: where.env });
    expect(end.code, end.stdout + end.stderr).toBe(0);
    expect(git(repo, 'show', 'HEAD:a.py')).toBe('x = 2');
    const asked = server.requests.filter(({ kind }) => kind === 'chat');
    expect(asked).toHaveLength(1);
    expect(asked[0]?.text).toContain(' ```py');
  },
);
