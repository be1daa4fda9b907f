/**
 * A clock for one run: the time of day, epoch milliseconds, but never earlier than it was. Where the system's
 * clock is set back, it goes on by the time that has passed.
 */
export function steadyClock(
  wall: () => number = Date.now,
  passed: () => number = () => performance.now(),
): () => number {
  let last = wall();
  let mark = passed();
  return () => {
    const now = wall();
    const then = mark;
    mark = passed();
    last = now >= last ? now : last + (mark - then);
    return Math.round(last);
  };
}
