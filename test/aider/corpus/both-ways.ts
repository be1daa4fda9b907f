/**
 * Runs the corpus of failures twice, with agents that are forked from one Aider and with agents that
 * are started anew, and compares what came of each row. Rows whose Aider is a script of their own are
 * always started; they are left out. Exit 1 when anything differs.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const folder = mkdtempSync(path.join(tmpdir(), 'ao-both-'));

async function outcomes(start: 'warm' | 'plain'): Promise<Map<string, string>> {
  const file = path.join(folder, start);
  const begun = Date.now();
  const args = [
    '--config',
    'test/vitest.config.ts',
    'test/aider/corpus',
    '-t',
    'model|provider does',
  ];
  const code = await new Promise<number | null>((resolve) => {
    const env = { ...process.env, CORPUS_START: start, CORPUS_OUTCOMES: file };
    spawn('npx', ['vitest', 'run', ...args], { env, stdio: 'inherit' }).on('close', resolve);
  });
  if (code !== 0) throw new Error(`the corpus failed, agents ${start}`);
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  console.log(
    `agents ${start}: ${lines.length} rows in ${Math.round((Date.now() - begun) / 1000)} s`,
  );
  return new Map(lines.map((line) => [(JSON.parse(line) as { row: string }).row, places(line)]));
}

/** Without what is another folder and another moment each time. */
function places(line: string): string {
  return line
    .replaceAll(/[^\s"(]*\/(ao|home)-\w+\//g, '$1/')
    .replaceAll(/worktrees\/[0-9a-f]+\/\d{8}_\d{6}/g, 'worktrees');
}

const warm = await outcomes('warm');
const plain = await outcomes('plain');
const different = [...new Set([...warm.keys(), ...plain.keys()])].filter(
  (row) => warm.get(row) !== plain.get(row),
);
for (const row of different)
  console.log(`${row}\n  warm:  ${warm.get(row)}\n  plain: ${plain.get(row)}`);
console.log(`${different.length} of ${warm.size} rows differ`);
rmSync(folder, { recursive: true, force: true });
process.exitCode = different.length === 0 && warm.size > 0 ? 0 : 1;
