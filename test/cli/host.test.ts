import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { socketOf } from '../../source/services/host/socket.js';
import { until } from '../eventually.js';
import { hostsOf, processesWith } from '../processes.js';
import {
  git,
  lastSummary,
  makeRepo,
  recordOf,
  root,
  runCli,
  startCli,
  tempFolder,
  type World,
  world,
} from '../rig.js';
import { key, openScreen } from '../screen-rig.js';
import { canMount, smallDisk } from '../small-disk.js';

/** Waits for a file beside the repository, then adds a line to its own files. */
const waiter = `#!/bin/sh
echo "at work on $AGENT_FILES"
until [ -e "$GO" ]; do sleep 0.05; done
for file in $AGENT_FILES; do echo done >> "$file"; done
`;

/** Says each line that is typed, until it is told to go on. */
const listener = `#!/bin/sh
echo "at work on $AGENT_FILES"
while read -r line && [ "$line" != go ]; do echo "heard: $line"; done
for file in $AGENT_FILES; do echo done >> "$file"; done
`;

interface Setting {
  readonly where: World;
  readonly repo: string;
  /** What starts a run of these agents. */
  readonly args: readonly string[];
  /** Lets the agents go on. */
  go(): void;
}

/** A repository and agents that wait until the test lets them go on. */
function setting(script = waiter, count = 2): Setting {
  const where = world(null);
  const names = Array.from({ length: count }, (_, agent) => `f${agent}.txt`);
  const repo = makeRepo(Object.fromEntries(names.map((name) => [name, 'text\n'])));
  const agent = path.join(where.home, 'agent.sh');
  writeFileSync(agent, script);
  chmodSync(agent, 0o755);
  const go = path.join(where.home, 'go');
  const plan = path.join(where.home, 'plan.json');
  const tasks = names.map((name, at) => ({ id: `T${at + 1}`, title: `Task ${at}`, files: [name] }));
  writeFileSync(plan, JSON.stringify({ tasks }));
  const env = { ...where.env, GO: go };
  return {
    where: { ...where, env },
    repo,
    args: ['--plan', plan, '--agent-cmd', agent, '--no-test', '--max-agents', String(count)],
    go: () => writeFileSync(go, ''),
  };
}

function screen({ where, repo }: Setting, args: readonly string[], cols = 100, rows = 30) {
  return openScreen(args, { cwd: repo, env: where.env, cols, rows });
}

/** A run on the screen, with all its agents at work. */
async function begin(given: Setting, cols = 100, rows = 30) {
  const app = screen(given, given.args, cols, rows);
  await app.press('', /Everything a run needs is here/);
  await app.press(key.enter, /GROUPS/);
  await app.press(key.enter, /This is what will happen/);
  await app.press(key.enter, /at work on f0\.txt/);
  return app;
}

function ask({ where, repo }: Setting, ...args: string[]) {
  return runCli(args, { cwd: repo, env: where.env });
}

/** Resolves when a program without a screen has attached. */
function attached({ child }: ReturnType<typeof startCli>): Promise<void> {
  return new Promise((resolve) => {
    child.stderr?.on('data', (text) => {
      if (String(text).includes('Attached to run')) resolve();
    });
  });
}

async function detached(given: Setting): Promise<string> {
  const { stdout, code, stderr } = await ask(given, ...given.args, '--detach');
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^\d{8}_\d{6}\n$/);
  return stdout.trim();
}

/** The socket of a run, in the user's data folder of the test. */
function socketIn({ where }: Setting, run: string): string {
  const before = process.env['XDG_DATA_HOME'];
  process.env['XDG_DATA_HOME'] = where.env['XDG_DATA_HOME'];
  const file = socketOf(recordOf(where, run));
  if (before === undefined) delete process.env['XDG_DATA_HOME'];
  else process.env['XDG_DATA_HOME'] = before;
  return file;
}

function landed({ repo }: Setting): void {
  expect(readFileSync(path.join(repo, 'f0.txt'), 'utf8')).toBe('text\ndone\n');
  expect(git(repo, 'status', '--porcelain')).toBe('');
}

test('left running, a run goes on without its terminal, and is shown again at another size', async () => {
  const given = setting();
  const app = await begin(given, 120, 40);
  await app.press('q', /Leave it running/);
  app.type(key.enter);
  const end = await app.end();
  expect(end.code, end.text).toBe(0);
  const run = /Run (\d{8}_\d{6}) goes on without this terminal; 2 agents are not done/.exec(
    end.text,
  )?.[1] as string;
  expect(hostsOf(given.where.home)).toHaveLength(1);
  expect((await ask(given, 'runs')).stdout).toMatch(
    new RegExp(`^${run}  running, 0 of 2 agents have ended`),
  );
  const again = screen(given, ['attach'], 80, 24);
  await again.shows(/▸ RUN[\s\S]*at work on f0\.txt/);
  given.go();
  await again.shows(/2 done[\s\S]*landed/);
  await again.press(key.enter, /SUMMARY[\s\S]*landed on main/);
  again.type('q');
  const last = await again.end();
  expect(last.code, last.text).toBe(0);
  landed(given);
  await until(() => hostsOf(given.where.home).length === 0);
  expect(processesWith(given.where.home)).toEqual([]);
});

