import path from 'node:path';
import type { Failure } from '../core/policy/failure.js';
import { geminiKeyVariables } from '../core/policy/providers.js';
import { ok, type Result } from '../core/result.js';
import { printable, printableJson } from '../core/text/printable.js';
import { findAider } from '../services/agents/aider/find-aider.js';
import { readDotenv, takeDotenv } from '../services/config/dotenv-files.js';
import { nothingHanded } from '../services/config/repo-aider-files.js';
import { readRepoSettings, readUserSettings } from '../services/config/settings.js';
import { isTrusted, trustedSettings } from '../services/config/trust.js';
import { openRepository, type Repository } from '../services/git/repository.js';
import { environment, variable } from '../services/machine/environment.js';
import { glyphsFor } from '../view/table.js';
import type { Arguments } from './arguments.js';
import { resolveOptions } from './options.js';
import type { Asked } from './prerequisites/asked.js';
import { findPrerequisites } from './prerequisites/find.js';
import type { Stdio } from './stdio.js';

/** `doctor`: every prerequisite a line, with the way to mend it. Exit 1 when one is missing. */
export async function doctorCommand(args: Arguments, stdio: Stdio): Promise<number> {
  const { flags } = args;
  const repository = await openRepository(path.resolve(flags.repo ?? '.'));
  const root = repository.ok ? repository.value.root : null;
  // Nobody is asked here, so only what is trusted already is taken.
  takeDotenv(readDotenv(process.cwd(), root), isTrusted);
  const read = readOptions(args, repository);
  const { options } = read;
  const aider = findAider(options.ok ? options.value.aider : null);
  const checks = await findPrerequisites(
    {
      repository,
      ...read,
      planner: flags.prd === undefined && flags.plan === undefined && !flags.withoutPrd,
      agents: true,
      isFinal: false,
      geminiKey:
        geminiKeyVariables.map((name) => variable(name)).find((key) => key !== null) ?? null,
      handed: nothingHanded,
      overrides: {},
      findAider: () => aider,
    },
    'doctor',
  );
  const bad = checks.some((check) => check.state === 'missing');
  if (flags.json) {
    stdio.out(`${printableJson({ ok: !bad, checks }, 2)}\n`);
    return bad ? 1 : 0;
  }
  const glyphs = glyphsFor(environment());
  const marks = {
    ok: `${glyphs.ok} ok     `,
    missing: `${glyphs.bad} missing`,
    warning: '! warning',
  };
  for (const { name, state, text, mend } of checks) {
    stdio.out(`${marks[state].padEnd(10)} ${name.padEnd(12)} ${printable(text)}\n`);
    for (const line of mend.split('\n').filter(Boolean)) stdio.out(`${' '.repeat(24)}${line}\n`);
  }
  stdio.out(bad ? '\nSomething is missing: see above.\n' : '\nEverything a run needs is here.\n');
  return bad ? 1 : 0;
}

/** The options of a run here, of which the repository decides what it is trusted with already. */
function readOptions(
  args: Arguments,
  repository: Result<Repository, Failure>,
): Pick<Asked, 'options' | 'wrongSettings'> {
  const user = readUserSettings();
  const file = repository.ok ? readRepoSettings(repository.value.root) : ok(null);
  const options = resolveOptions(
    {
      flags: args.flags,
      env: environment(),
      repo: file.ok && file.value ? trustedSettings(file.value) : {},
      user: (user.ok && user.value?.settings) || {},
    },
    [],
  );
  return {
    options,
    wrongSettings: [user, file].flatMap((read) => (read.ok ? [] : [read.failure])),
  };
}
