import { chmodSync, existsSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Failure } from '../../core/policy/failure.js';
import { agentLogName } from '../../core/run/summary.js';
import { hasCode, isLink, makePrivateFolder, writePrivate } from '../files/private-files.js';

/**
 * Where a run's files are. An output file is one row here.
 * @param repo absolute path of the checkout
 */
export function logPaths(repo: string, stamp: string) {
  const logs = path.join(repo, '.aider_logs');
  const raw = path.join(logs, 'runs', stamp);
  return {
    logs,
    /** Everything of one run that is not an output: journal, Aider's own logs, patches. */
    raw,
    ignore: path.join(logs, '.gitignore'),
    summary: path.join(logs, `summary_${stamp}.json`),
    journal: path.join(raw, 'journal.jsonl'),
    /** What looks at worktrees write; it goes with the run. */
    objects: path.join(raw, 'objects'),
    repoMap: path.join(raw, 'repo-map.md'),
    prd: path.join(repo, 'docs', 'prd', `prd_${stamp}.md`),
    agentLog: (agent: number) => path.join(repo, agentLogName(stamp, agent)),
    cast: (agent: number) => path.join(logs, `agent${agent}_${stamp}.cast`),
    agentFolder: (agent: number) => path.join(raw, `agent${agent}`),
    analytics: (agent: number) => path.join(raw, `agent${agent}`, 'analytics.jsonl'),
    chatHistory: (agent: number) => path.join(raw, `agent${agent}`, 'chat.md'),
    replies: (agent: number, attempt: number) =>
      path.join(raw, `agent${agent}`, `replies${attempt}.txt`),
    scope: (agent: number) => path.join(raw, `agent${agent}`, 'scope.aiderignore'),
    /** Where an attempt began in the agent's own logs. */
    begun: (agent: number, attempt: number) =>
      path.join(raw, `agent${agent}`, `begun${attempt}.json`),
    message: (agent: number, attempt: number) =>
      path.join(raw, `agent${agent}`, `message${attempt}.txt`),
    besideIndex: (agent: number) => path.join(raw, `agent${agent}`, 'beside.index'),
    mixIndex: (agent: number) => path.join(raw, `agent${agent}`, 'mix.index'),
    attributes: (agent: number) => path.join(raw, `agent${agent}`, 'merge.gitattributes'),
    setup: (agent: number | null) => path.join(raw, ownerOf(agent), 'setup.log'),
    checkLog: (agent: number | null, run: number) =>
      path.join(raw, ownerOf(agent), `check${run}.log`),
    /** What was taken away from where it must not be. */
    refused: (agent: number) => path.join(raw, `agent${agent}`, 'refused'),
    patch: (agent: number, name: string) => path.join(raw, `agent${agent}`, `${name}.patch`),
  };
}

/** The folder of an agent, or that of what is done for the merged work. */
function ownerOf(agent: number | null): string {
  return agent === null ? 'merged' : `agent${agent}`;
}

export type LogPaths = ReturnType<typeof logPaths>;

/** Where we write in a checkout: a repository may ship a symbolic link in the place of each. */
const outputs = ['.aider_logs', '.aider_logs/.gitignore', '.aider_logs/runs', 'docs', 'docs/prd'];

/**
 * Why we cannot write our files into a checkout: a link in their place, which would lead our writing to
 * wherever whoever made it wants. Null when we can. A link of `docs` to another folder of the repository is fine.
 */
export function outputProblem(repo: string): Failure | null {
  for (const name of outputs) {
    const file = path.join(repo, name);
    if (!isLink(file)) continue;
    const within = path.relative(realpathSync(repo), realOf(file));
    const stays =
      !within.startsWith('..') && !path.isAbsolute(within) && !/(^|\/)\.git(\/|$)/i.test(within);
    if (name.startsWith('docs') && stays && within !== '') continue;
    return {
      kind: 'usage',
      message: `${file} is a symbolic link, and we write our files there.`,
      hint: 'Remove the link, or make a folder of it. If the repository brought it along, ask why.',
    };
  }
  return null;
}

/** Where a link leads; the link itself where that is nothing. */
function realOf(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ELOOP', 'ENOTDIR', 'EACCES')) return '/';
    throw error;
  }
}

/** Makes `.aider_logs`, which ignores itself in git, and which nobody else can read. Throws like `fs`. */
export function ensureLogs(repo: string): void {
  const { logs, ignore } = logPaths(repo, '');
  makePrivateFolder(path.join(logs, 'runs'));
  // One of an earlier version could be read by others.
  if ((statSync(logs).mode & 0o077) !== 0) chmodSync(logs, 0o700);
  if (!existsSync(ignore)) writePrivate(ignore, '*\n');
}
