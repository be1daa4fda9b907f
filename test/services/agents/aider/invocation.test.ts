import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { escapeIgnorePattern } from '../../../../source/core/policy/paths.js';
import { aiderArguments } from '../../../../source/services/agents/aider/invocation.js';
import { git, makeRepo } from '../../../rig.js';

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
