import type { ScreenOptions } from '../app/open.js';
import { isDone } from '../core/agent/agent.js';
import type { RunState } from '../core/run/run.js';
import { exitCode, summarise } from '../core/run/summary.js';
import { debugNote, isDebugged } from '../services/logs/debug-log.js';
import { environment, setVariable } from '../services/machine/environment.js';
import { parseQueue } from '../services/pty/parse-queue.js';
import { diedEarly, readRecords } from '../services/records/run-records.js';
import { summaryReport } from '../view/report.js';
import { glyphsFor } from '../view/table.js';
import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import { type LeftRunHere, resumeLater } from './find-left-run.js';
import type { LiveRun } from './live-run.js';
import type { ResumedParts } from './open-left-run.js';
import { type OpenedRun, openRun, readChange, readGeminiKey } from './open-run.js';
import type { RunOptions } from './options.js';
import { onSignals } from './signals.js';
import { askYesNo, reportFailure, type Stdio, warner } from './stdio.js';
import { geminiKey } from './wizard/session.js';
import { openWizard } from './wizard-port.js';

/** The screen: from the wizard to the summary. Gives the exit code. */
export async function runOnScreen(
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides = {},
  chosen: LeftRunHere | null = null,
): Promise<number> {
  // Loaded while git is asked.
  const loading = loadScreen();
  const opened = await openRun(args, stdio, overrides, true);
  if (!opened.ok) {
    reportFailure(stdio, opened.failure);
    return 2;
  }
  const change =
    chosen === null ? await firstChange(args, opened.value) : ({ ok: true, value: '' } as const);
  if (!change.ok) {
    reportFailure(stdio, change.failure);
    return 2;
  }
  // Given by flag or pipe: from here on it is looked for where all keys are.
  const key = args.flags.apiKey === undefined ? null : await readGeminiKey(args, stdio);
  if (key !== null) setVariable('GEMINI_API_KEY', key);
  const say = (text: string) => stdio.error(`${text}\n`);
  const goesOn = chosen ?? (await offered(args, opened.value, say));
  let resumed: ResumedParts | null = null;
  if (goesOn !== null) {
    const { openLeftRun } = await import('./open-left-run.js');
    const parts = await openLeftRun(goesOn, opened.value, geminiKey(), false, overrides, say);
    if (!parts.ok) {
      reportFailure(stdio, parts.failure);
      return 2;
    }
    resumed = parts.value;
  }

  let leave = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const session = await openWizard(args, opened.value, overrides, {
    change: change.value,
    warn: warner(stdio),
    resumed,
  });
  const makeScreen = await loading;
  const { host, show } = makeScreen(screenOptions(opened.value.options));
  const release = onSignals((signal) => {
    const run = session.live();
    if (run && run.state()?.phase !== 'finished') run.dispatch({ type: 'interrupt', signal });
    leave();
  });
  show(session.port, leave);
  await left;
  await host.close();
  await stopped(session.live(), stdio);
  await session.close();
  const caught = release();
  const state = session.live()?.state() ?? null;
  if (state) report(stdio, state, overrides.ownModels ? null : resumeLater(state, args.flags.repo));
  else notStarted(stdio, session.savedPrd());
  if (caught) return caught.code;
  return state ? exitCode(state) : 1;
}

/** A run that was cut off, where the person wants to go on with it; the books of all others are closed. */
async function offered(
  { flags }: Arguments,
  { repo }: OpenedRun,
  say: (text: string) => void,
): Promise<LeftRunHere | null> {
  const { runs, problems } = readRecords(repo);
  if (!runs.some(diedEarly) && problems.length === 0) return null;
  // Who says what is to be done has something else in mind.
  const isNew = [flags.change, flags.plan, flags.prd].some((given) => given !== undefined);
  if (!isNew) {
    const { findCutOffRun, leftWords } = await import('./find-left-run.js');
    const left = findCutOffRun(repo);
    if (left !== null) {
      say(leftWords(left, Date.now()));
      if (await askYesNo('Go on with it?', true)) return left;
    }
  }
  const { recoverRuns } = await import('./recover.js');
  await recoverRuns(repo, say);
  return null;
}

/** Whatever way the screen was left: no agent outlives it, and its work is kept. */
async function stopped(run: LiveRun | null, stdio: Stdio): Promise<void> {
  const state = run?.state();
  if (!run || !state || state.phase === 'finished') return;
  const working = state.agents.filter((agent) => !isDone(agent)).length;
  const whom = working === 0 ? '' : working === 1 ? ' 1 agent' : ` ${working} agents`;
  stdio.out(`Stopping${whom}. What has been done is kept on branches…\n`);
  const finished = new Promise<void>((resolve) => {
    const end = run.subscribe(() => {
      if (run.state()?.phase !== 'finished') return;
      end();
      resolve();
    });
  });
  if (state.interruptedBy === null) run.dispatch({ type: 'interrupt', signal: 'SIGTERM' });
  if (run.state()?.phase !== 'finished') await finished;
}

/** What the field of the first step begins with. */
function firstChange(args: Arguments, { given }: OpenedRun) {
  const says = args.flags.change !== undefined || given !== null;
  return says ? readChange(args, given) : Promise.resolve({ ok: true as const, value: '' });
}

/** @param later the command that goes on with it; null where there is none */
function report(stdio: Stdio, state: RunState, later: string | null): void {
  const lines = summaryReport(summarise(state), stdio.width, glyphsFor(environment()));
  stdio.out(`${lines.join('\n')}\n`);
  if (state.failure) reportFailure(stdio, state.failure);
  if (later !== null) stdio.out(`To go on with it: ${later}\n`);
}

function notStarted(stdio: Stdio, prd: string | null): void {
  stdio.out('Not started.\n');
  if (prd !== null) stdio.out(`The PRD is in ${prd}; --prd ${prd} takes it up again.\n`);
}

/** Loads React, Ink and the screens: only when there is a screen. */
async function loadScreen() {
  // React chooses its build when it is loaded. Agents and set-up commands must not get this variable.
  const variable = 'NODE_ENV';
  const before = environment()[variable];
  setVariable(variable, 'production');
  try {
    return (await import('../app/open.js')).makeScreen;
  } finally {
    setVariable(variable, before);
  }
}

function screenOptions({ mouse, notify, keys }: RunOptions): ScreenOptions {
  const { stdin, stdout } = process;
  const ascii = glyphsFor(environment()).line === '-';
  const hold = (ms: number) => parseQueue.hold(ms);
  const { COLORTERM, NO_COLOR } = environment();
  const trueColour = /^(truecolor|24bit)$/i.test(COLORTERM ?? '');
  const env = environment();
  const onFrame = (length: number, ms: number) => debugNote('frame', { length }, ms);
  return {
    stdin,
    stdout,
    mouse,
    notify,
    keys,
    ascii,
    trueColour,
    colour: !NO_COLOR,
    hold,
    env,
    ...(isDebugged() ? { onFrame } : {}),
  };
}
