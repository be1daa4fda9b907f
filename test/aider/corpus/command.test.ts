import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { testBatch } from './batch.js';
import { type MachineRow, machineRows, slowRows } from './machine.js';
import { broken, fixed } from './row.js';

/** What is said of Aider itself, its logs or its provider, and so of no other program. */
const aidersOwn: readonly string[] = [
  'nobody listens where the provider should be',
  'a Python exception in Aider',
  'a worktree that cannot be written',
  'an analytics log that is lost',
  'a stream that never ends',
  'a first byte that never comes',
  'a reply of twenty megabytes',
];

/** What comes of a row where a program tells nothing of its turns. */
const otherwise: Readonly<Record<string, Partial<MachineRow>>> = {
  // Nobody can tell whether it was done, so what it did is taken back.
  'Aider killed after its work was done': { branch: {} },
};

const rowsOf = (rows: readonly MachineRow[]): MachineRow[] =>
  rows
    .filter(({ name }) => !aidersOwn.includes(name))
    .map((row) => ({ ...row, ...otherwise[row.name] }));

/** More that a plain command can do. */
const more: readonly MachineRow[] = [
  {
    name: 'nothing at all',
    script: 'true',
    replies: () => [],
    outcome: 'no_change',
  },
  {
    name: 'no more than a blank',
    script: 'printf " " >> "$file"',
    replies: () => [],
    outcome: 'white_space_only',
    branch: { 'calc.py': `${broken} ` },
  },
  {
    name: 'a program that is not there',
    script: 'no-such-program',
    replies: () => [],
    outcome: 'agent_crashed',
    words: /exit code 127: .*no-such-program/,
  },
  {
    name: 'a file that runs code on the next start',
    script: '$real; echo X=1 > .env',
    replies: () => [],
    outcome: 'dangerous_change',
    refused: { '.env': 'runs_code' },
    branch: { 'calc.py': fixed },
  },
  {
    name: "another one's file",
    script: '$real; echo x >> .gitignore',
    replies: () => [],
    outcome: 'outside_scope',
    refused: { '.gitignore': 'outside' },
    branch: { 'calc.py': fixed },
  },
  {
    name: 'what it was given',
    script:
      'grep -q "Change only these files" "$AGENT_PROMPT_FILE" && [ "$AGENT_FILES" = "$file" ] && [ "$AGENT_MODEL" = gpt-4o ] && $real',
    replies: () => [],
    outcome: 'succeeded',
  },
];

/** Writes the command; which row it is, it reads from its prompt. */
function commandOf(rows: readonly MachineRow[], folder: string): string {
  mkdirSync(folder, { recursive: true });
  const edit = path.join(folder, 'edit');
  writeFileSync(edit, '#!/bin/sh\nLC_ALL=C exec sed -i "s/a - b/a + b/" "$AGENT_FILES"\n');
  chmodSync(edit, 0o755);
  const cases = rows.map(
    (row, index) =>
      `  *"Task: ${row.name}"*) file=row${String(index).padStart(2, '0')}/calc.py; ${row.script} ;;`,
  );
  const file = path.join(folder, 'agent');
  const head = `#!/bin/bash\nreal="${edit}"\ncase "$(cat "$AGENT_PROMPT_FILE")" in\n`;
  writeFileSync(file, `${head}${cases.join('\n')}\nesac\n`);
  chmodSync(file, 0o755);
  return `exec ${file}`;
}

describe('the corpus of failures, with a plain command in the place of Aider', () => {
  const rows = [...rowsOf(machineRows), ...more];
  testBatch({
    name: 'what the machine does',
    flags: ['--max-iterations', '1'],
    rows,
    command: (folder) => commandOf(rows, folder),
  });
  const slow = rowsOf(slowRows);
  testBatch({
    name: 'what never ends',
    flags: ['--max-iterations', '1', '--timeout', '0.5'],
    rows: slow,
    command: (folder) => commandOf(slow, folder),
  });
});
