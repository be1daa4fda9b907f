import path from 'node:path';
import type { RunConfig } from '../source/core/run/config.js';
import type { WorkspaceOptions, WorktreeRecord } from '../source/services/git/checkout-site.js';
import { GitWorkspace } from '../source/services/git/workspace.js';
import { logPaths } from '../source/services/logs/log-paths.js';

/** What a run is asked for, where a test does not care. */
export const testConfig: RunConfig = {
  stamp: '20260102_030405',
  change: 'Do it',
  repo: '/repo',
  base: 'b'.repeat(40),
  branch: 'main',
  agent: {
    kind: 'aider',
    name: 'Aider',
    command: null,
    takesOver: true,
    tellsCost: true,
    args: [],
    read: [],
    warm: true,
  },
  model: 'gpt-4o',
  provider: 'openai',
  geminiModel: 'g',
  maxAgents: 2,
  maxIterations: 3,
  timeoutMs: 60_000,
  land: 'all',
  files: [],
  planSource: { kind: 'none' },
  testCommand: null,
  redBase: 'stop',
  setup: null,
  copy: [],
  protect: [],
  maxFileBytes: null,
  direct: false,
  budgetUsd: null,
  review: null,
  unattended: true,
  simulated: false,
};

/** For worktrees that no later start has to know. */
export const noRecord: WorktreeRecord = {
  making: () => {},
  ready: () => {},
  landed: () => {},
};

/** The agents' work in git of a run that is nothing else. */
export function openTestWorkspace(
  config: RunConfig,
  worktrees: string,
  more: Partial<WorkspaceOptions> = {},
): GitWorkspace {
  return new GitWorkspace({
    config,
    worktrees,
    paths: logPaths(config.repo, config.stamp),
    commonDir: path.join(config.repo, '.git'),
    setup: null,
    tests: null,
    landLater: '',
    coAuthor: () => null,
    record: noRecord,
    neighbours: { inTurn: (land) => land(), landedBetween: () => [] },
    ...more,
  });
}
