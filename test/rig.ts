import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject, onTestFinished, test } from 'vitest';
import type { Summary } from '../source/core/run/summary.js';
import {
  type ModelServer,
  startModelServer,
} from '../source/services/model-server/model-server.js';
import type { Rule, Script } from '../source/services/model-server/script.js';

import { endHosts } from './processes.js';

export { isAlive, processesWith } from './processes.js';

export const root = path.resolve(import.meta.dirname, '..');
export const cli = path.join(root, 'dist', 'cli.js');

/** `test` for what needs real Aider: skipped by name where there is none. */
export const aiderTest = test.runIf(inject('aider') !== null);

/** A new folder among the temporary ones. Digits only: random letters can spell what a test looks for. */
function newFolder(name: string): string {
  for (;;) {
    const folder = path.join(realpathSync(tmpdir()), `${name}-${randomInt(100_000, 1_000_000)}`);
    try {
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** A temporary folder that goes with the test; real, so that paths compare. */
export function tempFolder(name = 'ao'): string {
  const folder = newFolder(name);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd();
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** A repository with one commit, in a folder of the given name. */
export function makeRepo(
  files: Readonly<Record<string, string>>,
  folder = path.join(tempFolder(), 'repo'),
): string {
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'config', 'user.name', 'Test');
  git(folder, 'config', 'user.email', 'test@example.com');
  writeFiles(folder, files);
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'start');
  return folder;
}

export async function modelServer(
  chat: readonly Rule[],
  more: Partial<Script> = {},
): Promise<ModelServer> {
  const server = await startModelServer({ chat, gemini: [], ...more });
  onTestFinished(() => server.close());
  return server;
}

/** Prices and limits for the models of the tests, so that Aider downloads none. */
function metadataFile(folder: string): string {
  const file = path.join(folder, 'model-metadata.json');
  const entry = {
    max_input_tokens: 128_000,
    max_output_tokens: 16_384,
    max_tokens: 16_384,
    input_cost_per_token: 0.0000025,
    output_cost_per_token: 0.00001,
    litellm_provider: 'openai',
    mode: 'chat',
  };
  const names = ['gpt-4o', 'gpt-4o-mini', 'openai/scripted'];
  writeFileSync(file, JSON.stringify(Object.fromEntries(names.map((name) => [name, entry]))));
  return file;
}

export interface World {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** Arguments that lead to the real Aider and the scripted model. */
  readonly aiderFlags: readonly string[];
  readonly afterFlags: readonly string[];
}

/** A clean home and environment, with the scripted model behind every provider. */
export function world(server: ModelServer | null, home = tempFolder('home')): World {
  const { PATH, LANG, TMPDIR } = process.env;
  // A run outlives the program that has started it, also where a test has failed.
  onTestFinished(() => endHosts(home));
  const folders = {
    HOME: home,
    XDG_DATA_HOME: `${home}/data`,
    XDG_CACHE_HOME: `${home}/cache`,
    XDG_CONFIG_HOME: `${home}/config`,
  };
  const env: NodeJS.ProcessEnv = {
    PATH,
    LANG: LANG ?? 'C.UTF-8',
    ...(TMPDIR ? { TMPDIR } : {}),
    ...folders,
  };
  if (server) {
    Object.assign(env, {
      OPENAI_API_KEY: 'sk-test-secret',
      OPENAI_API_BASE: `${server.url}/v1`,
      GOOGLE_GEMINI_BASE_URL: server.url,
      GEMINI_API_KEY: 'gemini-test-secret',
    });
  }
  const aider = inject('aider');
  return {
    home,
    env,
    aiderFlags: aider ? ['--aider', aider] : [],
    afterFlags: ['--', '--model-metadata-file', metadataFile(home)],
  };
}

export interface CliEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly end: Promise<CliEnd>;
  /** Resolves when standard output matches; rejects when the program ends before. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Starts the built program, without a terminal. */
export function startCli(
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; input?: string | Buffer },
): RunningCli {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  const end = new Promise<CliEnd>((resolve) => {
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      for (const look of waiting) look();
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  onTestFinished(() => {
    if (child.exitCode === null) child.kill('SIGKILL');
  });
  return {
    child,
    end,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout);
          if (!match) return;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
        void end.then((ended) =>
          reject(
            new Error(`ended (${ended.code}) before ${pattern}: ${ended.stdout}${ended.stderr}`),
          ),
        );
      }),
  };
}

export function runCli(
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; input?: string | Buffer },
): Promise<CliEnd> {
  return startCli(args, options).end;
}

/** Runs agents on a plan with real Aider; gives the end and the summary. */
export async function runPlan(
  repo: string,
  where: World,
  tasks: readonly unknown[],
  flags: readonly string[] = [],
  after: readonly string[] = [],
): Promise<CliEnd & { summary: Summary }> {
  const running = startPlan(repo, where, tasks, flags, after);
  const end = await running.end;
  return { ...end, summary: lastSummary(repo, end) };
}

export function startPlan(
  repo: string,
  where: World,
  tasks: readonly unknown[],
  flags: readonly string[] = [],
  after: readonly string[] = [],
): RunningCli {
  const plan = path.join(where.home, `plan-${Math.random().toString(36).slice(2)}.json`);
  writeFileSync(plan, JSON.stringify({ tasks }));
  const args = ['--plan', plan, ...where.aiderFlags, ...flags, ...where.afterFlags, ...after];
  return startCli(args, { cwd: repo, env: where.env });
}

export function lastSummary(repo: string, end?: CliEnd): Summary {
  const logs = path.join(repo, '.aider_logs');
  const names = existsSync(logs)
    ? readdirSync(logs)
        .filter((name) => name.startsWith('summary_'))
        .sort()
    : [];
  const last = names.at(-1);
  if (!last) throw new Error(`no summary; ${end?.stdout}${end?.stderr}`);
  return JSON.parse(readFileSync(path.join(logs, last), 'utf8')) as Summary;
}

export function readLines(file: string): { event: string; [key: string]: unknown }[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

export function appendTo(file: string, text: string): void {
  appendFileSync(file, text);
}

/** The file of our own record of a run in a world's data folder. */
export function recordOf(where: World, stamp: string): string {
  const folder = path.join(where.home, 'data/aider-orchestrator/repositories');
  const [found] = readdirSync(folder)
    .map((id) => path.join(folder, id, `${stamp}.jsonl`))
    .filter((file) => existsSync(file));
  if (!found) throw new Error(`no record of ${stamp}`);
  return found;
}

/** Makes a run that has ended look as if its program had been killed: its books are open, it has no summary. */
export function asIfKilled(where: World, repo: string, stamp: string): void {
  const file = recordOf(where, stamp);
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const open = lines.filter((line) => !line.includes('"record":"closed"'));
  const dead = open.map((line) => line.replace(/"process_started":"\d+"/, '"process_started":"0"'));
  writeFileSync(file, `${dead.join('\n')}\n`);
  rmSync(file.replace(/jsonl$/, 'summary.json'), { force: true });
  rmSync(path.join(repo, `.aider_logs/summary_${stamp}.json`), { force: true });
}
