import { missing, type Prerequisite, present } from '../../core/policy/prerequisite.js';
import { askProgram } from '../../services/machine/programs.js';

/** Whether git is there and can merge without a checkout (`merge-tree --write-tree`, 2.38). */
export async function gitPrerequisite(): Promise<Prerequisite> {
  const answer = await askProgram('git', ['--version'], 20_000);
  const version = /(\d+)\.(\d+)\S*/.exec(answer?.stdout ?? '');
  const mend = 'Install git 2.38 or newer: https://git-scm.com';
  if (!version) return missing('git', 'not found', mend);
  const [major, minor] = [Number(version[1]), Number(version[2])];
  const fine = major > 2 || (major === 2 && minor >= 38);
  return fine ? present('git', version[0]) : missing('git', `${version[0]} is too old`, mend);
}