test.each([
  ['its terminal is closed', 'SIGHUP'],
  ['its screen is killed', 'SIGKILL'],
  ['its screen is told to end', 'SIGTERM'],
] as const)('%s: the run goes on to its landing', async (_, signal) => {
  const given = setting();
  const app = await begin(given);
  process.kill(app.pid, signal);
  await app.end();
  const again = screen(given, ['attach']);
  await again.shows(/▸ RUN[\s\S]*2 working/);
  process.kill(again.pid, 'SIGKILL');
  await again.end();
  given.go();
  await until(() => hostsOf(given.where.home).length === 0);
  landed(given);
  expect(lastSummary(given.repo).landed).toBe(true);
});

test('a bare start where a run lives offers to show it, and begins a new one otherwise', async () => {
  const given = setting();
  const run = await detached(given);
  const app = screen(given, ['--no-test']);
  await app.shows(
    new RegExp(`${run} {2}running, 0 of 2 agents[\\s\\S]*Show this run\\? \\[Y/n\\]`),
  );
  await app.press(key.enter, /▸ RUN[\s\S]*at work on f0/);
  await app.press('q', /Leave it running/);
  app.type(key.enter);
  expect((await app.end()).code).toBe(0);
  const other = screen(given, ['--no-test']);
  await other.shows(/Show this run/);
  await other.press(`n${key.enter}`, /What is to be changed/);
  other.type(key.esc);
  await other.end();
  // Who says what is to be done is not asked.
  const third = screen(given, given.args);
  await third.shows(/What is to be changed/);
  third.type(key.esc);
  await third.press('', /Quit\?/);
  third.type('y');
  await third.end();
  given.go();
  expect((await ask(given, 'wait', run)).code).toBe(0);
});

test.runIf(canMount)(
  'where the disk is full, a run is shown, watched and left all the same',
  async () => {
    const disk = smallDisk(8);
    const whole = setting();
    const given = {
      ...whole,
      where: { ...whole.where, env: { ...whole.where.env, XDG_DATA_HOME: disk } },
    };
    const run = await detached(given);
    const filler = path.join(disk, 'filler');
    spawnSync('sh', ['-c', 'cat /dev/zero > "$0"', filler]);
    expect(statfsSync(disk).bavail).toBe(0);
    const app = screen(given, ['attach']);
    await app.shows(/▸ RUN[\s\S]*at work on f0\.txt/);
    expect((await ask(given, 'runs')).stdout).toMatch(/running, 0 of 2 agents have ended/);
    await app.press('q', /Leave it running/);
    app.type(key.enter);
    const left = await app.end();
    expect(left.code, left.text).toBe(0);
    const lines = startCli(['attach', run], { cwd: given.repo, env: given.where.env });
    await attached(lines);
    rmSync(filler);
    given.go();
    expect(await lines.end).toMatchObject({ code: 0 });
    landed(given);
  },
);

test('a run that nobody answers for is told of, and is waited for all the same', async () => {
  const given = setting();
  const run = await detached(given);
  const socket = socketIn(given, run);
  renameSync(socket, `${socket}.away`);
  const stop = await ask(given, 'stop', run);
  expect(stop.code).toBe(2);
  expect(stop.stderr).toMatch(/cannot be reached: it has no socket/);
  const waiting = startCli(['wait', run], { cwd: given.repo, env: given.where.env });
  await new Promise<void>((resolve) => {
    waiting.child.stderr?.on('data', (text) => {
      if (String(text).includes('It is waited for until its program ends')) resolve();
    });
  });
  given.go();
  expect(await waiting.end).toMatchObject({ code: 0 });
  landed(given);
});

test('Ctrl-C twice stops it, as does the second answer', async () => {
  for (const keys of [
    [key.ctrl('c'), key.ctrl('c')],
    ['q', `${key.down}${key.enter}`],
  ] as const) {
    const given = setting();
    const app = await begin(given);
    await app.press(keys[0], /Leave it running/);
    app.type(keys[1]);
    const end = await app.end();
    expect(end.code, end.text).toBe(130);
    expect(end.text).toMatch(/2 agents|Stopping/);
    expect(hostsOf(given.where.home)).toEqual([]);
    expect(lastSummary(given.repo).interrupted_by).toBe('SIGINT');
  }
});

