/** The names of a run's branches. All of them lie in one space, so that nothing else is ever taken for ours. */

/** The first part of each name; a branch of just this name would be in the way of all. */
export const branchSpace = 'aider';

/** What the names of a run's branches begin with. */
export function runBranches(stamp: string): string {
  return `${branchSpace}/${stamp}/`;
}

export function agentBranch(stamp: string, agent: number): string {
  return `${runBranches(stamp)}agent${agent}`;
}

/** Where the work of an earlier round of an agent is kept. @param round from 0 */
export function roundBranch(branch: string, round: number): string {
  return `${branch}-round${round}`;
}

export function integrationBranch(stamp: string): string {
  return `${runBranches(stamp)}merged`;
}

/** The full name of a branch, which no tag or remote can have. */
export function refOf(branch: string): string {
  return `refs/heads/${branch}`;
}
