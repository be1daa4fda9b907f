/** Works that wait, the first one first. */
const waiting: (() => void)[] = [];
let isRunning = false;

/**
 * Does works one after the other, each after a frame of its own: a page with many terminals is there at once, and
 * answers keys while they come.
 * @returns takes the work back, where it was not done yet
 */
export function oneByOne(work: () => void): () => void {
  waiting.push(work);
  if (!isRunning) next();
  return () => {
    const at = waiting.indexOf(work);
    if (at >= 0) waiting.splice(at, 1);
  };
}

function next(): void {
  isRunning = waiting.length > 0;
  if (!isRunning) return;
  // A frame is not drawn where nobody looks.
  requestAnimationFrame(() =>
    setTimeout(() => {
      try {
        waiting.shift()?.();
      } finally {
        next();
      }
    }),
  );
}
