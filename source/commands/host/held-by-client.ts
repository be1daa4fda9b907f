import type { RunPort } from '../../app/ports.js';
import type { RunState } from '../../core/run/run.js';
import type { RunClient } from '../../services/host/run-client.js';
import type { HeldRun } from './run-host.js';

/**
 * Resolves when the client has a state, or there will be none.
 * @param mostMs it is waited for no longer
 */
export function firstState(client: RunClient, mostMs?: number): Promise<void> {
  if (client.state() !== null || !client.isOpen) return Promise.resolve();
  return new Promise((resolve) => {
    if (mostMs !== undefined) setTimeout(resolve, mostMs).unref();
    const end = client.subscribe(() => {
      if (client.state() === null) return;
      end();
      resolve();
    });
    void client.ended.then(() => resolve());
  });
}

/** A run as a screen sees it through a connection. */
function clientPort(client: RunClient, leave: () => void): RunPort {
  return {
    state: () => client.state() as RunState,
    subscribe: (listener) => client.subscribe(listener),
    dispatch: (message) => client.dispatch(message),
    terminals: client.terminals,
    diff: (agent) => client.diff(agent),
    events: (agent) => client.events(agent),
    lastMessage: (agent) => client.lastMessage(agent),
    prd: () => client.prd(),
    leave,
  };
}

/** A run of another process, as a screen holds it. */
export function heldByClient(client: RunClient, close: () => Promise<void>): HeldRun {
  let left = false;
  return {
    port: clientPort(client, () => {
      left = true;
    }),
    lost: client.ended,
    isLeft: () => left,
    isLost: () => !client.isOpen,
    hasKey: (variable) => client.keys.includes(variable),
    setKey: (variable, key) => client.setKey(variable, key),
    used: () => client.used(),
    close,
  };
}

/** Resolves when a run has come to an end, with its exit code; null where its process died before. */
export function untilFinished(client: RunClient): Promise<number | null> {
  return new Promise((resolve) => {
    const look = () => {
      if (client.finishedWith !== null) resolve(client.finishedWith);
    };
    look();
    client.subscribe(look);
    void client.ended.then(() => resolve(client.finishedWith));
  });
}
