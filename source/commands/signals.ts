import { killAllProcesses } from '../services/pty/process-groups.js';

const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type StopSignalName = keyof typeof codes;

export interface CaughtSignal {
  readonly name: StopSignalName;
  readonly code: number;
}

/**
 * Listens for the signals that end a program, and sees to it that no process of ours outlives it.
 * @returns gives the signals back; its answer is the first one that came
 */
export function onSignals(listener: (signal: StopSignalName) => void): () => CaughtSignal | null {
  let caught: CaughtSignal | null = null;
  const names = Object.keys(codes) as StopSignalName[];
  const handlers = names.map((name) => {
    const handler = () => {
      caught ??= { name, code: codes[name] };
      listener(name);
    };
    process.on(name, handler);
    return [name, handler] as const;
  });
  process.on('exit', killAllProcesses);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
    process.off('exit', killAllProcesses);
    killAllProcesses();
    return caught;
  };
}
