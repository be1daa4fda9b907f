import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseArguments, spreadValues } from '../../source/commands/arguments.js';
import { resolveOptions } from '../../source/commands/options.js';
import type { Prerequisite } from '../../source/core/policy/prerequisite.js';
import { flagOption, flagRows } from '../../source/services/config/option-table.js';
import type { CliEnd } from '../rig.js';
import {
  asIfKilled,
  git,
  lastSummary,
  makeRepo,
  modelServer,
  readLines,
  recordOf,
  root,
  runCli,
  tempFolder,
  world,
  writeFiles,
} from '../rig.js';

function parse(...argv: string[]) {
  const parsed = parseArguments(argv, import.meta);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.failure));
  return parsed.value;
}

function options(argv: string[], env: NodeJS.ProcessEnv = {}, repo = {}, user = {}) {
  const args = parse(...argv);
  return resolveOptions({ flags: args.flags, env, repo, user }, args.aiderArgs);
}

describe('the command line', () => {
  test('--files and --copy take several values up to the next flag', () => {
    expect(spreadValues(['--files', 'a', 'b', '--yes', '--copy', 'x'])).toEqual([
      '--files=a',
      '--files=b',
      '--yes',
      '--copy=x',
    ]);
    const args = parse(
      '--files',
      'a b.ts',
      '12',
      '*.js',
      '--change',
      'x',
      '--',
      '--verbose',
      '--files',
    );
    expect(args.flags.files).toEqual(['a b.ts', '12', '*.js']);
    expect(args.aiderArgs).toEqual(['--verbose', '--files']);
    expect(parse('--files=a', '--files=b').flags.files).toEqual(['a', 'b']);
  });

  test('--no-prd is a flag of its own', () => {
    expect(parse('--no-prd').flags).toMatchObject({ withoutPrd: true });
    expect(parse('--prd', 'x.md').flags).toMatchObject({ prd: 'x.md' });
  });

  test('defaults of the original script; flags over environment over repository over user', () => {
    const defaults = options([]);
    expect(defaults.ok && defaults.value).toMatchObject({
      model: 'gpt-4o',
      geminiModel: 'gemini-1.5-pro',
      maxIterations: 10,
      timeoutMs: 1_800_000,
      land: 'all',
    });
    const value = (argv: string[], env = {}, repo = {}, user = {}) => {
      const found = options(argv, env, repo, user);
      return found.ok ? [found.value.model, found.value.maxIterations] : null;
    };
    const env = { DEFAULT_AIDER_MODEL: 'e', AIDER_MAX_ITERATIONS: '2' };
    expect(
      value(['--model', 'f', '--max-iterations', '1'], env, { model: 'r' }, { model: 'u' }),
    ).toEqual(['f', 1]);
    expect(value([], env, { model: 'r', max_iterations: 3 })).toEqual(['e', 2]);
    expect(value([], {}, { model: 'r', max_iterations: 3 }, { model: 'u' })).toEqual(['r', 3]);
    expect(value([], {}, {}, { model: 'u', max_iterations: 4 })).toEqual(['u', 4]);
    expect(value(['--claude'], { DEFAULT_CLAUDE_MODEL: 'claude-x' })).toEqual(['claude-x', 10]);
  });

  test.each([
    [['--timeout', '0'], '--timeout'],
    [['--timeout', 'x'], '--timeout'],
    [['--max-agents', '0'], '--max-agents'],
    [['--max-agents', '1.5'], '--max-agents'],
    [['--land', 'some'], 'all, any, ask or none'],
    [['--claude', '--model', 'x'], 'exclude each other'],
    [['--prd', 'x', '--no-prd'], 'exclude each other'],
    [['--agent-cmd', ' '], 'agent-cmd is blank'],
    [['--agent-cmd', 'x', '--aider', 'y'], 'exclude each other'],
    [['--agent-cmd', 'x', '--budget', '3'], 'leave --budget out'],
    [['--agent-cmd', 'x', '--', '--no-git'], 'no arguments for Aider'],
    [['--copy', '.env', '../*'], '../* leads out of the repository'],
    [['--copy', '/etc/*'], '/etc/* leads out of the repository'],
  ])('%j is refused', (argv, words) => {
    const found = options(argv as string[]);
    expect(found.ok ? '' : JSON.stringify(found.failure)).toContain(words);
  });

  test('fractions of a minute are allowed', () => {
    const found = options(['--timeout', '0.5']);
    expect(found.ok && found.value.timeoutMs).toBe(30_000);
  });
});

