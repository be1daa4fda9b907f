import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunPort } from '../../app/ports.js';
import { committedWork } from '../../core/agent/agent.js';
import { ok } from '../../core/result.js';
import type { RunState } from '../../core/run/run.js';
import { unlessLater, unreadable } from '../../services/files/private-files.js';
import type { LogPaths } from '../../services/logs/log-paths.js';
import type { LiveRun } from '../live-run.js';

/** A run of this process as a screen sees it. */
export function runPort(live: LiveRun, paths: LogPaths): RunPort {
  const { terminals, workspace } = live;
  const state = () => live.state() as RunState;
  return {
    state,
    subscribe: (listener) => live.subscribe(listener),
    dispatch: (message) => live.dispatch(message),
    terminals: {
      emulator: (agent) => terminals.emulator(agent),
      onOpen: (listener) => terminals.onOpen(listener),
      resize: (agent, size) => terminals.resize(agent, size),
      type: (agent, data) => terminals.type(agent, data),
    },
    diff: async (index) => {
      const agent = state().agents[index];
      if (!agent) return ok('');
      if ('checkout' in agent.state) return workspace.diff(index, agent.state.checkout);
      const commit = committedWork(agent)?.commit;
      return commit ? workspace.committedDiff(commit) : ok('');
    },
    lastMessage: async (index) => {
      const attempt = state().agents[index]?.attempts.length ?? 0;
      if (attempt === 0) return '';
      return unlessLater(unreadable, '', readFile(paths.message(index, attempt), 'utf8'));
    },
    leave: null,
    prd: async () => {
      const { prdPath, config } = state();
      if (prdPath === null) return null;
      return unlessLater(unreadable, null, readFile(path.resolve(config.repo, prdPath), 'utf8'));
    },
    events: async (index) => {
      // It is being written: its end may be half a letter.
      const log = await unlessLater(unreadable, '', readFile(paths.agentLog(index), 'utf8'));
      return log === '' ? [] : log.trimEnd().split('\n');
    },
  };
}