test('two screens of different sizes type into different agents at once', async () => {
  const given = setting(listener);
  const one = await begin(given, 120, 40);
  const other = screen(given, ['attach'], 80, 24);
  await other.shows(/at work on f1\.txt/);
  await one.press('0i', /TYPING/);
  await other.press('1i', /TYPING/);
  one.type(`from one${key.enter}`);
  other.type(`from the other${key.enter}`);
  for (const app of [one, other]) {
    await app.shows(/heard: from one/);
    await app.shows(/heard: from the other/);
  }
  for (const app of [one, other]) app.type(`go${key.enter}`);
  for (const app of [one, other]) {
    await app.shows(/HAS ENDED[\s\S]*landed/);
    await app.press(key.leave, /^(?![\s\S]*HAS ENDED)/);
  }
  await one.press(key.enter, /SUMMARY/);
  one.type('q');
  expect((await one.end()).code).toBe(0);
  // The other one still looks at it.
  await other.press(key.enter, /SUMMARY[\s\S]*landed on main/);
  other.type('q');
  expect((await other.end()).code).toBe(0);
  await until(() => hostsOf(given.where.home).length === 0);
});

const flooding = `#!/bin/sh
i=0
until [ -e "$GO" ]; do i=$((i+1)); echo "$AGENT_FILES says line $i of many, and then some more to fill the row"; done
for file in $AGENT_FILES; do echo done >> "$file"; done
`;

test('a screen attaches while 8 agents flood, and one that is killed in the middle harms nobody', async () => {
  const given = setting(flooding, 8);
  const run = await detached(given);
  const one = screen(given, ['attach', run], 120, 40);
  await one.shows(/f0\.txt says line \d+[\s\S]*8 working/);
  const other = screen(given, ['attach', run], 80, 24);
  await other.shows(/says line \d+/);
  process.kill(other.pid, 'SIGKILL');
  await other.end();
  const lineOf = () => Number(/f0\.txt says line (\d+)/.exec(one.text())?.[1]);
  const before = lineOf();
  await until(() => lineOf() > before);
  given.go();
  const end = await one.end();
  expect(end.code, end.text).toBe(0);
  landed(given);
});

test('a run that is begun detached is named, followed, spoken to, and waited for', async () => {
  const given = setting();
  const run = await detached(given);
  const follows = startCli(['logs', run, '-f'], { cwd: given.repo, env: given.where.env });
  await follows.waitFor(/agent1 {2}attempt 1 started/);
  const json = JSON.parse((await ask(given, 'runs', '--json')).stdout);
  expect(json).toMatchObject([
    { run, alive: true, now: { phase: 'running', agents: 2, ended: 0 } },
  ]);
  const [all] = JSON.parse((await ask(given, 'runs', '--all', '--json')).stdout);
  expect(all).toMatchObject({ repo: given.repo, run, alive: true });
  const sent = await ask(given, 'send', run, '1', 'mind', 'the', 'tests');
  expect(sent).toMatchObject({ code: 0, stdout: 'agent1 gets it with its next message.\n' });
  expect((await ask(given, 'send', run, '9', 'hello')).stderr).toContain('has no agent 9');
  const waits = startCli(['wait', run], { cwd: given.repo, env: given.where.env });
  const lines = startCli(['attach', run], { cwd: given.repo, env: given.where.env });
  const events = startCli(['attach', run, '--json'], { cwd: given.repo, env: given.where.env });
  // They are told of what comes from now on.
  await Promise.all([lines, events].map(attached));
  given.go();
  expect((await waits.end).code).toBe(0);
  const told = await lines.end;
  expect(told.code, told.stderr).toBe(0);
  expect((await events.end).code).toBe(0);
  const last = JSON.parse((await events.end).stdout.trim().split('\n').at(-1) ?? '');
  expect(last).toMatchObject({ event: 'run_finished', run, simulated: false });
  expect((await follows.end).stdout).toContain('landed on main');
  expect((await ask(given, 'logs', run, '0')).stdout).toContain('its program started');
  // Also when it has ended.
  expect((await ask(given, 'wait', run)).code).toBe(0);
  expect((await ask(given, 'attach', run)).stderr).toContain(`The run ${run} has ended`);
  expect((await ask(given, 'stop', run)).stderr).toContain(`The run ${run} has ended`);
  landed(given);
});

test('a run is stopped by its name, from another folder too, and its work is kept', async () => {
  const given = setting();
  const run = await detached(given);
  const away = tempFolder('away');
  const stopped = await runCli(['stop', run], { cwd: away, env: given.where.env });
  expect(stopped.code, stopped.stderr).toBe(0);
  expect(stopped.stdout).toContain(`Run ${run} was stopped`);
  expect((await runCli(['wait', run], { cwd: away, env: given.where.env })).code).toBe(143);
  await until(() => hostsOf(given.where.home).length === 0);
  expect(lastSummary(given.repo).interrupted_by).toBe('SIGTERM');
});

