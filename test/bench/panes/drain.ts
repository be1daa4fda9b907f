/**
 * Benchmark: 8 agents print 20 MB each, as fast as they can (BENCH_AGENTS, BENCH_MB). The time until all is read, parsed, shown
 * and the agents are reaped: the product, tmux, and bare reading and parsing.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { isAlive } from '../../processes.js';
import { median, row } from '../kit.js';
import { sleep } from './client.js';
import { lastLine } from './flood.js';
import { type Agents, makeFlooding, openProduct, openTmux, type Subject } from './subjects.js';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const megabytes = Number(process.env['BENCH_MB'] ?? 20);
const count = Number(process.env['BENCH_AGENTS'] ?? 8);

/** Waits until there is none of these processes. */
async function gone(pids: readonly number[]): Promise<number> {
  while (pids.some(isAlive)) await sleep(5);
  return performance.now();
}

interface Drained {
  readonly seconds: number;
  /** Written to the terminal meanwhile, megabytes. */
  readonly written: number;
}

const flooding = () => makeFlooding(count, megabytes, 'exec cat "$dir/flood.$n"');

async function drain(open: (agents: Agents) => Promise<Subject>): Promise<Drained> {
  const agents = flooding();
  const subject = await open(agents);
  const { client } = subject;
  const pids = await agents.pids();
  await sleep(1000);
  client.blind(true);
  const before = client.bytes();
  const start = performance.now();
  agents.open();
  // tmux 3.3 may lose the last lines of a program that ends, so there only the ends are waited for.
  // More than fit are not all on the screen.
  const seen = subject.whole ? (count <= 8 ? count : 1) : 0;
  const shown = Array.from({ length: seen }, (_, agent) => client.draws(lastLine(agent)));
  const end = Math.max(...(await Promise.all([...shown, gone(pids)])));
  const written = (client.bytes() - before) / 1e6;
  await subject.close();
  agents.remove();
  return { seconds: (end - start) / 1000, written };
}

async function bare(): Promise<number> {
  const agents = flooding();
  const script = path.join(import.meta.dirname, 'bare.ts');
  const args = ['--import', 'tsx', script, agents.script, String(count), '65', '18'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await agents.pids();
  await sleep(1000);
  const start = performance.now();
  agents.open();
  const end = await new Promise<number>((resolve) => {
    child.stdout.on('data', (text) => {
      if (String(text).includes('done')) resolve(performance.now());
    });
  });
  agents.remove();
  return (end - start) / 1000;
}

const all: { ours: Drained; tmux: Drained; bare: number }[] = [];
for (let round = 0; round <= rounds; round++) {
  const one = { ours: await drain(openProduct), tmux: await drain(openTmux), bare: await bare() };
  console.log(
    `ours ${one.ours.seconds.toFixed(2)} s (${one.ours.written.toFixed(2)} MB), tmux ${one.tmux.seconds.toFixed(2)} s (${one.tmux.written.toFixed(2)} MB), bare ${one.bare.toFixed(2)} s`,
  );
  if (round > 0) all.push(one);
}
if (all.length > 0) {
  const part = 'Panes';
  const ours = `${median(all.map((one) => one.ours.seconds)).toFixed(1)} s`;
  row({
    part,
    what: `${count} agents print ${megabytes} MB each, until all is shown and reaped`,
    ours,
    beside: `tmux ${median(all.map((one) => one.tmux.seconds)).toFixed(1)} s`,
    ratio: median(all.map((one) => one.ours.seconds / one.tmux.seconds)).toFixed(2),
    target: count === 8 ? 'ratio at most 0.7' : 'measured',
  });
  row({
    part,
    what: `the same, ${count} agents`,
    ours,
    beside: `reading and parsing alone ${median(all.map((one) => one.bare)).toFixed(1)} s`,
    ratio: median(all.map((one) => one.ours.seconds / one.bare)).toFixed(2),
    target: count === 8 ? 'ratio at most 1.3' : 'measured',
  });
  row({
    part,
    what: `written to the terminal for it, ${count} agents`,
    ours: `${median(all.map((one) => one.ours.written)).toFixed(1)} MB`,
    beside: `tmux ${median(all.map((one) => one.tmux.written)).toFixed(1)} MB`,
    target: count === 8 ? 'at most 5 MB' : 'measured',
  });
}
