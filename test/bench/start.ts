/**
 * Benchmark: eight agents with one answer each. Aider alone by `xargs -P 8` and by `concurrently`, against
 * agents forked from one Aider: cold (from nothing) and warm (loaded before, as behind the wizard). Time,
 * memory (PSS of all their processes) and when each agent's first request arrives.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { agentEnvironment } from '../../source/services/agents/aider/environment.js';
import { PlainLauncher } from '../../source/services/agents/aider/launcher.js';
import { openWarm } from '../../source/services/agents/aider/open-launcher.js';
import type { WarmLauncher } from '../../source/services/agents/aider/warm-launcher.js';
import { startModelServer } from '../../source/services/model-server/model-server.js';
import { median, row } from './kit.js';
import {
  type Alone,
  command,
  environment,
  interpreter,
  raises,
  version,
  writeAlone,
  writeMetadata,
} from './setting.js';

const rounds = Number(process.env['BENCH_PAIRS'] ?? 5);
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const folder = mkdtempSync(path.join(tmpdir(), 'ao-bench-'));
const server = await startModelServer({ gemini: [], chat: raises(names) });
const metadata = path.join(folder, 'metadata.json');
writeMetadata(metadata);
const env = agentEnvironment(environment(folder, server.url), 'gpt-4o', null);
if (interpreter === null) throw new Error('this Aider cannot be forked');
const python = interpreter;
let serial = 0;

interface Measured {
  readonly seconds: number;
  /** Seconds from the start to the first request of each agent, in order. */
  readonly requests: readonly number[];
}

const fresh = () => writeAlone(path.join(folder, `x${serial++}`), names, metadata);

async function measure(work: (agents: readonly Alone[]) => Promise<void>): Promise<Measured> {
  const agents = await fresh();
  const before = server.requests.length;
  const at = Date.now();
  await work(agents);
  const seconds = (Date.now() - at) / 1000;
  const requests = server.requests.slice(before).map((request) => (request.at - at) / 1000);
  if (requests.length !== names.length) throw new Error(`${requests.length} requests`);
  return { seconds, requests };
}

function runProgram(file: string, args: readonly string[], input = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, stdio: ['pipe', 'ignore', 'ignore'] });
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${file}: ${code}`))));
    child.stdin.end(input);
  });
}

function runXargs(agents: readonly Alone[]): Promise<void> {
  const scripts = agents.map(({ script }) => script).join('\n');
  return runProgram('xargs', ['-P', String(names.length), '-n', '1', 'sh'], scripts);
}

const concurrently = path.resolve(import.meta.dirname, '../../node_modules/.bin/concurrently');

function runConcurrently(agents: readonly Alone[]): Promise<void> {
  const commands = agents.map(({ script }) => `sh '${script}'`);
  return runProgram(concurrently, commands);
}

async function runForked(launcher: WarmLauncher, agents: readonly Alone[]): Promise<void> {
  await Promise.all(
    agents.map(async ({ args, repo }) => {
      const agent = await launcher.start({ args, cwd: repo, env, cols: 120, rows: 40 });
      await new Promise<void>((resolve, reject) => {
        agent.onExit(({ code }) => (code === 0 ? resolve() : reject(new Error(`exit ${code}`))));
      });
    }),
  );
}

function open(): WarmLauncher {
  return openWarm(command, python, 'gpt-4o', new PlainLauncher([command]));
}

async function cold(agents: readonly Alone[]): Promise<void> {
  const launcher = open();
  await runForked(launcher, agents);
  launcher.close();
}

/** PSS of all processes below one, kilobytes. */
function pssBelow(root: number): number {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent === root || (parent !== undefined && parent > 1 && isBelow(parent));
  };
  let sum = 0;
  for (const pid of [...parents.keys()].filter(isBelow)) {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
      sum += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return sum;
}

/** The highest sum that was seen while the work was done, megabytes. */
async function peak(work: () => Promise<void>): Promise<number> {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, pssBelow(process.pid));
  }, 200);
  await work();
  clearInterval(timer);
  return most / 1024;
}

console.log(
  `${cpus().length} cores, node ${process.versions.node}, aider ${version}, ${names.length} agents, ${rounds} rounds`,
);
const all: { plain: Measured; many: Measured; cold: Measured; warm: Measured }[] = [];
for (let round = 0; round <= rounds; round++) {
  const plain = await measure(runXargs);
  const many = await measure(runConcurrently);
  const fromNothing = await measure(cold);
  const launcher = open();
  await launcher.warmedUp();
  const warm = await measure((agents) => runForked(launcher, agents));
  launcher.close();
  // The first one warms the caches of the disk.
  if (round === 0) continue;
  all.push({ plain, many, cold: fromNothing, warm });
  const of = ({ seconds }: Measured) =>
    `${seconds.toFixed(2)} s (${(seconds / plain.seconds).toFixed(3)})`;
  console.log(
    `round ${round}: xargs -P 8 ${plain.seconds.toFixed(2)} s, concurrently ${many.seconds.toFixed(2)} s, cold ${of(fromNothing)}, warm ${of(warm)}`,
  );
}
const ratio = (of: 'cold' | 'warm', beside: 'plain' | 'many') =>
  median(all.map((one) => one[of].seconds / one[beside].seconds)).toFixed(3);
const seconds = (of: 'plain' | 'many' | 'cold' | 'warm') =>
  `${median(all.map((one) => one[of].seconds)).toFixed(1)} s`;
for (const [of, what, target] of [
  ['cold', '8 agents with one answer each, loading Aider included', 'ratio at most 0.35'],
  ['warm', '8 agents with one answer each, Aider loaded before', 'ratio at most 0.25'],
] as const) {
  const part = 'Agents';
  const ours = seconds(of);
  const xargs = `xargs -P 8 aider ${seconds('plain')}`;
  row({ part, what, ours, beside: xargs, ratio: ratio(of, 'plain'), target });
  const many = `concurrently ${seconds('many')}`;
  row({ part, what, ours, beside: many, ratio: ratio(of, 'many'), target: 'measured' });
}
const later = all.flatMap(({ plain, cold: own }) =>
  own.requests.map((at, index) => at / (plain.requests[index] as number)),
);
row({
  part: 'Agents',
  what: 'first requests against those of Aider alone, one by one',
  ours: `${Math.min(...later).toFixed(2)} to ${Math.max(...later).toFixed(2)} of the time`,
  target: 'at most 1',
});
const [a, b] = [await fresh(), await fresh()];
const plainPeak = await peak(() => runXargs(a));
const forkedPeak = await peak(() => cold(b));
row({
  part: 'Agents',
  what: 'memory of 8 agents (PSS), at most',
  ours: `${forkedPeak.toFixed(0)} MB`,
  beside: `xargs -P 8 aider ${plainPeak.toFixed(0)} MB`,
  ratio: (forkedPeak / plainPeak).toFixed(2),
  target: 'ratio at most 0.4',
});
await server.close();
rmSync(folder, { recursive: true, force: true });
