import { expect, test } from 'vitest';
import { steadyClock } from '../../../source/services/machine/clock.js';

test('a clock that is set back takes no time away', () => {
  const wall = [1000, 2000, -86_400_000, -86_399_000, 5000];
  const passed = [0, 1000, 2000, 3000, 4000];
  const clock = steadyClock(
    () => wall.shift() ?? 0,
    () => passed.shift() ?? 0,
  );
  expect([clock(), clock(), clock(), clock()]).toEqual([2000, 3000, 4000, 5000]);
});
