import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { AgentSummary, Summary } from '../../../source/core/run/summary.js';
import type { Rule } from '../../../source/services/model-server/script.js';
import {
  aiderTest,
  git,
  makeRepo,
  modelServer,
  readLines,
  runPlan,
  tempFolder,
  world,
} from '../../rig.js';
import { broken, type Content, fixed, type Row } from './row.js';

/** Rows that share one run, its flags and its model. */
export interface Batch {
  readonly name: string;
  readonly flags: readonly string[];
  readonly rows: readonly Row[];
  /** The limit of the settings file; 2 when absent. */
  readonly maxFileMb?: number;
  /** Stands in Aider's place. */
  readonly aider?: (folder: string) => string;
  /** Is run instead of Aider. */
  readonly command?: (folder: string) => string;
}

function bytes(content: Content): Buffer {
  return Buffer.isBuffer(content) ? content : Buffer.from(content);
}

/** A file as a commit has it; null when it has none. */
function show(repo: string, commit: string, file: string): Buffer | null {
  const { status, stdout } = spawnSync('git', ['cat-file', 'blob', `${commit}:${file}`], {
    cwd: repo,
    maxBuffer: 1e9,
  });
  return status === 0 ? stdout : null;
}

function makeWorld({ rows, maxFileMb = 2 }: Batch) {
  const settings = { protect: ['**/ci/*.yml'], max_file_mb: maxFileMb };
  const repo = makeRepo({
    '.aider-orchestrator.json': JSON.stringify(settings),
    '.gitignore': '*.log\n',
  });
  for (const [index, row] of rows.entries()) {
    for (const [name, content] of Object.entries({ 'calc.py': broken, ...row.files })) {
      if (content === null) continue;
      const file = path.join(repo, folderOf(index), name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }
  const inner = makeRepo({ lib: '1' });
  git(repo, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', inner, 'vendor/lib');
  git(repo, 'add', '-A');
  git(repo, 'commit', '-q', '-m', 'rows');
  const hook = path.join(repo, '.git/hooks/pre-commit');
  mkdirSync(path.dirname(hook), { recursive: true });
  writeFileSync(hook, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return repo;
}

const folderOf = (index: number) => `row${String(index).padStart(2, '0')}`;

/** Declares the test of a batch. */
export function testBatch(batch: Batch): void {
  const { name, flags, rows, aider, command } = batch;
  aiderTest(`${name}: ${rows.length} cases`, { timeout: 600_000 }, async () => {
    const home = tempFolder('home');
    const repo = makeWorld(batch);
    const at = (index: number) => (file: string) =>
      file === '@home' ? home : file === '@repo' ? repo : `${folderOf(index)}/${file}`;
    const rules: Rule[] = rows.map((row, index) => ({
      when: `Task: ${row.name}\n`,
      replies: row.replies(at(index)),
    }));
    const server = await modelServer(rules);
    const tasks = rows.map((row, index) => ({
      id: `T${index}`,
      title: row.name,
      ...(row.description ? { description: row.description } : {}),
      files: (row.group ?? ['calc.py']).map((file) => `${folderOf(index)}/${file}`),
    }));
    const plain = world(server, home);
    const bin = path.join(home, 'bin');
    const where = aider
      ? { ...plain, aiderFlags: ['--aider', aider(bin)] }
      : command
        ? { ...plain, aiderFlags: ['--agent-cmd', command(bin)], afterFlags: [] }
        : plain;
    const end = await runPlan(repo, where, tasks, [
      '--land',
      'none',
      ...(flags.includes('--max-agents') ? [] : ['--max-agents', '4']),
      ...flags,
      ...(process.env['CORPUS_START'] === 'plain' ? ['--no-warm'] : []),
    ]);
    noteOutcomes(rows, end.summary);
    const problems = rows.flatMap((row, index) => {
      const agent = end.summary.agents[`agent${index}`] as AgentSummary;
      return checkRow(
        row,
        folderOf(index),
        agent,
        repo,
        end.summary.base,
        end.summary.integration_commit,
      ).map((problem) => `${row.name}: ${problem}`);
    });
    expect(problems, end.stdout + end.stderr).toEqual([]);
    for (const [index, row] of rows.entries()) {
      row.also?.({ repo, folder: folderOf(index), home });
    }
    expect(git(repo, 'status', '--porcelain')).toBe('');
    expect(git(repo, 'rev-parse', 'HEAD')).toBe(end.summary.base);
    expect(git(repo, 'worktree', 'list').split('\n').length).toBe(1);
  });
}

/** For a comparison of two runs of the corpus: what came of each row goes to a file. */
function noteOutcomes(rows: readonly Row[], { agents }: Summary): void {
  const file = process.env['CORPUS_OUTCOMES'];
  if (!file) return;
  for (const [index, row] of rows.entries()) {
    const agent = agents[`agent${index}`] as AgentSummary;
    const { outcome, error, iterations, attempts, refused, files_changed, merged } = agent;
    const came = { outcome, error, iterations, attempts, refused, files_changed, merged };
    appendFileSync(file, `${JSON.stringify({ row: row.name, ...came })}\n`);
  }
}

/** What is not as the row says; empty when all is well. */
function checkRow(
  row: Row,
  folder: string,
  agent: AgentSummary,
  repo: string,
  base: string,
  merged: string | null,
): string[] {
  const problems: string[] = [];
  const wants = (fine: boolean, problem: string) => {
    if (!fine) problems.push(problem);
  };
  const succeeded = row.outcome === 'succeeded';
  const was = agent.success ? 'succeeded' : agent.outcome.reason;
  wants(was === row.outcome, `${was} (${agent.error}), not ${row.outcome}`);
  wants(agent.merged === succeeded, agent.merged ? 'merged' : 'not merged');
  if (row.words) wants(row.words.test(agent.error ?? ''), `its words are: ${agent.error}`);
  if (row.iterations !== undefined)
    wants(agent.iterations === row.iterations, `${agent.iterations} iterations`);
  // The log tells the same: one event for each response, the outcome last.
  const log = readLines(path.join(repo, agent.log_file));
  const responses = log.filter((line) => line.event === 'assistant_response');
  wants(responses.length === agent.iterations, `${responses.length} responses in its log`);
  wants(log.at(-1)?.event === 'outcome', `the last event is ${log.at(-1)?.event}`);
  for (const [end, why] of Object.entries(row.refused ?? {})) {
    const found = agent.refused?.find((one) => one.path.endsWith(end));
    wants(found?.why === why, `${end} was refused as ${found?.why}`);
  }
  const wanted = row.branch ?? (succeeded ? { 'calc.py': fixed } : {});
  const commit = agent.commit ?? base;
  const changed = git(repo, 'diff', '-z', '--name-only', '--no-renames', base, commit)
    .split('\0')
    .filter(Boolean);
  for (const name of changed) {
    const own = Object.keys(wanted).some((file) => `${folder}/${file}` === name);
    wants(own, `its branch changes ${name}`);
  }
  for (const [file, content] of Object.entries(wanted)) {
    const inCommit = show(repo, commit, `${folder}/${file}`);
    const same = content === null ? inCommit === null : inCommit?.equals(bytes(content)) === true;
    wants(
      same,
      `${file} on its branch is ${JSON.stringify(inCommit?.toString('latin1').slice(0, 200))}`,
    );
  }
  // What is merged is the work of the successful, and nothing else.
  const inMerge = git(repo, 'diff', '--name-only', base, merged ?? base, '--', folder)
    .split('\n')
    .filter(Boolean);
  wants(succeeded || inMerge.length === 0, `merged: ${inMerge.join(', ')}`);
  return problems;
}
