import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Channel } from '../../../source/services/host/channel.js';
import { PictureSchedule } from '../../../source/services/host/picture-schedule.js';
import type { TerminalFeed } from '../../../source/services/host/terminal-feed.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A schedule whose terminals change each millisecond; gives how often each was drawn. */
function flooded(isUsed: () => boolean, milliseconds: number, onStep: (at: number) => void = noop) {
  const channel = { together: (work: () => void) => work() } as Channel;
  const schedule = new PictureSchedule(channel, isUsed);
  const counts = [0, 0];
  const feeds = counts.map((_, agent) => ({
    push: () => {
      counts[agent] = (counts[agent] ?? 0) + 1;
    },
  })) as unknown as TerminalFeed[];
  for (let at = 0; at < milliseconds; at++) {
    onStep(at);
    for (const [agent, feed] of feeds.entries()) schedule.changed(agent, feed);
    vi.advanceTimersByTime(1);
  }
  return { counts, schedule, feeds };
}

const noop = () => {};

test('the screen that is used is sent pictures 30 times a second, one that is looked at 10 times', () => {
  // The first that changes is drawn at once, and then again with the others.
  expect(flooded(() => true, 1000).counts).toEqual([31, 30]);
  expect(flooded(() => false, 1000).counts).toEqual([11, 10]);
});

test('a screen that is used from now on is quick from now on', () => {
  let used = false;
  const { counts } = flooded(
    () => used,
    1100,
    (at) => {
      used = at >= 500;
    },
  );
  // 5 in the first half second, then up to one in 33 ms.
  expect(counts[0]).toBeGreaterThanOrEqual(22);
});

test('what an agent answers to a key is drawn at once, whoever types', () => {
  const { counts, schedule, feeds } = flooded(() => false, 10);
  expect(counts).toEqual([1, 0]);
  schedule.typed(1);
  for (const [agent, feed] of feeds.entries()) schedule.changed(agent, feed);
  expect(counts).toEqual([1, 1]);
});

test('after its end nothing is drawn', () => {
  const { counts, schedule } = flooded(() => true, 10);
  schedule.close();
  vi.advanceTimersByTime(1000);
  expect(counts).toEqual([1, 0]);
});
