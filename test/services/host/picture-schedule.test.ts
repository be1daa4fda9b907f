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
    isDue: true,
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

test('one that is looked at is sent fewer in a flood, until there is a pause', () => {
  const { counts, schedule, feeds } = flooded(() => false, 5000);
  expect(counts).toEqual([21, 20]);
  vi.advanceTimersByTime(1000);
  for (let at = 0; at < 950; at++) {
    schedule.changed(0, feeds[0] as TerminalFeed);
    vi.advanceTimersByTime(1);
  }
  expect(counts[0]).toBe(21 + 10);
});

/** How often the first terminal is drawn within so many milliseconds, where its screen is used from a moment on. */
function drawnUsedFrom(moment: number, milliseconds: number): number | undefined {
  let used = false;
  const { counts } = flooded(
    () => used,
    milliseconds,
    (at) => {
      used = at >= moment;
    },
  );
  return counts[0];
}

test('a screen that is used from now on is quick from now on, and what waits is sent at once', () => {
  // 5 in the first half second, then up to one in 33 ms.
  expect(drawnUsedFrom(500, 1100)).toBeGreaterThanOrEqual(22);
  // In a flood the next one would have come at 5,400.
  expect(drawnUsedFrom(5050, 5150)).toBe(21 + 3 + 1);
});

test('what an agent answers to a key is drawn at once, whoever types', () => {
  const { counts, schedule, feeds } = flooded(() => false, 10);
  expect(counts).toEqual([1, 0]);
  schedule.typed(1);
  for (const [agent, feed] of feeds.entries()) schedule.changed(agent, feed);
  expect(counts).toEqual([1, 1]);
});

test('what an agent answers to a key waits for its client to take it, and is drawn at once then', () => {
  const { counts, schedule, feeds } = flooded(() => false, 10);
  const [, second] = feeds as unknown as { isDue: boolean }[];
  if (!second) throw new Error('there is no second one');
  schedule.typed(1);
  second.isDue = false;
  schedule.changed(1, feeds[1] as TerminalFeed);
  expect(counts).toEqual([1, 0]);
  second.isDue = true;
  schedule.changed(1, feeds[1] as TerminalFeed);
  expect(counts).toEqual([1, 1]);
});

test('after its end nothing is drawn', () => {
  const { counts, schedule } = flooded(() => true, 10);
  schedule.close();
  vi.advanceTimersByTime(1000);
  expect(counts).toEqual([1, 0]);
});
