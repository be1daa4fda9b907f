// Longer than 300 lines: a check for each prerequisite.
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { describe } from '../core/policy/failure.js';
import { geminiKeyVariables, keyVariable } from '../core/policy/providers.js';
import { ok as okResult } from '../core/result.js';
import { printable, printableJson } from '../core/text/printable.js';
import { unsignedWords } from '../core/text/words.js';
import { glyphsFor } from '../headless/table.js';
import { type FoundAider, findAider } from '../services/agents/aider/find-aider.js';
import { IsolatedLauncher } from '../services/agents/aider/launcher.js';
import { openWarm } from '../services/agents/aider/open-launcher.js';
import { aiderVersion, findPython } from '../services/agents/aider/setup-aider.js';
import { readDotenv, takeDotenv } from '../services/config/dotenv-files.js';
import { readRepoSettings, readUserSettings } from '../services/config/settings.js';
import { isTrusted, trustedSettings } from '../services/config/trust.js';
import { defaultBaseUrl, listModels } from '../services/gemini/models.js';
import {
  changedTrackedFiles,
  hasIdentity,
  openRepository,
  type Repository,
  signsCommits,
} from '../services/git/repository.js';
import { environment } from '../services/machine/environment.js';
import type { Arguments } from './arguments.js';
import { closedFolders, machineMusts } from './limits.js';
import { modelKeyKnown } from './model-key.js';
import type { Overrides } from './musts.js';
import { type RunOptions, resolveOptions } from './options.js';
import type { Terminal } from './terminal.js';
import { type GitVersion, gitMust, gitVersion } from './versions.js';

/** One prerequisite. `must` missing: no run is possible; `should`: something will not work. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'warning';
  readonly text: string;
  /** How to mend it; '' when there is nothing to mend. */
  readonly mend: string;
}

const ok = (name: string, text: string): Check => ({ name, state: 'ok', text, mend: '' });
const missing = (name: string, text: string, mend: string): Check => ({
  name,
  state: 'missing',
  text,
  mend,
});
const warning = (name: string, text: string, mend: string): Check => ({
  name,
  state: 'warning',
  text,
  mend,
});

/** `doctor`: every prerequisite a line, with the way to mend it. Exit 1 when a must is missing. */
export async function doctorCommand(args: Arguments, terminal: Terminal): Promise<number> {
  const checks = await runChecks(args, {}, findAider, true);
  const bad = checks.some((check) => check.state === 'missing');
  if (args.flags.json) {
    terminal.out(`${printableJson({ ok: !bad, checks }, 2)}\n`);
    return bad ? 1 : 0;
  }
  const glyphs = glyphsFor(environment());
  const marks = {
    ok: `${glyphs.ok} ok     `,
    missing: `${glyphs.bad} missing`,
    warning: '! warning',
  };
  for (const { name, state, text, mend } of checks) {
    terminal.out(`${marks[state].padEnd(10)} ${name.padEnd(12)} ${printable(text)}\n`);
    for (const line of mend.split('\n').filter(Boolean)) terminal.out(`${' '.repeat(24)}${line}\n`);
  }
  terminal.out(
    bad ? '\nSomething is missing: see above.\n' : '\nEverything a run needs is here.\n',
  );
  return bad ? 1 : 0;
}

/**
 * @param find how Aider is found; one that has been looked for already need not be started again
 * @param warms also whether agents can be forked, which takes as long as to load Aider
 */
