import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { spawnPty } from '../../source/services/pty/pty-process.js';
import { Screen } from '../../source/services/pty/screen.js';
import { cli, git, lastSummary, makeRepo, runCli, tempFolder, world } from '../rig.js';

/** Drives the built program in a terminal: type, wait for text, read the screen. */
function open(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  const pty = spawnPty({
    file: process.execPath,
    args: [cli, ...args],
    cwd,
    env: { ...(env as Record<string, string>), TERM: 'xterm-256color' },
    cols: 100,
    rows: 30,
  });
  const screen = new Screen(100, 30);
  const waiting = new Set<() => void>();
  const text = () => screen.lines().join('\n');
  screen.attach(pty, () => {
    for (const look of waiting) look();
  });
  const exit = new Promise<{ code: number | null; text: string }>((resolve) => {
    pty.onExit(async ({ code }) => {
      await screen.drawn();
      resolve({ code, text: text() });
    });
  });
  const waitFor = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!pattern.test(text())) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void exit.then((end) =>
        reject(new Error(`ended (${end.code}) before ${pattern}:\n${end.text}`)),
      );
    });
  return { type: (keys: string) => pty.write(keys), waitFor, exit };
}

describe('on a terminal', () => {
  test('the change is asked for; no to the plan leaves everything as it is', async () => {
    const repo = makeRepo({ 'a.ts': '1\n' });
    const where = world(null);
    const fake = process.execPath;
    const program = open(['--no-prd', '--aider', fake], repo, {
      ...where.env,
      OPENAI_API_KEY: 'k',
    });
    await program.waitFor(/What is to be changed\?/);
    program.type('Größere Änderung\r');
    await program.waitFor(/Start the agents\? \[Y\/n\]/);
    program.type('n\r');
    const end = await program.exit;
    expect(end.code, end.text).toBe(1);
    expect(end.text).toContain('Not started, as you said.');
    expect(lastSummary(repo).change).toBe('Größere Änderung');
    expect(git(repo, 'branch', '--list', 'aider/*')).toBe('');
  });

  test('Ctrl-C at a question ends with 2, without a stack', async () => {
    const repo = makeRepo({ 'a.ts': '1\n' });
    const program = open(['--no-prd', '--aider', process.execPath], repo, {
      ...world(null).env,
      OPENAI_API_KEY: 'k',
    });
    await program.waitFor(/What is to be changed\?/);
    program.type('\x03');
    const end = await program.exit;
    expect(end.code).toBe(2);
    expect(end.text).not.toContain('    at ');
  });
});

test('the demo without Aider goes on with simulated agents, and says so on every line that shows them', async () => {
  const where = world(null);
  const end = await runCli(['demo', '--aider', '/no/such/aider'], {
    cwd: tempFolder(),
    env: where.env,
  });
  expect(end.code, end.stdout + end.stderr).toBe(0);
  expect(end.stdout).toContain('The demo goes on with SIMULATED agents');
  const agentLines = end.stdout.split('\n').filter((line) => /\bagent\d/.test(line));
  expect(agentLines.length).toBeGreaterThan(8);
  for (const line of agentLines) expect(line).toContain('simulated');
  expect(end.stdout).toContain('after 6 pass, 0 fail');
  const repo = /Sample repository: (.*) \(/.exec(end.stdout)?.[1] as string;
  expect(lastSummary(repo)).toMatchObject({
    simulated: true,
    landed: true,
    gemini_model_used: 'gemini-2.5-pro',
  });
  expect(readFileSync(path.join(repo, 'src/index.js'), 'utf8')).toContain('wordCount');
  expect(git(repo, 'log', '--format=%B')).toContain('Made by a simulated agent.');
});