test('what is missing is said before anything is detached', async () => {
  const given = setting();
  const wrong = await ask(given, '--detach', '--plan', '/nowhere.json', '--no-test');
  expect(wrong).toMatchObject({ code: 2, stdout: '' });
  expect(wrong.stderr).toContain('/nowhere.json');
  expect(hostsOf(given.where.home)).toEqual([]);
  expect((await ask(given, 'attach')).stderr).toContain('No run lives in this repository.');
  expect((await ask(given, 'attach', 'x')).stderr).toContain('x is not the name of a run');
  expect((await ask(given, 'stop', '20200101_000000')).stderr).toContain('There is no run');
  expect((await ask(given, 'send', '20200101_000000')).code).toBe(2);
});

test('the process of a run is not started by hand, and touches nothing then', async () => {
  const given = setting();
  const file = path.join(given.where.home, 'mine.log');
  writeFileSync(file, 'mine');
  const end = await ask(given, '--host-process', file);
  expect(end.code).toBe(2);
  expect(end.stderr).toContain('Only aider-orchestrator itself starts the process of a run.');
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

test('its process is killed: the screen says so, and resume goes on with the run', async () => {
  const given = setting();
  const app = await begin(given);
  const [host] = hostsOf(given.where.home);
  const agents = processesWith(path.join(given.where.home, 'agent.sh')).length;
  expect(agents).toBeGreaterThan(0);
  process.kill(host as number, 'SIGKILL');
  const end = await app.end();
  expect(end.code).toBe(1);
  const run = /The process that ran (\d{8}_\d{6}) died\./.exec(end.text)?.[1] as string;
  await until(() => processesWith(path.join(given.where.home, 'agent.sh')).length === 0);
  // Without a terminal, too.
  const resumed = await ask(given, 'resume', run, '--detach');
  expect(resumed, resumed.stderr).toMatchObject({ code: 0, stdout: `${run}\n` });
  given.go();
  expect((await ask(given, 'wait', run)).code).toBe(0);
  landed(given);
});

test('a program of another version is told so, and can still stop the run', async () => {
  const given = setting();
  const run = await detached(given);
  const other = tempFolder('other');
  cpSync(path.join(root, 'dist'), path.join(other, 'dist'), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(other, 'node_modules'));
  const own = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  writeFileSync(path.join(other, 'package.json'), JSON.stringify({ ...own, version: '99.0.0' }));
  const options = {
    cwd: given.repo,
    env: given.where.env,
    command: [process.execPath, path.join(other, 'dist/cli.js')] as const,
  };
  const app = openScreen(['attach', run], { ...options, command: [...options.command] });
  const end = await app.end();
  expect(end.code).toBe(2);
  expect(end.text).toContain(
    `The run ${run} is run by version ${own.version} of aider-orchestrator, and this is 99.0.0.`,
  );
  const stop = openScreen(['stop', run], { ...options, command: [...options.command] });
  expect((await stop.end()).code).toBe(0);
});

test('a run without a screen can be attached to, and stopped, too', async () => {
  const given = setting();
  const running = startCli([...given.args, '--headless'], {
    cwd: given.repo,
    env: given.where.env,
  });
  await running.waitFor(/agent1 {2}attempt 1 started/);
  const app = screen(given, ['attach']);
  await app.shows(/at work on f0\.txt/);
  await app.press('0x', /Kill agent0/);
  await app.press('y', /1 killed/);
  given.go();
  const end = await app.end();
  expect(end.text).toContain('killed by you');
  expect((await running.end).stdout).toContain('killed by you');
});

test('where others could open the folder of sockets, that is said, and the run goes on', async () => {
  const given = setting();
  const folder = path.join(given.where.home, 'data/aider-orchestrator/hosts');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  given.go();
  const end = await ask(given, ...given.args, '--headless');
  expect(end.code, end.stderr).toBe(0);
  expect(end.stderr).toMatch(/Nobody can attach to this run: .*others can open it/);
  landed(given);
});

test('what connects and says nothing, or nonsense, does not disturb the run', async () => {
  const given = setting();
  const run = await detached(given);
  const file = socketIn(given, run);
  const silent = connect(file);
  const closed = ['\0\0\0\x05\x01nonsense', '\xff\xff\xff\xff\x01', 'GET / HTTP/1.1\r\n\r\n'].map(
    (bytes) =>
      new Promise<void>((resolve) => {
        const socket = connect(file, () => socket.write(Buffer.from(bytes, 'latin1')));
        socket.on('close', () => resolve());
        socket.on('error', () => {});
        socket.resume();
      }),
  );
  await Promise.all(closed);
  given.go();
  expect((await ask(given, 'wait', run)).code).toBe(0);
  silent.destroy();
  landed(given);
});
