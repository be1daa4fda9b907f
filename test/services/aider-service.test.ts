import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { escapeIgnorePattern } from '../../source/core/policy/paths.js';
import {
  type AiderEvent,
  parseAiderEvent,
} from '../../source/services/agents/aider/analytics-log.js';
import { agentEnvironment } from '../../source/services/agents/aider/environment.js';
import { wordsOf } from '../../source/services/agents/aider/event-words.js';
import { findAider } from '../../source/services/agents/aider/find-aider.js';
import { aiderArguments } from '../../source/services/agents/aider/invocation.js';
import { LineSplitter, LogTail } from '../../source/services/agents/aider/log-tail.js';
import { cutMap } from '../../source/services/agents/aider/repo-map.js';
import { until } from '../eventually.js';
import { appendTo, git, makeRepo, runCli, tempFolder, world } from '../rig.js';

describe('the environment of an agent', () => {
  const env = {
    PATH: '/bin',
    HOME: '/h',
    GEMINI_API_KEY: 'g',
    GOOGLE_API_KEY: 'g2',
    NO_COLOR: '1',
    COLUMNS: '80',
    GIT_DIR: '/x',
    AIDER_AUTO_COMMITS: 'true',
    AIDER_OPENAI_API_KEY: 'k',
    OPENAI_API_BASE: 'b',
    TMUX: 't',
  };

  test('a plain terminal; no option of Aider comes in by the back door; keys under their plain names', () => {
    const made = agentEnvironment(env, 'gpt-4o', 'g');
    expect(made).toMatchObject({
      PATH: '/bin',
      HOME: '/h',
      TERM: 'xterm-256color',
      BROWSER: 'true',
      OPENAI_API_KEY: 'k',
      OPENAI_API_BASE: 'b',
    });
    for (const name of [
      'NO_COLOR',
      'COLUMNS',
      'GIT_DIR',
      'TMUX',
      'AIDER_AUTO_COMMITS',
      'AIDER_OPENAI_API_KEY',
      'GEMINI_API_KEY',
      'GOOGLE_API_KEY',
    ])
      expect(made).not.toHaveProperty(name);
  });

  test('the Gemini key goes to an agent whose model is Gemini alone', () => {
    expect(agentEnvironment(env, 'gemini/gemini-2.5-pro', 'from-flag')['GEMINI_API_KEY']).toBe(
      'from-flag',
    );
    expect(agentEnvironment({}, 'gpt-4o', 'from-flag')).not.toHaveProperty('GEMINI_API_KEY');
  });
});

test('the arguments: the message as one, never a command, and nothing that asks', () => {
  const args = aiderArguments({
    model: 'm',
    files: ['a b.ts'],
    message: { text: 'Task: x\n--yes "$(rm)"' },
    read: ['/prd.md'],
    analyticsLog: '/log',
    chatHistory: '/chat',
    scope: '/scope',
    llmHistory: '/replies',
    crlf: false,
    extra: ['--edit-format', 'whole'],
  });
  expect(args).toContain('--message=Task: x\n--yes "$(rm)"');
  expect(args.join(' ')).toContain('--file a b.ts --read /prd.md');
  for (const flag of [
    '--yes-always',
    '--no-auto-commits',
    '--no-detect-urls',
    '--disable-playwright',
    '--no-check-update',
    '--no-gitignore',
    '--no-analytics',
  ])
    expect(args).toContain(flag);
  expect(args.slice(-2)).toEqual(['--edit-format', 'whole']);
});

test('a pattern of the scope file matches exactly its path, by the rules of gitignore', () => {
  const names = ['a b.ts', 'src/[x].ts', '#note', '!bang', 'tail ', 'st*r', 'q?', 'back\\slash'];
  const repo = makeRepo({ x: '' });
  writeFileSync(
    path.join(repo, '.gitignore'),
    `*\n${names.map((name) => `!${escapeIgnorePattern(name)}`).join('\n')}\n!src/\n`,
  );
  for (const name of names) {
    mkdirSync(path.dirname(path.join(repo, name)), { recursive: true });
    writeFileSync(path.join(repo, name), '');
  }
  for (const name of ['src/y.ts', 'star', 'qq']) writeFileSync(path.join(repo, name), '');
  const seen = git(repo, '-c', 'core.quotePath=false', 'ls-files', '-o', '--exclude-standard', '-z')
    .split('\0')
    .filter(Boolean);
  expect(seen.sort()).toEqual([...names].sort());
});

describe("Aider's analytics log", () => {
  test.each([
    [
      'cli session',
      { main_model: 'gpt-4o', edit_format: 'diff' },
      'Aider uses gpt-4o, edit format diff',
    ],
    ['cli session', {}, 'Aider uses its model'],
    ['message_send_exception', { exception: 'x' }, 'the message failed: x'],
    ['exit', { reason: { a: 1 } }, 'Aider ends'],
    ['command_add', {}, null],
    ['constructor', {}, null],
  ])('%s is told in words', (event, properties, words) => {
    expect(wordsOf({ event, properties, time: null })).toBe(words);
  });

  test('lines that arrive in pieces are whole, in order, once', async () => {
    const file = path.join(tempFolder(), 'log');
    writeFileSync(file, '{"event":"old"}\n');
    const events: AiderEvent[] = [];
    const tail = new LogTail(file, 16, (event) => events.push(event));
    appendTo(file, '{"event":"a","properties":{"x":1},"time":5}\n{"eve');
    appendTo(file, 'nt":"b"}\nnot json\n{"event":"ü"');
    tail.read();
    expect(events.map(({ event }) => event)).toEqual(['a', 'b']);
    appendTo(file, '}\n');
    await until(() => events.length >= 3);
    tail.close();
    expect(events[2]).toEqual({ event: 'ü', properties: {}, time: null });
  });

  test('a character that is split between two reads is whole', () => {
    const splitter = new LineSplitter();
    const bytes = Buffer.from('{"event":"ü"}\n');
    const lines = [...bytes].flatMap((byte) => splitter.push(Buffer.from([byte])));
    expect(lines.map((line) => parseAiderEvent(line)?.event)).toEqual(['ü']);
  });
});

test("the map without Aider's words", () => {
  expect(
    cutMap(
      'Aider v1\nRepo-map: using 4096 tokens\nHere are summaries of some files\nDo not propose changes to\nIf you need to edit any\n\nsrc/a.py:\n│def slug(a):  \n',
    ),
  ).toBe('src/a.py:\n│def slug(a):');
  // After a spinner that was taken back.
  expect(cutMap('Repo-map\n░█\b\b  \b\bHere are summaries of some files\n\nsrc/a.py:\n')).toBe(
    'src/a.py:',
  );
  expect(cutMap('Error')).toBe(null);
});

test('finding Aider: one that does not exist is named', async () => {
  const found = await findAider('/no/such/aider');
  expect(found).toMatchObject({
    ok: false,
    failure: { kind: 'aider', message: expect.stringContaining('/no/such/aider') },
  });
});

test('setup says what to do where only Python 3.13 is there', async () => {
  const bin = tempFolder('bin');
  for (const [name, body] of [
    ['python3', 'echo 3.13'],
    ['ps', 'exit 1'],
  ] as const) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  const { env, home } = world(null);
  const end = await runCli(['setup'], { cwd: home, env: { ...env, PATH: bin } });
  expect(end.code).toBe(1);
  expect(end.stderr).toContain('only Python 3.13');
  expect(end.stderr).toContain('Install uv');
  expect(end.stdout + readFileSync(path.join(bin, 'python3'), 'utf8')).not.toContain('installed:');
});
