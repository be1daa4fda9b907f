import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Failure } from '../../../core/policy/failure.js';
import { err, ok, type Result } from '../../../core/result.js';
import { aiderFolder } from '../../config/folders.js';
import { unlessLater, unreadable } from '../../files/private-files.js';
import { askProgram, isExecutable, which } from '../../machine/programs.js';

export interface FoundAider {
  /** Absolute path of the command. */
  readonly command: string;
  readonly version: string;
  /** The interpreter that runs it; null when the command does not tell (a shim). */
  readonly python: string | null;
  /** The same, where the command is the script that pip writes, so that it is known what it does. */
  readonly interpreter: string | null;
  readonly source: 'flag' | 'PATH' | 'setup';
}

/**
 * Finds Aider: the one that was named, else the one on the PATH, else the one `setup` installed.
 * @param named a path from `--aider` or the settings; null when none was given
 */
export async function findAider(named: string | null): Promise<Result<FoundAider, Failure>> {
  if (named !== null) {
    const command = named.includes('/') ? path.resolve(named) : await which(named);
    if (command === null || !(await isExecutable(command))) {
      return err({
        kind: 'aider',
        message: `--aider ${named}: there is no such executable.`,
        hint: 'Give the path of an aider command, or leave it out to take the one on the PATH.',
      });
    }
    return describeAider(command, 'flag');
  }
  const onPath = await which('aider');
  if (onPath !== null) {
    const found = await describeAider(onPath, 'PATH');
    if (found.ok) return found;
  }
  const ours = path.join(aiderFolder(), 'bin', 'aider');
  if (await isExecutable(ours)) return describeAider(ours, 'setup');
  return err({
    kind: 'aider',
    message: 'Aider is not installed.',
    hint: 'aider-orchestrator setup   installs it into a folder of its own; or name one with --aider PATH.',
  });
}

async function describeAider(
  command: string,
  source: FoundAider['source'],
): Promise<Result<FoundAider, Failure>> {
  const python = await interpreterOf(command);
  const version =
    python === null ? await askCommand(command) : await askInterpreter(python, command);
  if (version === null) {
    return err({
      kind: 'aider',
      message: `${command} does not run.`,
      hint: 'Try it by hand: aider --version. A fresh one: aider-orchestrator setup.',
    });
  }
  const interpreter = (await isPipScript(command)) ? python : null;
  return ok({ command, version, python, interpreter, source });
}

/** The interpreter beside the command in its virtual environment, or the one its first lines name. */
async function interpreterOf(command: string): Promise<string | null> {
  const real = await realpath(command);
  const beside = path.join(path.dirname(real), 'python');
  const config = path.join(path.dirname(real), '..', 'pyvenv.cfg');
  if ((await isExecutable(beside)) && existsSync(config)) return beside;
  // The two forms that pip writes.
  const head = (await unlessLater(unreadable, Buffer.alloc(0), readFile(real))).toString(
    'latin1',
    0,
    1024,
  );
  const direct = /^#!\s*(\/\S*python[\d.]*)\s*$/m.exec(head.split('\n', 1)[0] ?? '');
  const wrapped = /^'''exec'\s+"?(\/[^"\n]*?python[\d.]*)"?\s+"\$0"/m.exec(head);
  const python = direct?.[1] ?? wrapped?.[1] ?? null;
  return python !== null && (await isExecutable(python)) ? python : null;
}

/** Whether the command does nothing but call Aider. */
async function isPipScript(command: string): Promise<boolean> {
  const text = await unlessLater(unreadable, '', readFile(command, 'latin1'));
  return text.length < 2000 && /^from aider\.main import main$/m.test(text);
}

/** Asks the package's metadata, which takes a tenth of a second; `aider --version` takes two. */
async function askInterpreter(python: string, command: string): Promise<string | null> {
  const code = "import importlib.metadata as m; print(m.version('aider-chat'))";
  const answer = await askProgram(python, ['-c', code], 20_000);
  return answer ? answer.stdout.trim() : askCommand(command);
}

async function askCommand(command: string): Promise<string | null> {
  const answer = await askProgram(command, ['--version'], 60_000);
  return answer ? (/\d+\.\d+\S*/.exec(answer.stdout)?.[0] ?? null) : null;
}
