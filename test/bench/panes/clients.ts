/**
 * Benchmark: 8 agents print 20 MB each while nobody, one screen, or five screens look at them, in turn; and
 * what the host costs alone while nothing is printed, and while screens come and go.
 */
import { isAlive } from '../../processes.js';
import { median, row } from '../kit.js';
import { type Client, cpuSeconds, residentMb, sleep } from './client.js';
import { makeAgents, makeFlooding, openProduct } from './subjects.js';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const megabytes = Number(process.env['BENCH_MB'] ?? 20);
const restSeconds = Number(process.env['BENCH_SECONDS'] ?? 120);
const count = 8;

/** Seconds until all agents have printed all, and are reaped. */
async function drain(screens: number): Promise<number> {
  const agents = makeFlooding(count, megabytes, 'exec cat "$dir/flood.$n"');
  const subject = await openProduct(agents);
  const pids = await agents.pids();
  const more: Client[] = [];
  if (screens === 0) {
    subject.client.kill();
    await subject.client.ended;
  } else subject.client.blind(true);
  for (let screen = 1; screen < screens; screen++) {
    const client = await subject.attach();
    await client.shows(/8 working/);
    client.blind(true);
    more.push(client);
  }
  await sleep(1000);
  const start = performance.now();
  agents.open();
  while (pids.some(isAlive)) await sleep(5);
  const taken = (performance.now() - start) / 1000;
  for (const client of more) client.kill();
  await Promise.all(more.map(({ ended }) => ended));
  await subject.close();
  agents.remove();
  return taken;
}

/** Percent of a core that the host takes while its agents say nothing and nobody looks. */
async function alone(): Promise<number> {
  const agents = makeAgents(count, 'exec cat');
  const subject = await openProduct(agents);
  const [screen, host] = subject.pids;
  if (screen === undefined || host === undefined) throw new Error('there is no host');
  subject.client.kill();
  await subject.client.ended;
  // What the engine puts in order after a screen has gone is not what it costs at rest.
  await sleep(30_000);
  const before = cpuSeconds(host);
  await sleep(restSeconds * 1000);
  const used = cpuSeconds(host) - before;
  await subject.close();
  agents.remove();
  return (100 * used) / restSeconds;
}

/** The host's memory after a tenth of the screens and after all of them, each of which attaches, looks and goes. */
async function comeAndGo(screens: number): Promise<readonly [early: number, late: number]> {
  const agents = makeFlooding(count, 2, 'cat "$dir/flood.$n"; exec sleep 1000');
  const subject = await openProduct(agents);
  const host = subject.pids[1] ?? 0;
  agents.open();
  await sleep(5000);
  let early = 0;
  for (let screen = 1; screen <= screens; screen++) {
    const client = await subject.attach();
    await client.shows(/8 working/);
    client.kill();
    await client.ended;
    if (screen === Math.ceil(screens / 10)) early = residentMb(host);
  }
  const late = residentMb(host);
  await subject.close();
  agents.remove();
  return [early, late];
}

const all: { none: number; one: number; five: number }[] = [];
for (let round = 0; round <= rounds; round++) {
  const drained = { none: await drain(0), one: await drain(1), five: await drain(5) };
  console.log(JSON.stringify(drained));
  if (round > 0) all.push(drained);
}
const of = (name: keyof (typeof all)[number]) => median(all.map((drained) => drained[name]));
const part = 'Panes';
row({
  part,
  what: `${count} agents print ${megabytes} MB each, nobody looks`,
  ours: `${of('none').toFixed(2)} s`,
  beside: `one screen ${of('one').toFixed(2)} s`,
  ratio: median(all.map(({ none, one }) => none / one)).toFixed(2),
  target: 'no longer than with a screen',
});
row({
  part,
  what: `${count} agents print ${megabytes} MB each, five screens look`,
  ours: `${of('five').toFixed(2)} s`,
  beside: `one screen ${of('one').toFixed(2)} s`,
  ratio: median(all.map(({ five, one }) => five / one)).toFixed(2),
  target: 'ratio at most 1.2',
});
row({
  part,
  what: `the host of ${count} agents that say nothing, nobody looks, of one core`,
  ours: `${(await alone()).toFixed(2)} %`,
  target: 'under 0.3 %',
});
const screens = Number(process.env['BENCH_SCREENS'] ?? 360);
const [early, late] = await comeAndGo(screens);
row({
  part,
  what: `the host's memory after ${screens} screens have come and gone, an hour of one each 10 s`,
  ours: `${late.toFixed(0)} MB`,
  beside: `after a tenth of them ${early.toFixed(0)} MB`,
  target: 'flat',
});
process.exit();
