import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from '../core/policy/failure.js';
import { printable } from '../core/text/printable.js';
import { makeSampleRepo } from '../demo/sample-repo.js';
import { demoChange, demoModels, demoScript } from '../demo/script.js';
import { findAider } from '../services/agents/aider/find-aider.js';
import { setupAider } from '../services/agents/aider/setup-aider.js';
import { packageFile } from '../services/config/package-files.js';
import { environment, setVariable } from '../services/machine/environment.js';
import { startModelServer } from '../services/model-server/model-server.js';
import { killAllProcesses } from '../services/pty/process-groups.js';
import { type AiderCommand, commandOf } from './aider-command.js';
import type { Arguments } from './arguments.js';
import { runMain } from './run.js';
import { onSignals } from './signals.js';
import type { Stdio } from './stdio.js';
import { wantsScreen } from './wants-screen.js';

/**
 * `demo`: the whole job in a sample repository, with real Aider and a scripted model behind the real
 * protocols. Needs no key and, but for installing Aider, no network.
 */
export async function demoCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const say = (text = '') => (args.flags.json ? stdio.error : stdio.out)(`${text}\n`);
  const aider = await demoAider(args, say);
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'aider-orchestrator-demo-')));
  const repo = path.join(folder, 'tiny-text');
  await makeSampleRepo(repo);
  const metadata = path.join(folder, 'model-metadata.json');
  await writeFile(metadata, JSON.stringify(demoModels));
  const before = await runTests(repo);
  say(`Sample repository: ${repo} (its tests: ${before.words})`);
  const server = await startModelServer(demoScript);
  const scripted: Readonly<Record<string, string>> = {
    GEMINI_API_KEY: 'demo',
    GOOGLE_GEMINI_BASE_URL: server.url,
    OPENAI_API_KEY: 'demo',
    OPENAI_API_BASE: `${server.url}/v1`,
    // The scripted model is on this machine, whatever proxy leads out of it.
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
  };
  for (const [name, value] of Object.entries(scripted)) setVariable(name, value);
  say(`Scripted model: ${server.url} (it only stands in for Gemini and gpt-4o)`);
  say(`Change: ${demoChange}\n`);
  const onScreen = wantsScreen(args, stdio);
  try {
    const code = await runMain(demoArguments(args, repo, metadata, onScreen), stdio, {
      aider,
      settings: false,
      ownModels: true,
    });
    const after = await runTests(repo);
    say();
    say(`Tests of the sample: before ${before.words}; after ${after.words}.`);
    say('Look at it:');
    say(`  cd ${repo}`);
    say('  git log --graph --oneline      what each agent did, merged');
    if (existsSync(path.join(repo, 'docs/prd'))) say('  cat docs/prd/*.md              the PRD');
    say('  npm test                       its tests');
    if (existsSync(path.join(repo, '.aider_logs'))) {
      say('  ls .aider_logs                 logs, recordings, summary');
    }
    return code === 0 && !after.pass ? 1 : code;
  } finally {
    await server.close();
  }
}

function demoArguments(
  args: Arguments,
  repo: string,
  metadata: string,
  onScreen: boolean,
): Arguments {
  const { json, quiet, verbose, maxAgents } = args.flags;
  return {
    ...args,
    command: 'run',
    // Limits and prices of the models, which Aider would download otherwise.
    aiderArgs: ['--model-metadata-file', metadata],
    flags: {
      change: demoChange,
      model: 'gpt-4o',
      geminiModel: 'gemini-1.5-pro',
      maxAgents: maxAgents ?? '3',
      land: 'all',
      // Its tests ask for more than it can do: that is the change.
      testCmd: 'npm test',
      redBase: 'fix',
      ...(onScreen ? {} : { yes: true }),
      repo,
      ...(json ? { json } : {}),
      ...(quiet ? { quiet } : {}),
      ...(verbose ? { verbose } : {}),
    },
  };
}

async function demoAider(args: Arguments, say: (text?: string) => void): Promise<AiderCommand> {
  const named = args.flags.aider ?? null;
  const found = await findAider(named);
  if (found.ok) {
    say(`Aider ${found.value.version}: ${found.value.command}`);
    return commandOf(found.value);
  }
  if (named === null) {
    say(
      'Aider is not installed; installing it into a folder of its own (about a minute, 700 MB)...',
    );
    const release = onSignals(killAllProcesses);
    const done = await setupAider((line) => {
      if (args.flags.verbose) say(`  ${printable(line)}`);
    });
    const signal = release();
    if (signal) process.exit(signal.code);
    const installed = done.ok ? await findAider(done.value.command) : done;
    if (installed.ok) {
      say(`Aider ${installed.value.version}: ${installed.value.command}`);
      return commandOf(installed.value);
    }
    say(describe(installed.failure).message);
  } else {
    say(describe(found.failure).message);
  }
  say('The demo continues with SIMULATED agents.');
  return {
    command: simulatedCommand(),
    version: 'simulated',
    interpreter: null,
    simulated: true,
  };
}

/** The stand-in as a command, also when the sources are run without a build. */
function simulatedCommand(): [string, ...string[]] {
  const ending = path.extname(fileURLToPath(import.meta.url));
  const script = packageFile(`source/services/simulated/agent${ending}`);
  return [process.execPath, ...process.execArgv, script];
}

interface TestResult {
  readonly pass: boolean;
  readonly words: string;
}

function runTests(repo: string): Promise<TestResult> {
  return new Promise((resolve) => {
    // A test runner that is told of another one around it reports to that one.
    const { NODE_TEST_CONTEXT: _, ...env } = environment();
    execFile(
      process.execPath,
      ['--test', '--test-reporter=tap'],
      { cwd: repo, env },
      (error, stdout) => {
        const count = (name: string) =>
          Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(stdout)?.[1] ?? 0);
        resolve({ pass: error === null, words: `${count('pass')} pass, ${count('fail')} fail` });
      },
    );
  });
}