describe('the built program', () => {
  const env = () => world(null).env;
  const files = { 'a.ts': 'export const a = 1;\n', 'b.ts': 'export const b = 1;\n' };

  test('--help starts with examples, --version tells the version', async () => {
    const cwd = tempFolder();
    const help = await runCli(['--help'], { cwd, env: env() });
    expect(help.code).toBe(0);
    expect(help.stdout.startsWith('Examples\n')).toBe(true);
    for (const { name } of flagRows) {
      expect(help.stdout).toContain(flagOption(name));
    }
    const version = await runCli(['--version'], { cwd, env: env() });
    expect(version.stdout.trim()).toBe(
      JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version,
    );
  });

  test.each<[string, string[], string]>([
    ['an unknown subcommand names the nearest', ['docter'], 'Did you mean doctor?'],
    ['an unknown flag names the nearest', ['--max-agent', '3'], 'did you mean --max-agents'],
    ['a flag without its value', ['--change'], '--change needs a value'],
    ['a flag in the place of a value', ['--change', '--yes'], '--change needs a value'],
    ['no change without a terminal', ['--no-prd'], 'No change is given'],
    ['an empty change', ['--change', '  '], 'The change is empty'],
    [
      'a PRD that is not there',
      ['--change', 'x', '--prd', 'no.md'],
      'no.md: there is no such file',
    ],
    ['a PRD that is a folder', ['--change', 'x', '--prd', '.'], '.: this is a folder; name a file'],
    ['a PRD in UTF-16', ['--change', 'x', '--prd', 'utf16.md'], 'save it as such'],
    [
      'a change in UTF-16',
      ['--change', '-', '--no-prd'],
      'standard input: this is not text in UTF-8',
    ],
    ['a plan that is not JSON', ['--change', 'x', '--plan', 'a.ts'], 'not JSON'],
    ['a plan of another form', ['--change', 'x', '--plan', 'bad.json'], 'tasks[0].title'],
    ['a plan with an overlap', ['--change', 'x', '--plan', 'overlap.json'], 'both change a.ts'],
    [
      'a plan with a file outside',
      ['--change', 'x', '--plan', 'outside.json'],
      'outside the repository',
    ],
    ['a glob without a match', ['--change', 'x', '--files', '*.py'], 'matches no tracked file'],
    ['a repository that is not there', ['--change', 'x', '--repo', 'nowhere'], 'does not exist'],
    ['a repository that is a file', ['--change', 'x', '--repo', 'a.ts'], 'a.ts is not a folder'],
    ['no Gemini key', ['--change', 'x', '--dry-run'], '--prd FILE'],
  ])('%s: exit 2, and nothing is written', async (_name, args, words) => {
    const repo = makeRepo(files);
    writeFiles(repo, {
      'bad.json': '{"tasks":[{"id":"T1"}]}',
      'overlap.json':
        '{"tasks":[{"id":"T1","title":"x","files":["a.ts"]},{"id":"T2","title":"y","files":["a.ts"]}]}',
      'outside.json': '{"tasks":[{"id":"T1","title":"x","files":["../a.ts"]}]}',
    });
    const utf16 = Buffer.from('\ufeffText', 'utf16le');
    writeFileSync(path.join(repo, 'utf16.md'), utf16);
    const end = await runCli(args, { cwd: repo, env: env(), input: utf16 });
    expect(end.stderr).toContain(words);
    expect(end.stderr).not.toContain('    at ');
    expect(end.code).toBe(2);
    expect(existsSync(path.join(repo, '.aider_logs'))).toBe(false);
  });

  test('all that is missing is named together', async () => {
    const repo = makeRepo(files);
    git(repo, 'config', '--unset', 'user.name');
    git(repo, 'config', '--unset', 'user.email');
    git(repo, 'config', 'user.useConfigOnly', 'true');
    git(repo, 'branch', 'aider');
    const bare = { ...env(), PATH: onlyGit() };
    const end = await runCli(['--change', 'x'], { cwd: repo, env: bare });
    expect(end.code).toBe(2);
    for (const words of [
      'Gemini',
      'identity: git does not know who commits',
      'branches: there is a branch aider',
      'model: gpt-4o needs OPENAI_API_KEY, which is not set',
      'Aider is not installed',
    ])
      expect(end.stderr).toContain(words);
    // The doctor says the same of each.
    const doctor = await runCli(['doctor', '--json'], { cwd: repo, env: bare });
    const { checks } = JSON.parse(doctor.stdout) as { readonly checks: readonly Prerequisite[] };
    const missing = checks.filter(({ state }) => state === 'missing');
    expect(missing.map(({ name }) => name)).toEqual(['identity', 'branches', 'Aider', 'model']);
    for (const { name, text } of missing) expect(end.stderr).toContain(`${name}: ${text}`);
    // Without a screen nobody can choose to go without a PRD any more.
    const gemini = checks.find(({ name }) => name === 'Gemini');
    expect(gemini?.state).toBe('warning');
    expect(end.stderr).toContain(`Gemini: ${gemini?.text}`);
  });

  test('no commits: exit 2; HEAD detached: exit 2, and fine with --land none', async () => {
    const empty = tempFolder();
    git(empty, 'init', '-q');
    const none = await runCli(['--change', 'x', '--no-prd'], { cwd: empty, env: env() });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('has no commits')]);
    const repo = makeRepo(files);
    git(repo, 'switch', '-q', '--detach');
    const detached = await runCli(['--change', 'x', '--no-prd', '--dry-run'], {
      cwd: repo,
      env: env(),
    });
    expect([detached.code, detached.stderr]).toEqual([
      2,
      expect.stringContaining('HEAD is detached'),
    ]);
    const allowed = await runCli(['--change', 'x', '--no-prd', '--dry-run', '--land', 'none'], {
      cwd: repo,
      env: env(),
    });
    expect(allowed.code).toBe(0);
  });

  test('--dry-run without Aider: PRD saved, plan printed in the form that --plan reads; secrets nowhere', async () => {
    const repo = makeRepo(files);
    const answer = {
      prd: '# P',
      parallel: true,
      tasks: [
        { id: 'T1', title: 'One', files: ['a.ts'] },
        { id: 'T2', title: 'Two', new_files: ['n.ts'], depends_on: ['T1'] },
      ],
    };
    const server = await modelServer([], {
      gemini: [{ replies: [{ text: JSON.stringify(answer) }] }],
    });
    const where = world(server);
    const end = await runCli(['--change', '-', '--dry-run'], {
      cwd: repo,
      env: { ...where.env, PATH: onlyGit() },
      input: 'Do it\n',
    });
    expect(end.code, end.stderr).toBe(0);
    const plan = JSON.parse(end.stdout);
    expect(plan.tasks.map((task: { files: string[] }) => task.files)).toEqual([['a.ts'], ['n.ts']]);
    const [prd] = readdirSync(path.join(repo, 'docs/prd'));
    expect(prd).toMatch(/^prd_\d{8}_\d{6}\.md$/);
    expect(git(repo, 'status', '--porcelain')).toBe('?? docs/');
    expectNoSecret(end, where.home, repo);
    // The plan is one that --plan takes, and the PRD one that --prd takes.
    writeFileSync(path.join(repo, 'plan.json'), end.stdout);
    const again = await runCli(['--plan', 'plan.json', '--dry-run'], { cwd: repo, env: env() });
    expect(JSON.parse(again.stdout)).toEqual(plan);
    const fromPrd = await runCli(['--prd', `docs/prd/${prd}`, '--change', 'x', '--dry-run'], {
      cwd: repo,
      env: env(),
    });
    expect(JSON.parse(fromPrd.stdout)).toEqual(plan);
  });

  test('a .env is read and never overrides; --api-key warns', async () => {
    const repo = makeRepo({ ...files, '.gitignore': '.env\n' });
    writeFileSync(
      path.join(repo, '.env'),
      'GEMINI_API_KEY=from-file\nDEFAULT_GEMINI_MODEL=model-of-file\n',
    );
    const answer = { prd: '# P', tasks: [{ id: 'T1', title: 'One', files: ['a.ts'] }] };
    const server = await modelServer([], {
      gemini: [{ replies: [{ text: JSON.stringify(answer) }] }],
    });
    const { GEMINI_API_KEY: _, ...rest } = world(server).env;
    // Its key is taken; what else it says waits for trust, and that is said.
    const untrusted = await runCli(['--change', 'x', '--dry-run'], { cwd: repo, env: rest });
    expect(server.requests.at(-1)).toMatchObject({
      model: 'gemini-1.5-pro',
      headers: { 'x-goog-api-key': 'from-file' },
    });
    expect(untrusted.stderr).toMatch(/\.env .*DEFAULT_GEMINI_MODEL=model-of-file.*not trusted/);
    expect(untrusted.stderr).not.toContain('from-file');
    await runCli(['--change', 'x', '--dry-run', '--trust'], { cwd: repo, env: rest });
    expect(server.requests.at(-1)?.model).toBe('model-of-file');
    await runCli(['--change', 'x', '--dry-run'], {
      cwd: repo,
      env: {
        ...rest,
        GOOGLE_API_KEY: 'g',
        GEMINI_API_KEY: 'set',
        DEFAULT_GEMINI_MODEL: 'set-model',
      },
    });
    expect(server.requests.at(-1)).toMatchObject({
      model: 'set-model',
      headers: { 'x-goog-api-key': 'set' },
    });
    const warned = await runCli(['--change', 'x', '--dry-run', '--api-key', 'flag-key'], {
      cwd: repo,
      env: rest,
    });
    expect(warned.stderr).toContain('can be seen by every user');
    expect(server.requests.at(-1)?.headers['x-goog-api-key']).toBe('flag-key');
    await runCli(['--change', 'x', '--dry-run', '--api-key', '-'], {
      cwd: repo,
      env: rest,
      input: 'piped-key\n',
    });
    expect(server.requests.at(-1)?.headers['x-goog-api-key']).toBe('piped-key');
  });

  test('settings: a mistake is named by file, key and what was expected; a command needs trust once', async () => {
    const repo = makeRepo(files);
    const settings = path.join(repo, '.aider-orchestrator.json');
    const go = (...more: string[]) =>
      runCli(['--change', 'x', '--no-prd', '--dry-run', ...more], { cwd: repo, env: where });
    const where = env();
    writeFileSync(settings, '{"max_agents": "two", "modle": "x"}');
    const wrong = await go();
    expect(wrong.code).toBe(2);
    for (const words of ['.aider-orchestrator.json', 'max_agents', 'expected number', 'modle'])
      expect(wrong.stderr).toContain(words);
    writeFileSync(settings, '{"setup_cmd": "touch ran", "max_agents": 1}');
    const untrusted = await go();
    expect([untrusted.code, untrusted.stderr]).toEqual([2, expect.stringContaining('not trusted')]);
    expect((await go('--trust')).code).toBe(0);
    expect((await go()).code).toBe(0);
    writeFileSync(settings, '{"setup_cmd": "touch ran2"}');
    expect((await go()).code).toBe(2);
  });

  test('doctor: every prerequisite a line with a word and the way to mend it; keys by name only', async () => {
    const server = await modelServer([], { geminiModels: ['gemini-2.5-pro'] });
    const where = world(server);
    const repo = makeRepo(files);
    const end = await runCli(['doctor', ...where.aiderFlags], { cwd: repo, env: where.env });
    for (const name of [
      'Node.js',
      'git',
      'identity',
      'repository',
      'Aider',
      'agents',
      'Python',
      'Gemini',
      'model',
      'disk',
      'terminal',
    ])
      expect(end.stdout).toMatch(new RegExp(`(ok|missing|warning)\\s+${name}`));
    expect(end.stdout).toContain('gemini-1.5-pro is gone; a run would take gemini-2.5-pro');
    expect(end.stdout).not.toContain('secret');
    const cold = await runCli(['doctor', '--no-warm', ...where.aiderFlags], {
      cwd: repo,
      env: where.env,
    });
    expect(cold.stdout).toMatch(/ok\s+agents\s+each loads Aider anew, as was asked for/);
    const json = await runCli(['doctor', '--json', '--aider', '/no/aider'], {
      cwd: repo,
      env: where.env,
    });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      checks: expect.arrayContaining([
        expect.objectContaining({ name: 'Aider', state: 'missing' }),
      ]),
    });
    const outside = await runCli(['doctor'], { cwd: tempFolder(), env: where.env });
    expect([outside.code, outside.stdout]).toEqual([
      1,
      expect.stringContaining('not in a git repository'),
    ]);
  });

  test.each(['bash', 'zsh', 'fish'])('completion %s knows subcommands and flags', async (shell) => {
    const end = await runCli(['completion', shell], { cwd: tempFolder(), env: env() });
    expect(end.code).toBe(0);
    for (const word of ['doctor', 'max-agents', 'no-prd']) expect(end.stdout).toContain(word);
  });

  test('runs, show, land and clean in a repository without runs', async () => {
    const repo = makeRepo(files);
    const go = (...args: string[]) => runCli(args, { cwd: repo, env: env() });
    expect((await go('runs')).stdout).toBe('No runs yet.\n');
    expect([(await go('show')).code, (await go('land')).code]).toEqual([2, 2]);
    expect((await go('clean')).stdout).toContain('Nothing is left');
  });
});

