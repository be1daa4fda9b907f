/**
 * What is compared: the product, tmux, and bare reading and parsing. Each has the same agents in panes at
 * 200x60, who wait until the gate is opened.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { endHosts, hostsOf } from '../../processes.js';
import { cli, makeRepo } from '../kit.js';
import { type Client, openClient, size, sleep } from './client.js';
import { writeFlood } from './flood.js';

export interface Agents {
  readonly folder: string;
  readonly count: number;
  readonly script: string;
  /** Lets all that wait begin. */
  open(): void;
  pids(): Promise<readonly number[]>;
  remove(): void;
}

/**
 * Agents that stand in for Aider: each takes any arguments, waits at the gate, and then is the command.
 * @param work shell code with the agent's number, from 0, as `$n`; it may replace the shell
 */
export function makeAgents(count: number, work: string): Agents {
  const folder = mkdtempSync(path.join(tmpdir(), 'ao-panes-'));
  const script = path.join(folder, 'agent.sh');
  const gate = path.join(folder, 'gate');
  execFileSync('mkfifo', [gate]);
  // In the product an agent is known by its file, elsewhere by its argument.
  writeFileSync(
    script,
    `#!/bin/sh
case "$*" in
  *--version*) echo 'aider 0.86.2'; exit;;
  *--show-repo-map*) exit;;
esac
n=$AGENT
if [ -z "$n" ]; then n=$(echo "$*" | grep -o 'f[0-9]*[.]txt' | head -n 1 | tr -dc 0-9); fi
echo $$ > '${folder}'/pid.$n
: < '${gate}'
dir='${folder}'
${work}
`,
  );
  chmodSync(script, 0o755);
  let fd: number | null = null;
  return {
    folder,
    count,
    script,
    open: () => {
      // Whoever opens it from now on finds it open, too.
      fd ??= openSync(gate, constants.O_RDWR);
    },
    pids: async () => {
      const pids: number[] = [];
      for (let agent = 0; agent < count; agent++) {
        const file = path.join(folder, `pid.${agent}`);
        while (!existsSync(file) || readFileSync(file, 'utf8').trim() === '') await sleep(10);
        pids.push(Number(readFileSync(file, 'utf8')));
      }
      return pids;
    },
    remove: () => {
      if (fd !== null) closeSync(fd);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Agents that find what they are to print in `$dir/flood.$n`. */
export function makeFlooding(count: number, megabytes: number, work: string): Agents {
  const agents = makeAgents(count, work);
  for (let agent = 0; agent < count; agent++) {
    writeFlood(path.join(agents.folder, `flood.${agent}`), agent, megabytes * 1e6);
  }
  return agents;
}

export interface Subject {
  readonly client: Client;
  /** Whether it shows the last line of a program that has ended. */
  readonly whole: boolean;
  /** The processes that run the agents, read them and draw: here the run's host and its screen. */
  readonly pids: readonly number[];
  /** One more screen of it. */
  attach(): Promise<Client>;
  /** A screen for a run in a repository like it, in which none lives; here alone. */
  wizard(): Promise<Client>;
  /** The keys that put an agent in focus, and what is drawn when it is. */
  focus(agent: number): { readonly keys: string; readonly seen: string };
  /** Lets what is typed go to the agent in focus, and ends that. */
  typing(on: boolean): Promise<void>;
  close(): Promise<void>;
}

/** @param tasks more of them than agents wait for their turn */
export async function openProduct(agents: Agents, tasks = agents.count): Promise<Subject> {
  const repo = path.join(agents.folder, 'repo');
  const files = Object.fromEntries(
    Array.from({ length: tasks }, (_, agent) => [`f${agent}.txt`, 'text\n']),
  );
  await makeRepo(repo, files);
  const other = path.join(agents.folder, 'other');
  await makeRepo(other, files);
  const plan = path.join(agents.folder, 'plan.json');
  const planned = Object.keys(files).map((file, agent) => ({
    id: `T${agent + 1}`,
    title: `Work on ${file}`,
    files: [file],
  }));
  writeFileSync(plan, JSON.stringify({ tasks: planned }));
  const home = path.join(agents.folder, 'home');
  mkdirSync(home);
  const env = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: home,
    XDG_DATA_HOME: `${home}/data`,
    XDG_CACHE_HOME: `${home}/cache`,
    OPENAI_API_KEY: 'none',
  };
  const client = openClient(
    [
      process.execPath,
      ...(process.env['BENCH_NODE_ARGS']?.split(' ') ?? []),
      cli,
      ...['--plan', plan, '--aider', agents.script, '--change', 'Measure', '--no-test'],
      ...['--max-agents', String(agents.count), '--max-iterations', '1'],
    ],
    { cwd: repo, env },
  );
  await client.shows(/What is to be changed/);
  client.type('\r');
  await client.shows(/GROUPS/);
  client.type('\r');
  await client.shows(/Enter starts it/);
  client.type('\r');
  await agents.pids();
  return {
    client,
    whole: true,
    pids: [client.pid, ...hostsOf(home)],
    attach: async () => openClient([process.execPath, cli, 'attach'], { cwd: repo, env }),
    wizard: async () => openClient([process.execPath, cli, '--no-test'], { cwd: other, env }),
    focus: (agent) => ({ keys: String(agent), seen: `▸${agent} T${agent + 1} ` }),
    typing: async (on) => {
      client.type(on ? 'i' : '\x1d');
      await sleep(300);
    },
    close: async () => {
      client.kill();
      await client.ended;
      endHosts(home);
    },
  };
}

/** tmux as the distribution has it: one window with a pane for each agent, as many lines kept as here. */
export async function openTmux(agents: Agents): Promise<Subject> {
  const socket = path.join(agents.folder, 'tmux');
  const config = path.join(agents.folder, 'tmux.conf');
  const keys = '1234567890'.split('');
  writeFileSync(
    config,
    `set -g history-limit 5000
set -g remain-on-exit on
set -g default-terminal tmux-256color
set -ga terminal-overrides ',xterm-256color:Tc'
set -g status-left 'F#{pane_index}!'
set -g escape-time 0
set -g base-index 0
${keys.map((key, agent) => `bind -n M-${key} select-pane -t ${agent}`).join('\n')}
`,
  );
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-S', socket, '-f', config, ...args], { encoding: 'utf8' }).trim();
  const wide = ['-x', String(size.cols), '-y', String(size.rows)];
  for (let agent = 0; agent < agents.count; agent++) {
    const command = ['-e', `AGENT=${agent}`, agents.script];
    if (agent === 0) tmux('new-session', '-d', ...wide, ...command);
    else tmux('split-window', '-d', '-t', `:0.${agent - 1}`, ...command);
    tmux('select-layout', 'tiled');
  }
  const client = openClient(['tmux', '-S', socket, 'attach'], {
    cwd: agents.folder,
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: agents.folder },
  });
  await client.shows(/F0!/);
  await agents.pids();
  return {
    client,
    whole: false,
    pids: [Number(tmux('display-message', '-p', '#{pid}')), client.pid],
    attach: async () =>
      openClient(['tmux', '-S', socket, 'attach'], {
        cwd: agents.folder,
        env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: agents.folder },
      }),
    wizard: () => Promise.reject(new Error('tmux has none')),
    focus: (agent) => ({ keys: `\x1b${agent + 1}`, seen: `F${agent}!` }),
    typing: async () => {},
    close: async () => {
      tmux('kill-server');
      await client.ended;
    },
  };
}
