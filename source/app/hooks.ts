import { useEffect, useState, useSyncExternalStore } from 'react';
import type { RunState } from '../core/run/run.js';
import type { RunPort } from './ports.js';
import { useEnvironment } from './surface.js';

export function useRunState(run: RunPort): RunState {
  return useSyncExternalStore(
    (listener) => run.subscribe(listener),
    () => run.state(),
  );
}

/** The time, anew each second while something is counting. */
export function useClock(counting: boolean): number {
  const { now } = useEnvironment();
  const [time, setTime] = useState(now());
  useEffect(() => {
    setTime(now());
    if (!counting) return;
    const timer = setInterval(() => setTime(now()), 1000);
    return () => clearInterval(timer);
  }, [counting, now]);
  return time;
}