export async function runChecks(
  args: Arguments,
  overrides: Overrides = {},
  find: typeof findAider = findAider,
  warms = false,
): Promise<Check[]> {
  const opened = await openRepository(path.resolve(args.flags.repo ?? '.'));
  const repo = opened.ok ? opened.value : null;
  // Nobody is asked here, so only what is trusted already is taken.
  takeDotenv(readDotenv(process.cwd(), repo?.root ?? null), isTrusted);
  const reads = overrides.settings !== false;
  const user = reads ? readUserSettings() : okResult(null);
  const file = repo && reads ? readRepoSettings(repo.root) : null;
  const settings = file?.ok && file.value ? trustedSettings(file.value) : {};
  const options = resolveOptions(
    {
      flags: args.flags,
      env: environment(),
      repo: settings,
      user: (user.ok && user.value?.settings) || {},
    },
    [],
  );
  const problems = [user, file].flatMap((read) =>
    read && !read.ok ? [describe(read.failure).message] : [],
  );
  if (!options.ok) problems.push(describe(options.failure).message);
  const command = options.ok ? options.value.agentCmd : null;
  const aider =
    overrides.aider || command !== null
      ? null
      : await find(options.ok ? options.value.aider : null);
  return [
    checkNode(),
    checkGit(await gitVersion()),
    repo
      ? ok('repository', `${repo.root}, ${repo.branch ?? 'HEAD is detached'}`)
      : missing('repository', ...failureText(opened)),
    ...(repo ? await checkRepository(repo) : []),
    ...problems.map((text) =>
      missing('settings', text, 'Correct it; docs/configuration.md lists the keys.'),
    ),
    command !== null
      ? ok('agents', `run by ${command}`)
      : aider === null
        ? ok('Aider', overrides.aider?.version ?? '')
        : checkAider(aider),
    ...(warms && aider?.ok && options.ok ? [await checkWarm(aider.value, options.value)] : []),
    await checkPython(),
    ...(options.ok ? await checkKeys(options.value) : []),
    ...checkFolders(repo?.root ?? null),
    ...(options.ok ? checkLimits(repo?.root ?? process.cwd(), options.value) : []),
    await checkDisk(repo?.root ?? process.cwd()),
    checkTerminal(),
  ];
}

function failureText(opened: Awaited<ReturnType<typeof openRepository>>): [string, string] {
  if (opened.ok) return ['', ''];
  const { message, hint } = describe(opened.failure);
  return [message, hint];
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major > 20 || (major === 20 && minor >= 19);
  return fine
    ? ok('Node.js', process.versions.node)
    : missing(
        'Node.js',
        `${process.versions.node} is too old`,
        'Install Node.js 20.19 or newer: https://nodejs.org',
      );
}

function checkGit(version: GitVersion | null): Check {
  if (version === null) return missing('git', 'not found', gitMust.mend);
  return version.fine
    ? ok('git', version.text)
    : missing('git', `${version.text} is too old`, gitMust.mend);
}

async function checkRepository(repo: Repository): Promise<Check[]> {
  const checks: Check[] = [];
  checks.push(
    (await hasIdentity(repo.root))
      ? ok('identity', 'git knows who commits')
      : missing(
          'identity',
          'git does not know who commits',
          'git config --global user.name "Your Name"\ngit config --global user.email you@example.com',
        ),
  );
  if (repo.branch === null) {
    checks.push(
      warning(
        'branch',
        'HEAD is detached: nothing can land',
        'git switch -c NAME, or use --land none',
      ),
    );
  }
  const changed = await changedTrackedFiles(repo.root);
  if (changed.ok && changed.value.length > 0) {
    checks.push(
      warning(
        'changes',
        `${changed.value.length === 1 ? '1 tracked file is' : `${changed.value.length} tracked files are`} changed: agents do not see that, and nothing can land`,
        'Commit or stash them (git stash), or use --land none',
      ),
    );
  } else {
    checks.push(ok('changes', 'no tracked file is changed'));
  }
  if (await signsCommits(repo.root)) {
    checks.push(
      warning(
        'signing',
        unsignedWords,
        'Sign it yourself after it has landed: git rebase --exec "git commit --amend --no-edit -S" BASE',
      ),
    );
  }
  if (repo.submodules.length > 0) {
    checks.push(
      warning(
        'submodules',
        `${repo.submodules.join(', ')}: empty in the agents' worktrees, not theirs to change`,
        '',
      ),
    );
  }
  return checks;
}

