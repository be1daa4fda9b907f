/**
 * Benchmark: attaching to 8 agents with 5,000 lines each, until the last line of all of them is seen; beside
 * it the first frame of the wizard in a repository like it, and tmux. In turn.
 */
import { median, row } from '../kit.js';
import { type Client, sleep } from './client.js';
import { lastLine } from './flood.js';
import { makeFlooding, openProduct, openTmux, type Subject } from './subjects.js';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 9);
const count = 8;

interface Full {
  readonly subject: Subject;
  end(): Promise<void>;
}

/** All agents have printed more than is kept, and wait; nobody looks at them. */
async function full(open: typeof openProduct | typeof openTmux): Promise<Full> {
  const agents = makeFlooding(count, 2, 'cat "$dir/flood.$n"; exec sleep 1000');
  const subject = await open(agents);
  agents.open();
  await sleep(5000);
  subject.client.kill();
  await subject.client.ended;
  return {
    subject,
    end: async () => {
      await subject.close();
      agents.remove();
    },
  };
}

/** Milliseconds from the start of a program until all of these texts were drawn. */
async function until(open: () => Promise<Client>, texts: readonly string[]): Promise<number> {
  const start = performance.now();
  const client = await open();
  client.blind(true);
  const end = Math.max(...(await Promise.all(texts.map((text) => client.draws(text)))));
  client.kill();
  await client.ended;
  return end - start;
}

const ours = await full(openProduct);
const tmux = await full(openTmux);
const lines = Array.from({ length: count }, (_, agent) => lastLine(agent));
const times: { attach: number; wizard: number; tmux: number }[] = [];
for (let round = 0; round <= rounds; round++) {
  const one = {
    attach: await until(ours.subject.attach, lines),
    wizard: await until(ours.subject.wizard, ['What is to be changed?']),
    tmux: await until(tmux.subject.attach, ['F0!']),
  };
  // The first one fills the caches.
  if (round > 0) times.push(one);
}
await ours.end();
await tmux.end();
const of = (name: keyof (typeof times)[number]) => median(times.map((one) => one[name]));
row({
  part: 'Panes',
  what: `attaching to ${count} agents with 5,000 lines each, until their last lines are seen`,
  ours: `${of('attach').toFixed(0)} ms`,
  beside: `the wizard's first frame ${of('wizard').toFixed(0)} ms; tmux attach ${of('tmux').toFixed(0)} ms`,
  target: 'at most 60 ms later than the first frame',
});
process.exit();
