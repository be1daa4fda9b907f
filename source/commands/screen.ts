import type { ScreenOptions } from '../app/open.js';
import { isDone } from '../core/agent/agent.js';
import type { RunState } from '../core/run/run.js';
import { exitCode, summarise } from '../core/run/summary.js';
import { debugNote, isDebugged } from '../services/logs/debug-log.js';
import { environment, setVariable } from '../services/machine/environment.js';
import { parseQueue } from '../services/pty/parse-queue.js';
import { summaryReport } from '../view/report.js';
import { glyphsFor } from '../view/table.js';
import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import type { LeftRunHere } from './find-left-run.js';
import { tellDied } from './host/died.js';
import type { HeldRun } from './host/run-host.js';
import { offered, offeredLiving } from './offers.js';
import { type OpenedRun, openRun, readChange, readGeminiKey } from './open-run.js';
import type { RunOptions } from './options.js';
import { onSignals } from './signals.js';
import { reportFailure, type Stdio, warner } from './stdio.js';
import type { NextScreen } from './wizard/session.js';
import { finished } from './wizard/start.js';
import { openWizard, type WizardSession } from './wizard-port.js';

/** What came of a screen that was left. */
export interface Shown {
  readonly code: number;
  /** Where the person goes on; null where they have left the program. */
  readonly next: NextScreen | null;
}

/**
 * The screen: from the wizard to the summary.
 * @param chosen a run that is gone on with
 * @param isNext a person begins another change: no other run is offered
 */
export async function runOnScreen(
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides = {},
  chosen: LeftRunHere | null = null,
  isNext = false,
): Promise<Shown> {
  const failed: Shown = { code: 2, next: null };
  // Loaded while git is asked.
  const loading = loadScreen();
  const opened = await openRun(args, stdio, overrides, true);
  if (!opened.ok) {
    reportFailure(stdio, opened.failure);
    return failed;
  }
  const change =
    chosen === null ? await firstChange(args, opened.value) : ({ ok: true, value: '' } as const);
  if (!change.ok) {
    reportFailure(stdio, change.failure);
    return failed;
  }
  // Given by flag or pipe: from here on it is looked for where all keys are.
  const key = args.flags.apiKey === undefined ? null : await readGeminiKey(args, stdio);
  if (key !== null) setVariable('GEMINI_API_KEY', key);
  const say = (text: string) => stdio.error(`${text}\n`);
  const living = chosen === null && !isNext ? await offeredLiving(args, opened.value, say) : null;
  if (living !== null) return { code: 0, next: { run: living } };
  const left = chosen ?? (isNext ? null : await offered(args, opened.value, say));
  const session = await openWizard(args, opened.value, overrides, {
    change: change.value,
    warn: warner(stdio),
    say,
    left,
    held: null,
  });
  if (!session.ok) {
    reportFailure(stdio, session.failure);
    return failed;
  }
  return showSession(session.value, loading, opened.value.options, args, stdio, overrides);
}

/** Has the screen, until it is left. */
export async function showSession(
  session: WizardSession,
  loading: ReturnType<typeof loadScreen>,
  options: RunOptions,
  args: Arguments,
  stdio: Stdio,
  overrides: Overrides,
): Promise<Shown> {
  let leave = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const makeScreen = await loading;
  const onKey = () => session.held()?.used();
  const own = screenOptions(options);
  let isShown = false;
  const onFrame = (length: number, ms: number) => {
    own.onFrame?.(length, ms);
    // To start programs takes from the first frame, if they are started before it.
    if (!isShown) setImmediate(() => session.begin());
    isShown = true;
  };
  const { surface, show } = makeScreen({ ...own, onKey, onFrame });
  const release = onSignals((signal) => {
    const run = session.held()?.port;
    // One that can go on without us does; but for who asks for its end.
    if (run && run.leave !== null && signal !== 'SIGINT') run.leave();
    else if (run && run.state().phase !== 'finished') run.dispatch({ type: 'interrupt', signal });
    leave();
  });
  show(session.port, leave);
  session.onLost(leave);
  await left;
  await surface.close();
  const held = session.held();
  const goesOn = held?.isLeft() === true && held.port.state().phase !== 'finished';
  if (!goesOn) await stopped(held, stdio);
  const isLost = held?.isLost() === true && held.port.state().phase !== 'finished';
  await session.close();
  const caught = release();
  const state = held?.port.state() ?? null;
  if (state === null) notStarted(stdio, session.savedPrd());
  else if (goesOn) tellGoesOn(stdio, state);
  else {
    // It brings all that a journal is read with, for which the first frame need not wait.
    const { resumeLater } = await import('./find-left-run.js');
    const later = overrides.ownModels ? null : resumeLater(state, args.flags.repo);
    if (isLost) tellDied(stdio, state.config.stamp, later);
    else report(stdio, state, later);
  }
  if (caught) return { code: caught.code, next: null };
  const code = state === null || isLost ? 1 : goesOn ? 0 : exitCode(state);
  return { code, next: session.next() };
}

/** Whatever way the screen was left: no agent outlives it unasked, and its work is kept. */
async function stopped(held: HeldRun | null, stdio: Stdio): Promise<void> {
  const state = held?.port.state();
  if (!held || !state || state.phase === 'finished' || held.isLost()) return;
  const working = state.agents.filter((agent) => !isDone(agent)).length;
  const whom = working === 0 ? '' : working === 1 ? ' 1 agent' : ` ${working} agents`;
  stdio.out(`Stopping${whom}. What has been done is kept on branches…\n`);
  if (state.interruptedBy === null) held.port.dispatch({ type: 'interrupt', signal: 'SIGTERM' });
  await finished(held);
}

function tellGoesOn(stdio: Stdio, { config, agents }: RunState): void {
  const working = agents.filter((agent) => !isDone(agent)).length;
  const whom = working === 1 ? '1 agent is' : `${working} agents are`;
  stdio.out(`Run ${config.stamp} goes on without this terminal; ${whom} not done.\n`);
  stdio.out(`To see it again: aider-orchestrator attach ${config.stamp}\n`);
  stdio.out(`To stop it:      aider-orchestrator stop ${config.stamp}\n`);
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
export async function loadScreen() {
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