function checkAider(found: Awaited<ReturnType<typeof findAider>>): Check {
  if (!found.ok) {
    const { message, hint } = describe(found.failure);
    return missing('Aider', message, hint);
  }
  const { version, command, source } = found.value;
  const text = `${version}, ${command}${source === 'setup' ? ' (from setup)' : ''}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 0 || minor >= 86) return ok('Aider', text);
  return warning(
    'Aider',
    `${text}: older than ${aiderVersion}, for which this is made`,
    'aider-orchestrator setup   then --aider, or update it: pip install -U aider-chat',
  );
}

/** Whether agents are forked from one Aider that is loaded once, or why not. */
async function checkWarm(
  { command, interpreter }: FoundAider,
  { model, warm }: RunOptions,
): Promise<Check> {
  const slow = (why: string) =>
    warning(
      'agents',
      `each loads Aider anew: ${why}`,
      'They work all the same, a few seconds later',
    );
  if (!warm) return ok('agents', 'each loads Aider anew, as was asked for');
  if (interpreter === null) return slow(`${command} is not the script that pip writes`);
  const plain = new IsolatedLauncher(command, interpreter);
  const launcher = openWarm(command, interpreter, model, plain);
  const warmth = await launcher.warmedUp();
  launcher.close();
  return warmth.warm
    ? ok('agents', `forked from one Aider, loaded in ${(warmth.ms / 1000).toFixed(1)} s`)
    : slow(warmth.why);
}

async function checkPython(): Promise<Check> {
  const python = await findPython();
  return python
    ? ok('Python', `${python.version}, ${python.command}`)
    : warning(
        'Python',
        'no Python 3.10 to 3.12 (only setup needs it)',
        'Install uv (https://docs.astral.sh/uv) or python3.12 with python3.12-venv',
      );
}

/** Keys are told by name only. */
async function checkKeys(options: RunOptions): Promise<Check[]> {
  const name = geminiKeyVariables.find((variable) => environment()[variable]);
  const geminiKey = name ? (environment()[name] as string) : null;
  const variable = keyVariable(options.model);
  const gemini = await checkGemini(options.geminiModel, name ?? null, geminiKey);
  // A command has its own way to its model.
  if (options.agentCmd !== null) return [gemini];
  const model = modelKeyKnown(options, geminiKey)
    ? ok(
        'model',
        `${options.model}${variable ? `, its key: ${variable}` : ', its provider is not known, so no key was looked for'}`,
      )
    : missing(
        'model',
        `${options.model} needs ${variable}, which is not set`,
        `Set ${variable}, in the environment or a .env file; or name another model with --model`,
      );
  return [model, gemini];
}

async function checkGemini(
  wanted: string,
  name: string | null,
  key: string | null,
): Promise<Check> {
  if (key === null) {
    return warning(
      'Gemini',
      'no key, so no PRD can be written',
      'Set GEMINI_API_KEY (or GOOGLE_API_KEY), or use --prd FILE or --no-prd',
    );
  }
  try {
    const base = (environment()['GOOGLE_GEMINI_BASE_URL'] || defaultBaseUrl).replace(/\/+$/, '');
    const models = await listModels(base, key, AbortSignal.timeout(10_000));
    if (models.includes(wanted)) return ok('Gemini', `${wanted} is there, key: ${name}`);
    const best = models[0];
    return best
      ? warning(
          'Gemini',
          `${wanted} is gone; a run would take ${best} (key: ${name})`,
          `--gemini-model ${best}, or DEFAULT_GEMINI_MODEL=${best}`,
        )
      : warning(
          'Gemini',
          `the key ${name} can use no model`,
          'Check the key at https://aistudio.google.com/apikey',
        );
  } catch (error) {
    // What fetch says alone names no cause.
    const { message, cause } = error as Error & { readonly cause?: { readonly code?: unknown } };
    const code = typeof cause?.code === 'string' ? `${message}: ${cause.code}` : message;
    const detail = code.split(key).join('***');
    // What the API answers to a key that is wrong or may not be used for it.
    if (/^HTTP (400|401|403)$/.test(detail)) {
      return warning(
        'Gemini',
        `the key ${name} was refused (${detail})`,
        'Check the key at https://aistudio.google.com/apikey, or use --prd FILE or --no-prd',
      );
    }
    return warning(
      'Gemini',
      `cannot be reached with ${name} (${detail})`,
      'Check the key, the network and the proxy, or use --prd FILE or --no-prd',
    );
  }
}

async function checkDisk(folder: string): Promise<Check> {
  const stats = await statfs(folder);
  const gigabytes = (stats.bavail * stats.bsize) / 1e9;
  const text = `${gigabytes.toFixed(1)} GB free`;
  return gigabytes > 1
    ? ok('disk', text)
    : warning('disk', text, 'Each agent needs a copy of the checkout; free some space');
}

function checkFolders(repo: string | null): Check[] {
  const closed = closedFolders(repo);
  if (closed.length === 0) return [ok('folders', 'all that is written to can be written')];
  return closed.map(({ folder, mend }) => missing('folders', `${folder} cannot be written`, mend));
}

function checkLimits(folder: string, { maxAgents }: RunOptions): Check[] {
  return machineMusts(folder, maxAgents).map(({ what, mend }) => missing('limits', what, mend));
}

function checkTerminal(): Check {
  if (!process.stdout.isTTY) return ok('terminal', 'none: a run is headless');
  return ok(
    'terminal',
    `${environment()['TERM'] ?? 'unknown'}, ${process.stdout.columns}x${process.stdout.rows}`,
  );
}
