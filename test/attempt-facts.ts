import type { AttemptExit } from '../source/core/agent/evidence.js';
import type { Inspection } from '../source/core/run/run.js';

/** How an attempt ends of which nothing is to be said. */
export const cleanExit: AttemptExit = {
  code: 0,
  signal: null,
  orderly: true,
  symptoms: [],
  edited: [],
  named: [],
  edits: true,
  flaw: null,
  cause: null,
};

/** What is seen of one that has changed nothing. */
export const unchanged: Inspection = {
  diff: { files: [] },
  changed: false,
  substantial: true,
  refused: [],
  tree: 't',
  named: [],
  unresolved: [],
  failure: null,
};
