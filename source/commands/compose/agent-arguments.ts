import { isDeepStrictEqual } from 'node:util';
import type { Failure } from '../../core/policy/failure.js';
import { err, ok, type Result } from '../../core/result.js';
import type { AgentArgument } from '../../core/run/config.js';
import { withoutSecrets } from '../../services/agents/agent-kinds.js';
import { handedArguments } from '../../services/agents/aider/handed-files.js';
import type { OpenedRun } from '../open-run.js';

/**
 * The arguments for Aider, with those that hand it what is taken of the repository's configuration: as files of our
 * own, named by their content, so that a later start has the very same.
 */
export function argumentsOf({ handed, options }: Pick<OpenedRun, 'handed' | 'options'>): string[] {
  return [...handedArguments(handed), ...options.aiderArgs];
}

/**
 * The arguments of a run's agents as they were. What was written down of one that holds a secret is the name of its
 * option: its value is taken from what is given now, in the order in which it is.
 * @param kept as the run's configuration has them
 * @param given by settings and command line now
 */
export function givenAgain(
  kept: readonly AgentArgument[],
  given: readonly string[],
): Result<string[], Failure> {
  const bare = withoutSecrets(given);
  if (isDeepStrictEqual(bare, kept)) return ok([...given]);
  const found: string[] = [];
  const used = new Set<number>();
  for (const argument of kept) {
    if (typeof argument === 'string') {
      found.push(argument);
      continue;
    }
    const at = bare.findIndex(
      (one, index) => !used.has(index) && typeof one !== 'string' && one.secret === argument.secret,
    );
    const value = given[at];
    if (value === undefined) {
      const option = argument.secret || 'an argument';
      return err({
        kind: 'usage',
        message: `The run's agents were given ${option} with a secret, which is not written down.`,
        hint: `Give it again, after --: aider-orchestrator resume -- ${argument.secret} …`,
      });
    }
    used.add(at);
    found.push(value);
  }
  return ok(found);
}
