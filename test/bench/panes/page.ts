/**
 * Benchmark: the page in Chromium. 8 agents print 20 MB each while nobody looks, and while the page shows them all,
 * in turn; how soon the page's first picture is there; its memory after each flood.
 */
import { chromiumHere } from '../../browser.js';
import { isAlive } from '../../processes.js';
import { median, row } from '../kit.js';
import { sleep } from './client.js';
import { look } from './page-subject.js';
import { makeFlooding, openProduct } from './subjects.js';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const megabytes = Number(process.env['BENCH_MB'] ?? 20);
const count = 8;

async function drain(isShown: boolean) {
  const agents = makeFlooding(count, megabytes, 'echo ready; cat "$dir/flood.$n"');
  const subject = await openProduct(agents);
  const pids = await agents.pids();
  subject.client.kill();
  await subject.client.ended;
  const shown = isShown ? await look(agents, count) : null;
  const before = (await shown?.memory()) ?? 0;
  await sleep(1000);
  const start = performance.now();
  agents.open();
  while (pids.some(isAlive)) await sleep(5);
  const seconds = (performance.now() - start) / 1000;
  await sleep(3000);
  const after = (await shown?.memory()) ?? 0;
  await shown?.close();
  await subject.close();
  agents.remove();
  return { seconds, first: shown?.first ?? 0, before, after };
}

if (chromiumHere === null) {
  console.log('There is no Chromium here.');
  process.exit();
}
const all: { readonly none: number; readonly page: Awaited<ReturnType<typeof drain>> }[] = [];
for (let round = 0; round <= rounds; round++) {
  const one = { none: (await drain(false)).seconds, page: await drain(true) };
  console.log(JSON.stringify(one));
  if (round > 0) all.push(one);
}
const part = 'Page';
row({
  part,
  what: `${count} agents print ${megabytes} MB each, the page shows them`,
  ours: `${median(all.map(({ page }) => page.seconds)).toFixed(2)} s`,
  beside: `nobody looks ${median(all.map(({ none }) => none)).toFixed(2)} s`,
  ratio: median(all.map(({ none, page }) => page.seconds / none)).toFixed(2),
  target: 'ratio at most 1.1',
});
row({
  part,
  what: 'from the address to the list of runs',
  ours: `${median(all.map(({ page }) => page.first)).toFixed(0)} ms`,
  target: 'at most 1000 ms',
});
row({
  part,
  what: "the page's memory after the flood",
  ours: `${median(all.map(({ page }) => page.after)).toFixed(0)} MB`,
  beside: `before it ${median(all.map(({ page }) => page.before)).toFixed(0)} MB`,
  target: 'flat',
});
process.exit();
