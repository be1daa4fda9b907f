import path from 'node:path';
import { agentLogName } from '../../core/summary.js';

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
    run: path.join(raw, 'run.json'),
    journal: path.join(raw, 'journal.jsonl'),
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
    message: (agent: number, attempt: number) =>
      path.join(raw, `agent${agent}`, `message${attempt}.txt`),
    peekIndex: (agent: number) => path.join(raw, `agent${agent}`, 'peek.index'),
    mixIndex: (agent: number) => path.join(raw, `agent${agent}`, 'mix.index'),
    attributes: (agent: number) => path.join(raw, `agent${agent}`, 'merge.gitattributes'),
    setup: (agent: number | null) => path.join(raw, ownerOf(agent), 'setup.log'),
    checkLog: (agent: number | null, run: number) =>
      path.join(raw, ownerOf(agent), `check${run}.log`),
    setAside: (agent: number) => path.join(raw, `agent${agent}`, 'set-aside.json'),
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
