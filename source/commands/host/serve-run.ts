import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Message } from '../../core/run/message.js';
import type { RunState } from '../../core/run/run.js';
import { programVersion } from '../../services/config/package-files.js';
import type { HostedRun } from '../../services/host/hosted-run.js';
import { RunServer } from '../../services/host/run-server.js';
import { listenAt, socketOf } from '../../services/host/socket.js';
import type { LogPaths } from '../../services/logs/log-paths.js';
import { environment, setVariable } from '../../services/machine/environment.js';
import type { RunRecord } from '../../services/records/run-records.js';
import type { LiveRun } from '../live-run.js';
import { runPort } from './run-port.js';

/** A run that other programs can attach to. */
export interface ServedRun {
  readonly observe: (after: RunState, before: RunState | null, message: Message) => void;
  finished(): void;
  warn(text: string): void;
  /** Speaks with one more client. */
  accept(stream: Duplex): void;
  /** Those who look at it. */
  watchers(): number;
  close(): Promise<void>;
}

/**
 * Opens a run to other programs. Where that cannot be, it is said, and the run goes on without.
 * @param onWatchers told when somebody who looks at it has come or gone
 */
export async function serveRun(
  live: LiveRun,
  paths: LogPaths,
  record: RunRecord,
  warn: (text: string) => void,
  onWatchers: (count: number) => void = () => {},
): Promise<ServedRun> {
  const hosted: HostedRun = {
    ...runPort(live, paths),
    state: () => live.state(),
    terminals: live.terminals,
    keys: () =>
      Object.entries(environment()).flatMap(([name, value]) =>
        /KEY|TOKEN/.test(name) && value?.trim() ? [name] : [],
      ),
    setKey: setVariable,
    summaryWritten: () => live.summaryWritten(),
  };
  const program = programVersion();
  const server = new RunServer(hosted, { run: record.stamp, program, onWatchers });
  const listening = await listenAt(socketOf(record.file), (stream) => server.accept(stream));
  if (!listening.ok) warn(`Nobody can attach to this run: ${listening.failure}.`);
  const socket: Server | null = listening.ok ? listening.value : null;
  return {
    observe: server.observe,
    finished: () => server.finished(),
    warn: (text) => server.warn(text),
    accept: (stream) => server.accept(stream),
    watchers: () => server.watchers,
    close: async () => {
      server.close();
      // Takes the file away, too.
      if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}
