import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Failure } from '../../../core/policy/failure.js';
import { faultOfText } from '../../../core/policy/machine-fault.js';
import { err, ok, type Result } from '../../../core/result.js';
import { aiderFolder } from '../../config/folders.js';
import { unless } from '../../files/private-files.js';
import { environment } from '../../machine/environment.js';
import { lookingElsewhere } from '../../machine/own-environment.js';
import { askProgram, isExecutable, which } from '../../machine/programs.js';
import { runCommand } from '../../pty/run-command.js';

/** The version this program is written for; its texts, flags and events are known. */
export const aiderVersion = '0.86.2';
const requirement = `aider-chat==${aiderVersion}`;

/** Python versions Aider runs on. */
const pythons = ['3.12', '3.11', '3.10'] as const;

export interface SetupDone {
  readonly command: string;
  /** False when it was there already. */
  readonly installed: boolean;
}

/**
 * Installs Aider into a virtual environment of our own, never into the user's Python. Made beside its
 * place and moved there when it is whole, so that an interrupted set-up leaves nothing half done.
 * @param onProgress gets the lines that the installer prints
 */
export async function setupAider(
  onProgress: (line: string) => void,
): Promise<Result<SetupDone, Failure>> {
  const folder = aiderFolder();
  const command = path.join(folder, 'bin', 'aider');
  if (await works(folder)) return ok({ command, installed: false });
  const fresh = `${folder}.${process.pid}.new`;
  try {
    await mkdir(path.dirname(folder), { recursive: true });
    await removeAbandoned(path.dirname(folder));
    const made = await install(fresh, onProgress);
    if (!made.ok) return made;
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
    return ok({ command, installed: true });
  } catch (error) {
    return err(setupFailure((error as Error).message));
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Removes what a set-up that was killed has left. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = /^aider\.(\d+)\.new$/.exec(name)?.[1];
    if (pid && !isRunning(Number(pid)))
      await rm(path.join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  const gone = unless(['ESRCH'], true, () => {
    unless(['EPERM'], null, () => process.kill(pid, 0));
    return false;
  });
  return !gone && pid !== process.pid;
}

/** Whether an installation is whole: its metadata can be read by its own interpreter. */
async function works(folder: string): Promise<boolean> {
  const python = path.join(folder, 'bin', 'python');
  if (!(await isExecutable(python)) || !(await isExecutable(path.join(folder, 'bin', 'aider'))))
    return false;
  const code = `import importlib.metadata as m, sys; sys.exit(m.version('aider-chat') != '${aiderVersion}')`;
  return (await askProgram(python, ['-c', code], 20_000)) !== null;
}

async function install(
  folder: string,
  onProgress: (line: string) => void,
): Promise<Result<void, Failure>> {
  const python = await findPython();
  const uv = await which('uv');
  if (uv !== null) {
    // uv can fetch a Python of its own where the system has none that suits.
    const version = python?.version ?? '3.12';
    const made = await step(
      uv,
      ['venv', '--relocatable', '--python', python?.command ?? version, folder],
      onProgress,
    );
    if (!made.ok) return made;
    return step(
      uv,
      ['pip', 'install', '--python', path.join(folder, 'bin', 'python'), requirement],
      onProgress,
    );
  }
  if (python === null) return err(await noPython());
  onProgress(`Python ${python.version}: ${python.command}`);
  const made = await step(python.command, ['-m', 'venv', folder], onProgress);
  if (!made.ok) return made;
  const pip = [
    '-m',
    'pip',
    'install',
    '--disable-pip-version-check',
    '--no-input',
    '--progress-bar',
    'off',
    requirement,
  ];
  const installed = await step(path.join(folder, 'bin', 'python'), pip, onProgress);
  return installed.ok ? relocate(folder) : installed;
}

/** Scripts of a virtual environment carry its path, and this one is moved when it is whole. */
async function relocate(folder: string): Promise<Result<void, Failure>> {
  const final = aiderFolder();
  const code = [
    'import pathlib, sys',
    'old, new = sys.argv[1].encode(), sys.argv[2].encode()',
    'for f in pathlib.Path(sys.argv[1], "bin").iterdir():',
    '    if f.is_file() and not f.is_symlink():',
    '        data = f.read_bytes()',
    '        if old in data and b"\\0" not in data[:1024]: f.write_bytes(data.replace(old, new))',
  ].join('\n');
  const python = path.join(folder, 'bin', 'python');
  const done = await askProgram(python, ['-c', code, folder, final], 60_000);
  return done === null ? err(setupFailure('its scripts could not be moved')) : ok(undefined);
}

async function step(
  file: string,
  args: readonly string[],
  onProgress: (line: string) => void,
): Promise<Result<void, Failure>> {
  let rest = '';
  const end = await runCommand({
    file,
    args,
    cwd: path.parse(process.cwd()).root,
    env: {
      ...lookingElsewhere(environment() as Record<string, string>),
      NO_COLOR: '1',
      PIP_NO_COLOR: '1',
    },
    reading: {
      onOutput: (bytes) => {
        const lines = (rest + bytes.toString('utf8')).split(/\r?\n|\r/);
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') onProgress(line.trim());
      },
    },
  });
  if (end.exit.code === 0) return ok(undefined);
  const last = end.text
    .split('\n')
    .filter((line) => /error|no space|could not/i.test(line))
    .slice(-2)
    .join(' ');
  const what = end.exit.signal ?? `exit code ${end.exit.code}`;
  const fault = faultOfText(end.text);
  if (fault !== null) return err({ kind: 'machine', fault, doing: 'installing Aider' });
  return err(
    setupFailure(`${path.basename(file)} ${args.slice(0, 3).join(' ')}: ${what}. ${last}`),
  );
}

function setupFailure(detail: string): Failure {
  return {
    kind: 'aider',
    message: `Aider could not be installed: ${detail.trim()}`,
    hint: 'Check the network and the disk and start again, or install it yourself (https://aider.chat/docs/install.html).',
  };
}

interface FoundPython {
  readonly command: string;
  readonly version: string;
}

/** A Python that Aider runs on, and that has the venv module. */
export async function findPython(): Promise<FoundPython | null> {
  for (const name of [...pythons.map((version) => `python${version}`), 'python3', 'python']) {
    const command = await which(name);
    if (command === null) continue;
    const code = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
    const answer = await askProgram(command, ['-c', code], 20_000);
    const version = answer?.stdout.trim() ?? '';
    if ((pythons as readonly string[]).includes(version)) return { command, version };
  }
  return null;
}

/** Says what to do where no Python suits, most of all where there is only a newer one. */
async function noPython(): Promise<Failure> {
  const command = (await which('python3')) ?? (await which('python'));
  const answer = command
    ? await askProgram(command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], 20_000)
    : null;
  const found = answer?.stdout.trim();
  const message = found
    ? `Aider ${aiderVersion} needs Python 3.10, 3.11 or 3.12 with its venv module; here is only Python ${found}.`
    : `Aider ${aiderVersion} needs Python 3.10, 3.11 or 3.12, and there is no Python.`;
  return {
    kind: 'aider',
    message,
    hint: 'Install uv (https://docs.astral.sh/uv), which brings a Python of its own, and start again; or install python3.12 and python3.12-venv.',
  };
}
