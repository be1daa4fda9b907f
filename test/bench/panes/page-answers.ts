/**
 * Benchmark: how the page answers. Keys while 8 agents flood (from the key to the next picture, as the browser itself
 * tells it), and a timeline of 10,000 entries while it is scrolled: how long each frame takes.
 */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { chromiumHere } from '../../browser.js';
import { hostsOf, isAlive } from '../../processes.js';
import { row } from '../kit.js';
import { sleep } from './client.js';
import { random } from './flood.js';
import { look } from './page-subject.js';
import { makeFlooding, openProduct } from './subjects.js';

const keys = Number(process.env['BENCH_KEYS'] ?? 200);
const entries = Number(process.env['BENCH_ENTRIES'] ?? 10_000);
const count = 8;

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

/** From keys to the pictures that show them, milliseconds: the browser's Event Timing, in steps of 8. */
async function pressKeys(page: Page): Promise<number[]> {
  await page.evaluate(() => {
    const kept: number[] = [];
    (window as unknown as { kept: number[] }).kept = kept;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries())
        if (entry.name === 'keydown') kept.push(entry.duration);
    });
    observer.observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
  });
  const next = random(11);
  // One agent large, all agents, the groups, the timeline.
  const all = ['1', 'Escape', 'f', 'o', '5', 'd', 'i', 'Control+]', 'Escape', 'c', 'o'];
  for (let index = 0; index < keys; index++) {
    await sleep(60 + next() * 80);
    await page.keyboard.press(all[index % all.length] as string);
  }
  await sleep(1000);
  const slow = await page.evaluate(() => (window as unknown as { kept: number[] }).kept);
  // What takes less than the browser tells of counts as that.
  return [...slow, ...Array.from({ length: Math.max(0, keys - slow.length) }, () => 16)];
}

async function keysInFlood(): Promise<number[]> {
  const agents = makeFlooding(count, 5, 'while :; do cat "$dir/flood.$n"; done');
  const subject = await openProduct(agents);
  const pids = await agents.pids();
  subject.client.kill();
  await subject.client.ended;
  const shown = await look(agents, count);
  agents.open();
  await sleep(2000);
  const taken = await pressKeys(shown.page);
  await shown.close();
  if (!pids.every(isAlive)) throw new Error('an agent has ended in the flood');
  await subject.close();
  agents.remove();
  return taken;
}

/** A run of which so much is told as no run of an hour tells. */
async function longTimeline(): Promise<{ readonly frames: number[]; readonly entries: number }> {
  const agents = makeFlooding(count, 1, 'sleep 1000');
  const subject = await openProduct(agents);
  await agents.pids();
  agents.open();
  await sleep(500);
  subject.client.kill();
  await subject.client.ended;
  const home = path.join(agents.folder, 'home');
  for (const pid of hostsOf(home)) process.kill(pid, 'SIGKILL');
  const data = path.join(home, 'data');
  const name = readdirSync(data, { recursive: true, encoding: 'utf8' }).find((one) =>
    one.endsWith('journal.jsonl'),
  );
  const journal = path.join(data, name ?? '');
  const last = JSON.parse(readFileSync(journal, 'utf8').trim().split('\n').at(-1) ?? '{}');
  const usage = { promptTokens: 100, completionTokens: 10, cost: 0.001, knownCost: 0.001 };
  const more = Array.from({ length: entries }, (_, index) => {
    const at = last.at + index * 300;
    const agent = index % count;
    return [
      { type: 'turn_started', agent, at },
      { type: 'turn_ended', agent, usage, at: at + 100 },
    ];
  }).flat();
  appendFileSync(journal, more.map((message) => `${JSON.stringify(message)}\n`).join(''));
  const shown = await look(agents, count);
  const { page } = shown;
  await page.keyboard.press('c');
  const list = page.getByRole('region', { name: 'What has happened' });
  await list.waitFor();
  const told = await list.evaluate((box) => (box.firstElementChild?.clientHeight ?? 0) / 28);
  // As text: what compiles this file would add names to it that the page does not have.
  const frames = (await page.evaluate(`new Promise((resolve) => {
    const box = document.querySelector('.entries');
    const taken = [];
    let before = performance.now();
    function step(now) {
      taken.push(now - before);
      before = now;
      box.scrollTop += 150;
      const isEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 1;
      if (taken.length < 600 && !isEnd) requestAnimationFrame(step);
      else resolve(taken.slice(2));
    }
    requestAnimationFrame(step);
  })`)) as number[];
  await shown.close();
  await subject.close();
  agents.remove();
  return { frames, entries: told };
}

if (chromiumHere === null) {
  console.log('There is no Chromium here.');
  process.exit();
}
const part = 'Page';
const answered = await keysInFlood();
row({
  part,
  what: `keys answered while ${count} agents flood`,
  ours: `median ${quantile(answered, 0.5)} ms, p99 ${quantile(answered, 0.99)} ms`,
  target: 'p99 at most 100 ms',
});
const timeline = await longTimeline();
const late = timeline.frames.filter((ms) => ms > 25).length;
row({
  part,
  what: `a timeline of ${timeline.entries} entries is scrolled, ${timeline.frames.length} frames`,
  ours: `median ${quantile(timeline.frames, 0.5).toFixed(1)} ms, p99 ${quantile(timeline.frames, 0.99).toFixed(1)} ms, ${late} later than 25 ms`,
  target: 'p99 at most 25 ms',
});
process.exit();
