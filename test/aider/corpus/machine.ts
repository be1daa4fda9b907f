import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inject } from 'vitest';
import { diffEdit, type Reply } from '../../../source/services/model-server/script.js';
import { broken, type Content, fixed, type Row } from './row.js';

const good = (at: (file: string) => string): Reply => ({
  text: diffEdit(at('calc.py'), '    return a - b', '    return a + b'),
});

/** A row whose Aider does something else too: `$real` runs the real one, `$file` is the row's file. */
export interface MachineRow extends Row {
  readonly script: string;
}

/**
 * What the machine does: real Aider within a shell script that is started in its place, and does to
 * the disk or to Aider what the world does at times.
 */
export const machineRows: readonly MachineRow[] = [
  // First, as it takes longest: Aider tries again for more than a minute.
  {
    name: 'nobody listens where the provider should be',
    script: 'OPENAI_API_BASE=http://127.0.0.1:9/v1 $real "$@"',
    replies: (at) => [good(at)],
    outcome: 'provider_error',
    iterations: 0,
  },
  {
    name: 'Aider as it is, within the script',
    script: '$real "$@"',
    replies: (at) => [good(at)],
    outcome: 'succeeded',
  },
  {
    name: 'Aider killed as by the kernel, out of memory',
    script: 'kill -9 $$',
    replies: (at) => [good(at)],
    outcome: 'killed_by_signal',
    words: /killed by a signal \(SIGKILL/,
  },
  {
    name: 'Aider killed after its work was done',
    script: '$real "$@"; kill -11 $$',
    replies: (at) => [good(at)],
    outcome: 'killed_by_signal',
    branch: { 'calc.py': fixed },
  },
  {
    name: 'a Python exception in Aider',
    script: 'PYTHONPATH="$traps" $real "$@" < /dev/null',
    replies: (at) => [good(at)],
    outcome: 'agent_crashed',
  },
  {
    name: 'an exit code of its own after the work',
    script: '$real "$@"; exit 3',
    replies: (at) => [good(at)],
    outcome: 'agent_crashed',
    words: /exit code 3/,
    branch: { 'calc.py': fixed },
  },
  {
    name: 'the file lost behind its back',
    script: '$real "$@"; rm "$file"',
    replies: (at) => [good(at)],
    outcome: 'file_gone',
    words: /calc\.py/,
    branch: { 'calc.py': null },
  },
  {
    name: 'the file under another name',
    script: '$real "$@"; mv "$file" "$file.old"',
    replies: (at) => [good(at)],
    outcome: 'outside_scope',
    refused: { 'calc.py.old': 'outside' },
    branch: { 'calc.py': null },
  },
  {
    name: 'the file made a folder',
    script: '$real "$@"; rm "$file"; mkdir "$file"; echo x > "$file/x"',
    replies: (at) => [good(at)],
    outcome: 'outside_scope',
    refused: { 'calc.py/x': 'outside' },
    branch: { 'calc.py': null },
  },
  {
    name: 'the file made a link out of the repository',
    script: '$real "$@"; ln -sf /etc/hostname "$file"',
    replies: (at) => [good(at)],
    outcome: 'refused_change',
    words: /a link that leads out/,
    refused: { 'calc.py': 'link' },
  },
  {
    name: 'the file made executable',
    script: '$real "$@"; chmod +x "$file"',
    replies: (at) => [good(at)],
    outcome: 'refused_change',
    words: /the mode of the file was changed/,
    refused: { 'calc.py': 'mode' },
  },
  {
    name: 'a worktree that cannot be written',
    script: 'chmod -R a-w .; $plain $real "$@"; chmod -R u+w .',
    replies: (at) => [good(at)],
    outcome: 'edit_failed',
    words: /the edits could not be written/,
  },
  {
    name: 'a hook of git that refuses each commit',
    script: 'test -x "$(git rev-parse --git-path hooks)/pre-commit" && $real "$@"',
    replies: (at) => [good(at)],
    outcome: 'succeeded',
  },
  {
    name: 'a lock of git left by someone',
    script: 'touch "$(git rev-parse --git-path index.lock)"; $real "$@"',
    replies: (at) => [good(at)],
    outcome: 'succeeded',
  },
  {
    name: 'an analytics log that is lost',
    script: '$real "$@"; : > "$log"',
    replies: (at) => [good(at)],
    outcome: 'succeeded',
  },
  {
    name: 'commits of its own',
    script:
      '$real "$@"; git -c user.name=x -c user.email=x@y commit -nqam own && git -c user.name=x -c user.email=x@y commit -nq --allow-empty -m more',
    replies: (at) => [good(at)],
    outcome: 'succeeded',
  },
  {
    name: 'a line of ten megabytes on the screen',
    script: '$real "$@"; head -c 10000000 /dev/zero | tr \'\\0\' x',
    replies: (at) => [good(at)],
    outcome: 'succeeded',
  },
  {
    name: 'an encoding of before Unicode',
    files: { 'calc.py': Buffer.from('# caf\xe9\ndef add(a, b):\n    return a - b\n', 'latin1') },
    script: '$real "$@" --encoding latin-1',
    replies: (at) => [good(at)],
    outcome: 'succeeded',
    branch: {
      'calc.py': Buffer.from('# caf\xe9\ndef add(a, b):\n    return a + b\n', 'latin1') as Content,
    },
  },
  {
    name: 'line ends of Windows',
    files: { 'calc.py': broken.replaceAll('\n', '\r\n') },
    script: '$real "$@"',
    replies: (at) => [good(at)],
    outcome: 'succeeded',
    branch: { 'calc.py': fixed.replaceAll('\n', '\r\n') },
  },
];

/** What ends only because we end it: each of these takes the half minute that a run of them allows. */
export const slowRows: readonly MachineRow[] = [
  {
    name: 'a stream that never ends',
    script: '$real "$@"',
    replies: (at) => [{ ...good(at), hang: true }],
    outcome: 'timeout',
    words: /out of time \(0\.5 min/,
  },
  {
    name: 'a first byte that never comes',
    script: '$real "$@"',
    replies: (at) => [{ ...good(at), delayMs: 600_000 }],
    outcome: 'timeout',
  },
  {
    name: 'Aider hanging without output, deaf to signals',
    script: "trap '' INT TERM; while :; do sleep 1; done",
    replies: (at) => [good(at)],
    outcome: 'timeout',
  },
  {
    name: 'a question that nobody answers',
    script: 'printf "Overwrite it? (Y)es/(N)o [Yes]: "; read -r answer',
    replies: (at) => [good(at)],
    outcome: 'unanswered_question',
    words: /Overwrite it\? \(Y\)es/,
  },
  {
    name: 'a reply of twenty megabytes',
    script: '$real "$@" --edit-format whole',
    replies: (at) => [
      {
        text: `${at('calc.py')}\n\`\`\`\n${Array.from({ length: 260_000 }, (_, index) => `# ${index * 7919} ${'x'.repeat(index % 130)}`).join('\n')}\n\`\`\`\n`,
        chunkSize: 65_536,
      },
    ],
    outcome: 'timeout',
  },
];

/** Writes the script that stands in Aider's place; which row it is, it reads from its message. */
export function machineAider(rows: readonly MachineRow[], folder: string): string {
  mkdirSync(folder, { recursive: true });
  const traps = path.join(folder, 'traps');
  mkdirSync(traps);
  // An exception from within, at the first thing that the model says.
  writeFileSync(
    path.join(traps, 'sitecustomize.py'),
    'import litellm\ndef boom(*a, **k): raise RuntimeError("from within")\nlitellm.completion = boom\n',
  );
  const cases = rows.map(
    (row, index) =>
      `  *"Task: ${row.name}"*) file=row${String(index).padStart(2, '0')}/calc.py; ${row.script} ;;`,
  );
  const file = path.join(folder, 'aider');
  writeFileSync(
    file,
    `#!/bin/bash
real="${inject('aider')}"
traps="${traps}"
# What root may do beyond a file's mode, Aider is not to do.
plain=; if [ "$(id -u)" = 0 ]; then plain='setpriv --bounding-set -dac_override'; fi
if [ "$1" = --version ] || [[ "$*" == *--show-repo-map* ]]; then exec $real "$@"; fi
for ((i = 1; i <= $#; i++)); do
  if [ "\${!i}" = --analytics-log ]; then j=$((i + 1)); log="\${!j}"; fi
done
case "$*" in
${cases.join('\n')}
  *) $real "$@" ;;
esac
`,
  );
  chmodSync(file, 0o755);
  return file;
}
