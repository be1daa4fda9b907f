import type { Failure } from '../core/policy/failure.js';
import { ok, type Result } from '../core/result.js';
import type { RunState } from '../core/run/run.js';
import { nothingHanded } from '../services/config/repo-aider-files.js';
import { readUserSettings } from '../services/config/settings.js';
import { openRepository, type Repository } from '../services/git/repository.js';
import { environment } from '../services/machine/environment.js';
import type { KnownRun } from '../services/records/run-records.js';
import type { Arguments } from './arguments.js';
import { firstState, heldByClient } from './host/held-by-client.js';
import { reachRun } from './host/reach-run.js';
import type { OpenedRun } from './open-run.js';
import { resolveOptions } from './options.js';
import { loadScreen, type Shown, showSession } from './screen.js';
import { reportFailure, type Stdio, warner } from './stdio.js';
import { openWizard } from './wizard-port.js';

/** Shows a run of another process, until the person leaves it. */
export async function attachOnScreen(run: KnownRun, args: Arguments, stdio: Stdio): Promise<Shown> {
  const fail = (failure: Failure): Shown => {
    reportFailure(stdio, failure);
    return { code: 2, next: null };
  };
  // While the run is asked.
  const loading = loadScreen();
  const [client, repo] = await Promise.all([
    reachRun(run, { wants: 'screen', onWarning: warner(stdio) }),
    openRepository(run.root),
  ]);
  if (!client.ok) return fail(client.failure);
  await firstState(client.value);
  const state = client.value.state();
  if (state === null) {
    return fail({ kind: 'usage', message: `The run ${run.stamp} has just ended.` });
  }
  const opened = repo.ok ? openedOf(state, repo.value) : repo;
  if (!opened.ok) return fail(opened.failure);
  const held = heldByClient(client.value, () => client.value.leave());
  const more = { change: '', warn: warner(stdio), say: () => {}, left: null, held };
  const session = await openWizard(args, opened.value, {}, more);
  if (!session.ok) return fail(session.failure);
  return showSession(session.value, loading, opened.value.options, args, stdio, {});
}

/** What a screen is opened with for a run that goes: by the run itself, and the user's settings of the screen. */
function openedOf(state: RunState, repo: Repository): Result<OpenedRun, Failure> {
  const user = readUserSettings();
  if (!user.ok) return user;
  const { mouse, notify, keys } = user.value?.settings ?? {};
  const screen = {
    ...(mouse !== undefined && { mouse }),
    ...(notify && { notify }),
    ...(keys && { keys }),
  };
  const options = resolveOptions({ flags: {}, env: environment(), repo: {}, user: screen }, []);
  if (!options.ok) return options;
  const { files, planSource } = state.config;
  return ok({
    repo,
    options: {
      ...options.value,
      agentCmd: state.config.agent.command,
      review: state.config.review,
    },
    handed: nothingHanded,
    focus: files,
    source: planSource,
    given: null,
  });
}