/** A PATH on which only git and the tools of the system's folder are; no Aider, no Python. */
function onlyGit(): string {
  const folder = tempFolder('bin');
  for (const name of ['git', 'ps', 'sh']) {
    const target = (process.env['PATH'] ?? '')
      .split(':')
      .map((part) => path.join(part, name))
      .find((file) => existsSync(file));
    writeFileSync(path.join(folder, name), `#!/bin/sh\nexec ${target} "$@"\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  return folder;
}

function expectNoSecret(end: CliEnd, ...folders: string[]): void {
  expect(end.stdout + end.stderr).not.toContain('gemini-test-secret');
  for (const folder of folders) expect(grep(folder, 'gemini-test-secret')).toEqual([]);
}

function grep(folder: string, text: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}

describe('a whole run on a stand-in for aider', () => {
  /** A small program that behaves as Aider does, for what needs no model: it edits and keeps the log. */
  function standIn(folder: string, body: string): string {
    const file = path.join(folder, 'aider');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      file,
      `#!/bin/sh
[ "$1" = --version ] && { echo "aider 0.86.2"; exit; }
while [ $# -gt 0 ]; do case "$1" in
  --analytics-log) log=$2;;
  --message=*) file=$(printf '%s' "$1" | sed -n 's/^- //p' | head -n 1);;
esac; shift; done
e() { printf '{"event":"%s","properties":%s,"time":1}\\n' "$1" "\${2:-{\\}}" >> "$log"; }
e launched; e message_send_starting
${body}
e message_send '{"prompt_tokens":1,"completion_tokens":1,"cost":0}'; e exit
`,
    );
    chmodSync(file, 0o755);
    return file;
  }

  const plan = (tasks: unknown[]) => JSON.stringify({ tasks });
  const two = plan([
    { id: 'T1', title: 'One', files: ['a.ts'] },
    { id: 'T2', title: 'Two', files: ['b.ts'] },
  ]);

  async function go(repo: string, body: string, ...args: string[]) {
    const where = world(null);
    const aider = standIn(path.join(where.home, 'bin'), body);
    writeFileSync(path.join(where.home, 'plan.json'), two);
    const end = await runCli(
      ['--plan', path.join(where.home, 'plan.json'), '--aider', aider, ...args],
      { cwd: repo, env: { ...where.env, OPENAI_API_KEY: 'k' } },
    );
    return { end, where };
  }

  test('summary and plan fit the JSON schemas that ship; the events are NDJSON with a version', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    const { end } = await go(repo, 'echo 2 > "$file"', '--json');
    expect(end.code, end.stderr).toBe(0);
    const ajv = new Ajv2020();
    const schema = (name: string) =>
      JSON.parse(readFileSync(path.join(root, 'dist/schema', `${name}.schema.json`), 'utf8'));
    const summary = lastSummary(repo);
    expect(ajv.validate(schema('summary'), summary), ajv.errorsText()).toBe(true);
    expect(ajv.validate(schema('plan'), JSON.parse(two)), ajv.errorsText()).toBe(true);
    expect(ajv.validate(schema('plan'), { tasks: [{ id: 'T1' }] })).toBe(false);
    const events = end.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(
      events.every(
        (event) =>
          event.v === 1 && typeof event.event === 'string' && event.run === summary.timestamp,
      ),
    ).toBe(true);
    expect(events.map((event) => event.event)).toEqual(
      expect.arrayContaining([
        'run_started',
        'plan_made',
        'agent_prepared',
        'attempt_started',
        'assistant_response',
        'agent_done',
        'integrated',
        'landing',
        'run_finished',
      ]),
    );
    expect(summary.agents['agent0']).toMatchObject({
      log_file: `.aider_logs/agent0_${summary.timestamp}.jsonl`,
      iterations: 1,
      success: true,
      error: null,
    });
    expect(existsSync(path.join(repo, '.aider_logs/.gitignore'))).toBe(true);
    expect(git(repo, 'status', '--porcelain')).toBe('');
  });

  test('an uncaught exception of Aider asks whether to report it: the answer is no, and it counts as a crash', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    const { end } = await go(
      repo,
      'printf "Open a GitHub Issue pre-filled with the above error in your browser? (Y/n) "; read answer; [ "$answer" = n ] && exit 1',
      '--max-iterations',
      '1',
    );
    expect(end.code).toBe(1);
    expect(lastSummary(repo).agents['agent0']?.outcome).toEqual({
      state: 'failed',
      reason: 'agent_crashed',
    });
  });

  test('an Aider that claims success and changes nothing is none', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    const { end } = await go(repo, 'echo "Applied edit to a.ts"', '--max-iterations', '1');
    expect(end.code).toBe(1);
    expect(lastSummary(repo)).toMatchObject({
      successful_agents: 0,
      agents: { agent0: { outcome: { reason: 'no_change' } } },
    });
  });

  test('an Aider that is killed by a signal says by which', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    await go(repo, 'kill -s SEGV $$', '--max-iterations', '1');
    expect(lastSummary(repo).agents['agent0']).toMatchObject({
      outcome: { reason: 'killed_by_signal' },
      signal: 'SIGSEGV',
    });
  });

  test('the debug log tells messages, effects and git with their times, and no text of anybody', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    const where = world(null);
    const [plan, log] = ['plan.json', 'debug.log'].map((name) => path.join(where.home, name));
    writeFileSync(plan as string, two.replaceAll('"title":"', '"title":"Sekretly '));
    const end = await runCli(
      ['--plan', plan as string, '--agent-cmd', ': hushhush; echo 2 > "$AGENT_FILES"'],
      { cwd: repo, env: { ...where.env, AIDER_ORCHESTRATOR_DEBUG: log as string } },
    );
    expect(end.code, end.stderr).toBe(0);
    const text = readFileSync(log as string, 'utf8');
    const lines = readLines(log as string);
    expect(new Set(lines.map(({ what }) => what))).toEqual(new Set(['message', 'effect', 'git']));
    const answers = lines.filter(({ answer }) => answer === 'agent_committed');
    expect(answers).toHaveLength(2);
    expect(answers[0]).toMatchObject({ type: 'commit_agent', ms: expect.any(Number) });
    expect(text).not.toMatch(/hushhush|Sekretly/);
  });

  test('what the set-up command does is not the work of the agent; ignored files are copied', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n', '.gitignore': '*.local\n' });
    writeFiles(repo, { 'env.local': 'secret\n', 'other.local': 'x\n' });
    const idle = await go(
      repo,
      'true',
      '--setup-cmd',
      'echo changed > a.ts; echo new > made.txt; echo b >> b.ts',
      '--max-iterations',
      '1',
    );
    expect(lastSummary(repo).agents['agent0']?.outcome.reason, idle.end.stdout).toBe('no_change');
    const { end } = await go(
      repo,
      'cat env.local made.txt > "$file"; ls *.local | wc -l >> "$file"',
      '--setup-cmd',
      'echo new > made.txt',
      '--copy',
      'env.*',
    );
    expect(end.code, end.stdout).toBe(0);
    expect(readFileSync(path.join(repo, 'a.ts'), 'utf8').replace(/ /g, '')).toBe(
      'secret\nnew\n1\n',
    );
    expect(existsSync(path.join(repo, 'made.txt'))).toBe(false);
    const failing = await go(repo, 'true', '--setup-cmd', 'echo no such tool; exit 3');
    expect(failing.end.stdout).toContain('exit code 3: no such tool');
  });

  test('nothing lands on changed files; the exact command to land later works, and clean removes what is merged', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n', 'c.ts': '1\n' });
    writeFiles(repo, { 'c.ts': 'mine\n' });
    const { end, where } = await go(repo, 'echo 2 > "$file"');
    const summary = lastSummary(repo);
    expect(end.code).toBe(1);
    expect(end.stdout).toContain(`aider-orchestrator land ${summary.timestamp}`);
    expect(readFileSync(path.join(repo, 'a.ts'), 'utf8')).toBe('1\n');
    git(repo, 'checkout', '-q', '--', 'c.ts');
    const env = where.env;
    expect((await runCli(['land', summary.timestamp], { cwd: repo, env })).code).toBe(0);
    expect(readFileSync(path.join(repo, 'a.ts'), 'utf8')).toBe('2\n');
    const show = await runCli(['show', '0'], { cwd: repo, env });
    expect(show.stdout).toContain('+2');
    expect(show.stdout).toContain('"event":"outcome"');
    expect((await runCli(['runs'], { cwd: repo, env })).stdout).toContain(
      '2 of 2 agents succeeded, landed',
    );
    const clean = await runCli(['clean'], { cwd: repo, env });
    expect(clean.stdout).toContain('deleted the branch');
    expect(git(repo, 'branch', '--list', 'aider/*')).toBe('');
  });

  test('a program that died right after the landing: what ends it says that it has landed', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    const { where } = await go(repo, 'echo 2 > "$file"');
    const { timestamp } = lastSummary(repo);
    const copy = path.join(repo, '.aider_logs/runs', timestamp, 'journal.jsonl');
    const own = recordOf(where, timestamp).replace(/jsonl$/, 'journal.jsonl');
    const journal = readFileSync(own, 'utf8').trimEnd().split('\n');
    expect(JSON.parse(journal.pop() ?? '')).toMatchObject({ type: 'landing_done' });
    // As it is when the program is killed there: half a line, no summary.
    for (const file of [own, copy]) writeFileSync(file, `${journal.join('\n')}\n{"type":"lan`);
    asIfKilled(where, repo, timestamp);
    const stop = await runCli(['stop', timestamp], { cwd: repo, env: where.env });
    expect(stop.code, stop.stderr).toBe(0);
    const runs = await runCli(['runs'], { cwd: repo, env: where.env });
    expect(runs.stdout).toContain('2 of 2 agents succeeded, landed');
    expect(lastSummary(repo)).toMatchObject({ landed: true, interrupted_by: null });
    const closed = readFileSync(copy, 'utf8');
    expect(closed).toBe(readFileSync(own, 'utf8'));
    expect(JSON.parse(closed.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'landing_done',
    });
  });

  test('clean keeps what is not merged, unless it is told', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    const { where } = await go(repo, 'echo 2 > "$file"', '--land', 'none');
    const clean = await runCli(['clean'], { cwd: repo, env: where.env });
    expect(clean.stdout).toContain('kept the branch');
    expect(git(repo, 'branch', '--list', 'aider/*').split('\n')).toHaveLength(3);
    await runCli(['clean', '--yes'], { cwd: repo, env: where.env });
    expect(git(repo, 'branch', '--list', 'aider/*')).toBe('');
  });

  test('a conflict leaves the later agent out, names the files and keeps its branch', async () => {
    const repo = makeRepo({ 'a.ts': '1\n' });
    const where = world(null);
    const aider = standIn(
      path.join(where.home, 'bin'),
      'mkdir -p "$(dirname "$file")"; echo 2 > "$file"',
    );
    // A file and a folder of the same name: only git can tell, at the merge.
    const tasks = [
      { id: 'T1', title: 'One', files: ['x'] },
      { id: 'T2', title: 'Two', files: ['x/y'] },
      { id: 'T3', title: 'Three', files: ['a.ts'], depends_on: ['T2'] },
    ];
    writeFileSync(path.join(where.home, 'plan.json'), plan(tasks));
    // One at a time: what is ready first is merged first.
    const args = ['--plan', path.join(where.home, 'plan.json'), '--aider', aider];
    const end = await runCli([...args, '--max-agents', '1'], {
      cwd: repo,
      env: { ...where.env, OPENAI_API_KEY: 'k' },
    });
    expect(end.code).toBe(1);
    const summary = lastSummary(repo);
    expect(summary).toMatchObject({ landed: false, successful_agents: 1 });
    expect(summary.agents['agent0']).toMatchObject({ merged: true });
    expect(summary.agents['agent1']).toMatchObject({
      merged: false,
      outcome: { state: 'failed', reason: 'merge_conflict' },
    });
    expect(summary.agents['agent1']?.conflicts.join()).toContain('x');
    expect(summary.agents['agent2']).toMatchObject({ outcome: { reason: 'dependency_failed' } });
    expect(git(repo, 'show', `${summary.agents['agent1']?.branch}:x/y`)).toBe('2');
    expect(end.stdout).toContain(
      'agent1: failed: conflicts with work that was merged before it (x',
    );
  });

  test('undo takes a landing back exactly, and it can be landed again', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    const before = git(repo, 'rev-parse', 'HEAD');
    const { where } = await go(repo, 'echo 2 > "$file"');
    const run = (...args: string[]) => runCli(args, { cwd: repo, env: where.env });
    const landed = git(repo, 'rev-parse', 'HEAD');
    expect(landed).not.toBe(before);
    writeFileSync(path.join(repo, 'mine.txt'), 'untracked\n');
    const undone = await run('undo');
    expect(undone.code, undone.stderr).toBe(0);
    expect(git(repo, 'rev-parse', 'HEAD')).toBe(before);
    expect(git(repo, 'symbolic-ref', '--short', 'HEAD')).toBe('main');
    expect(git(repo, 'status', '--porcelain')).toBe('?? mine.txt');
    expect(lastSummary(repo)).toMatchObject({ landed: false, landing: 'taken back from main' });
    expect((await run('undo')).stderr).toContain('No run has landed');
    expect((await run('land')).code).toBe(0);
    expect(git(repo, 'rev-parse', 'HEAD')).toBe(landed);
    expect((await run('undo', lastSummary(repo).timestamp)).code).toBe(0);
    expect(git(repo, 'rev-parse', 'HEAD')).toBe(before);
  });

  test('undo refuses when somebody has built on it, and the way on that it names works', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    const { where } = await go(repo, 'echo 2 > "$file"');
    const undo = async () => {
      const { code, stderr } = await runCli(['undo'], { cwd: repo, env: where.env });
      expect(code).toBe(1);
      expect(stderr).toContain('Nothing was touched');
      return stderr;
    };
    const landed = git(repo, 'rev-parse', 'HEAD');
    writeFileSync(path.join(repo, 'a.ts'), '3\n');
    expect(await undo()).toContain('a.ts has changes that are not committed');
    expect(readFileSync(path.join(repo, 'a.ts'), 'utf8')).toBe('3\n');
    git(repo, 'checkout', '-q', 'a.ts');
    git(repo, 'branch', 'side');
    expect(await undo()).toContain('side has it too');
    git(repo, 'branch', '-D', 'side');
    git(repo, 'update-ref', 'refs/remotes/origin/main', landed);
    expect(await undo()).toContain('origin/main has it too');
    git(repo, 'update-ref', '-d', 'refs/remotes/origin/main');
    git(repo, 'switch', '-q', '-c', 'other', 'HEAD^');
    expect(await undo()).toContain('git switch main');
    git(repo, 'switch', '-q', 'main');
    writeFileSync(path.join(repo, 'c.ts'), 'later\n');
    git(repo, 'add', '-A');
    git(repo, 'commit', '-q', '-m', 'later');
    const words = await undo();
    expect(words).toContain('1 commit was built on it on main');
    expect(git(repo, 'log', '-1', '--format=%s')).toBe('later');
    const way = /A way on: (.*)/.exec(words)?.[1] as string;
    execFileSync('sh', ['-c', way], { cwd: repo });
    expect(readFileSync(path.join(repo, 'a.ts'), 'utf8')).toBe('1\n');
    expect(readFileSync(path.join(repo, 'c.ts'), 'utf8')).toBe('later\n');
  });

  test('from a subfolder and from a linked worktree', async () => {
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n', 'sub/x': '1\n' });
    const linked = path.join(tempFolder(), 'linked');
    git(repo, 'worktree', 'add', '-q', '-b', 'side', linked);
    const { end } = await go(path.join(linked, 'sub'), 'echo 2 > "$file"');
    expect(end.code, end.stdout + end.stderr).toBe(0);
    expect(readFileSync(path.join(linked, 'a.ts'), 'utf8')).toBe('2\n');
    expect(readFileSync(path.join(repo, 'a.ts'), 'utf8')).toBe('1\n');
  });

  test('a repository with a submodule', async () => {
    const inner = makeRepo({ lib: '1' });
    const repo = makeRepo({ 'a.ts': '1\n', 'b.ts': '1\n' });
    git(repo, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', inner, 'vendor');
    git(repo, 'commit', '-q', '-m', 'sub');
    const { end } = await go(repo, 'echo 2 > "$file"');
    expect(end.code, end.stdout + end.stderr).toBe(0);
    expect(git(repo, 'status', '--porcelain')).toBe('');
    expect(readFileSync(path.join(repo, 'vendor/lib'), 'utf8')).toBe('1');
  });
});
