import { askProgram } from '../services/machine/programs.js';

export interface GitVersion {
  readonly text: string;
  /** Whether it can merge without a checkout (`merge-tree --write-tree`, 2.38). */
  readonly fine: boolean;
}

export const gitMust = {
  what: 'git 2.38 or newer',
  mend: 'git: install 2.38 or newer: https://git-scm.com',
};

/** The version of git; null when there is none. */
export async function gitVersion(): Promise<GitVersion | null> {
  const answer = await askProgram('git', ['--version'], 20_000);
  const version = /(\d+)\.(\d+)\S*/.exec(answer?.stdout ?? '');
  if (!version) return null;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return { text: version[0], fine: major > 2 || (major === 2 && minor >= 38) };
}
