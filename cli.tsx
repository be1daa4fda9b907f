#!/usr/bin/env node

import { homedir } from 'node:os';
import type { Arguments } from './source/commands/arguments.js';
import { crashWords } from './source/commands/crash.js';
import { helpText } from './source/commands/help.js';
import { processStdio, reportFailure, type Stdio } from './source/commands/stdio.js';
import { faultMend, faultOfError, faultWords } from './source/core/policy/machine-fault.js';
import { unreachable } from './source/core/result.js';
import { printable } from './source/core/text/printable.js';
import { programVersion } from './source/services/config/package-files.js';
import { softLimit } from './source/services/machine/confirm-fault.js';
import { environment } from './source/services/machine/environment.js';

/** Each subcommand loads what it needs, when it is needed. */
async function runCommand(args: Arguments, stdio: Stdio): Promise<number> {
  switch (args.command) {
    case 'run':
      return (await import('./source/commands/run.js')).runMain(args, stdio);
    case 'demo':
      return (await import('./source/commands/demo.js')).demoCommand(args, stdio);
    case 'doctor':
      return (await import('./source/commands/doctor.js')).doctorCommand(args, stdio);
    case 'setup':
      return (await import('./source/commands/setup.js')).setupCommand(args, stdio);
    case 'runs':
      return (await import('./source/commands/history.js')).runsCommand(args, stdio);
    case 'show':
      return (await import('./source/commands/history.js')).showCommand(args, stdio);
    case 'attach':
      return (await import('./source/commands/attach.js')).attachCommand(args, stdio);
    case 'web':
      return (await import('./source/commands/web.js')).webCommand(args, stdio);
    case 'stop':
      return (await import('./source/commands/living-runs.js')).stopCommand(args, stdio);
    case 'wait':
      return (await import('./source/commands/living-runs.js')).waitCommand(args, stdio);
    case 'send':
      return (await import('./source/commands/living-runs.js')).sendCommand(args, stdio);
    case 'logs':
      return (await import('./source/commands/logs.js')).logsCommand(args, stdio);
    case 'resume':
      return (await import('./source/commands/resume.js')).resumeCommand(args, stdio);
    case 'land':
      return (await import('./source/commands/history.js')).landCommand(args, stdio);
    case 'undo':
      return (await import('./source/commands/history.js')).undoCommand(args, stdio);
    case 'clean':
      return (await import('./source/commands/clean.js')).cleanCommand(args, stdio);
    case 'completion':
      return (await import('./source/commands/completion.js')).completionCommand(args, stdio);
    default:
      return unreachable(args.command);
  }
}

function tellHelp(stdio: Stdio): number {
  stdio.out(helpText().slice(1));
  return 0;
}

function tellVersion(stdio: Stdio): number {
  stdio.out(`${programVersion()}\n`);
  return 0;
}

/** What loading this program alone has open at once. */
const leastFiles = 100;

/** Containers run as users that the system does not know. */
function hasHome(): boolean {
  if (environment()['HOME']) return true;
  try {
    return homedir() !== '';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SYSTEM_ERROR') return false;
    throw error;
  }
}

async function main(): Promise<number> {
  const terminal = processStdio();
  if (process.platform === 'win32') {
    terminal.error(
      'aider-orchestrator needs a Unix: on Windows, use it inside WSL (Windows Subsystem for Linux).\n',
    );
    return 2;
  }
  if (!hasHome()) {
    terminal.error(
      'aider-orchestrator: This user has no home folder: HOME is not set, and the system knows none.\n  Set HOME to a folder that you can write to: HOME=/tmp/home aider-orchestrator\n',
    );
    return 2;
  }
  const argv = process.argv.slice(2);
  // By a program of ours alone: see `commands/host`.
  if (argv[0] === '--host-process') {
    return (await import('./source/commands/host/host-process.js')).hostMain(
      argv[1] ?? '',
      terminal,
    );
  }
  // On their own, as scripts and shells ask for them, they need no reading of arguments.
  const [only] = argv.length === 1 ? argv : [];
  if (only === '--version') return tellVersion(terminal);
  if (only === '--help' || only === '-h') return tellHelp(terminal);
  const files = softLimit('Max open files');
  if (files !== null && files < leastFiles) {
    terminal.error(
      `aider-orchestrator: Only ${files} files may be open at once, too few even to start (open files: the limit is ${files}).\n  ${faultMend('descriptors')}\n`,
    );
    return 2;
  }
  const { parseArguments } = await import('./source/commands/arguments.js');
  const args = parseArguments(argv, import.meta);
  if (!args.ok) {
    reportFailure(terminal, args.failure);
    return 2;
  }
  if (args.value.flags.help) return tellHelp(terminal);
  if (args.value.flags.version) return tellVersion(terminal);
  return runCommand(args.value, terminal);
}

// A bug: say it, and leave no process behind. The next start closes the books of the run.
process.on('uncaughtException', (error) => {
  const fault = faultOfError(error);
  const words =
    fault === null
      ? `internal error: ${crashWords(error)}`
      : `${faultWords(fault)} (${printable(error.message)}).\n  ${faultMend(fault)}`;
  process.stderr.write(`aider-orchestrator: ${words}\n`);
  process.exit(1);
});

process.exitCode = await main();
// What a library may have left open must not hold the end up; the output must be out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));
