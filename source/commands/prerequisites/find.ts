import type { Failure } from '../../core/policy/failure.js';
import type { Prerequisite } from '../../core/policy/prerequisite.js';
import { err, ok, type Result } from '../../core/result.js';
import type { AiderCommand } from '../aider-command.js';
import { commandOf } from '../aider-command.js';
import type { Asked } from './asked.js';
import { gitPrerequisite } from './git-version.js';
import * as machine from './limits.js';
import * as models from './models.js';
import * as programs from './programs.js';
import * as repository from './repository.js';

/** `doctor`, the first screen, and a run about to start. */
type Moment = 'doctor' | 'screen' | 'start';

interface Row {
  readonly at: readonly Moment[];
  readonly find: (asked: Asked) => readonly Prerequisite[] | Promise<readonly Prerequisite[]>;
}

const always: readonly Moment[] = ['doctor', 'screen', 'start'];
const before: readonly Moment[] = ['doctor', 'screen'];

/**
 * All prerequisites, in the order in which they are told. What is asked once before a run opens (git, the
 * repository, its settings) and what only warns is not asked again when it starts, nor is Gemini: it says itself.
 */
const rows: readonly Row[] = [
  { at: ['doctor'], find: programs.node },
  { at: ['doctor'], find: async () => [await gitPrerequisite()] },
  { at: before, find: repository.repository },
  { at: always, find: repository.identity },
  { at: before, find: repository.branch },
  { at: always, find: repository.branches },
  { at: before, find: repository.changes },
  { at: before, find: repository.signing },
  { at: before, find: repository.submodules },
  { at: ['doctor'], find: repository.settings },
  { at: always, find: programs.aider },
  { at: ['doctor'], find: programs.agents },
  { at: ['doctor'], find: programs.python },
  { at: always, find: models.model },
  { at: before, find: models.gemini },
  { at: ['start'], find: models.geminiKey },
  { at: always, find: models.review },
  { at: always, find: machine.folders },
  { at: always, find: machine.limits },
  { at: before, find: machine.disk },
  { at: ['doctor'], find: programs.terminal },
];

/** How it stands with all that a run needs. */
export async function findPrerequisites(asked: Asked, moment: Moment): Promise<Prerequisite[]> {
  const found: Prerequisite[] = [];
  for (const { at, find } of rows) if (at.includes(moment)) found.push(...(await find(asked)));
  return found;
}

/**
 * Looks for all that a run must have before it starts, and names all that is missing together.
 * @returns how Aider is started; null where it is not needed and not there
 */
export async function checkPrerequisites(
  asked: Asked,
): Promise<Result<AiderCommand | null, Failure>> {
  const found = await findPrerequisites(asked, 'start');
  const missing = found.filter(({ state }) => state === 'missing');
  if (missing.length > 0) return err({ kind: 'prerequisites', missing });
  const { overrides, options } = asked;
  if (overrides.aider) return ok(overrides.aider);
  // A dry run does not need it, but its map of the repository helps the planner.
  const wanted = programs.needsAider(asked) || (options.ok && options.value.agentCmd === null);
  const aider = wanted ? await asked.findAider() : null;
  return ok(aider?.ok ? commandOf(aider.value) : null);
}
