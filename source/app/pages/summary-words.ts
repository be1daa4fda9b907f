import { dollars } from '../../core/policy/budget.js';
import { type Request, refusalOf } from '../../core/run/refusals.js';
import { type RunState, runTime } from '../../core/run/run.js';
import { landingWords } from '../../core/run/summary.js';
import { mends } from '../../core/text/words.js';
import { capital, progressOf } from '../../view/agent-facts.js';
import type { AppGlyphs } from '../../view/look.js';
import { formatCost, formatDuration, formatTokens } from '../../view/numbers.js';
import { landingStep } from '../components/status-bar.js';
import type { ActionName, Keymap } from '../keymap.js';
import { curesOf, cureWords } from './banner.js';

/** A line of the head of the summary, and whether it tells of something good. */
export interface Head {
  readonly text: string;
  readonly isGood: boolean | null;
}

/** What came of it, what can be done about it, and what it took: all that one has to know first. */
export function headLines(
  state: RunState,
  glyphs: AppGlyphs,
  now: number,
  keymap: Keymap,
): { outcome: Head; advice: Head[]; totals: Head } {
  const { done, leftOut, failed, killed, notStarted, tokens, cost } = progressOf(state);
  const parts = [
    `${state.agents.length} ${state.agents.length === 1 ? 'agent' : 'agents'}: ${done} succeeded`,
    ...(leftOut > 0 ? [`${leftOut} left out`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(killed > 0 ? [`${killed} killed`] : []),
    ...(notStarted > 0 ? [`${notStarted} not started`] : []),
  ].join(', ');
  const budget = state.budgetUsd === null ? '' : ` of ${dollars(state.budgetUsd)}`;
  const totals = [
    parts,
    formatDuration(runTime(state, now) / 1000),
    ...(tokens === 0 && cost === null
      ? ['tokens and cost unknown']
      : [`${formatTokens(tokens)} tokens`, `${formatCost(cost)}${budget}`]),
  ].join(`  ${glyphs.dot}  `);
  const landed = state.landing?.state === 'landed';
  const fine = (landed || state.landing?.state === 'not_asked') && !failsTests(state);
  const outcome =
    state.phase === 'finished'
      ? `${fine ? glyphs.ok : glyphs.stopped} ${capital(landingWords(state))}.`
      : `The run goes on: ${state.phase === 'landing' && state.onto ? landingStep(state) : phaseWords[state.phase]}.`;
  const advice = adviceOf(state, keymap);
  return {
    outcome: { text: outcome, isGood: state.phase === 'finished' ? fine : null },
    advice: advice === '' ? [] : [{ text: advice, isGood: null }],
    totals: { text: totals, isGood: null },
  };
}

/** Whether tests fail on the merged work, whatever they did before. */
export function failsTests({ integration }: RunState): boolean {
  const check = integration?.testRun ?? null;
  return check !== null && check.state !== 'passed';
}

const phaseWords: Readonly<Record<RunState['phase'], string>> = {
  planning: 'the plan is being made',
  confirming: 'it is about to start',
  testing: 'the tests run on the base',
  red_base: 'the tests fail on the base',
  running: 'agents work',
  integrating: 'the work is being merged and tested',
  reviewing: 'the merged work is being reviewed',
  landing: 'the work is landing, or being taken back',
  finished: '',
};

/** What to press next, and what has to be mended before. */
function adviceOf(state: RunState, keymap: Keymap): string {
  if (state.phase !== 'finished') return '';
  const reasons = [
    ...new Set(
      state.agents.flatMap(({ state: now }) => (now.name === 'failed' ? [now.reason] : [])),
    ),
  ];
  const mend = reasons.map((reason) => mends[reason]).filter((one) => one !== undefined);
  const can = (request: Request) => refusalOf(state, request) === null;
  const waits = state.landing?.state === 'waits';
  const key = (name: ActionName) => keymap.label(name);
  const cures = curesOf(reasons, 'summary');
  const keys = [
    ...(waits ? [`${key('summary.pager')} shows the merged diff`] : []),
    ...(can({ type: 'land_now' }) ? [landWords(state, keymap)] : []),
    ...(waits ? [`${key('summary.leaveOut')} leaves an agent's work out`] : []),
    ...(cures.length > 0 ? [cureWords(cures, keymap)] : []),
    ...(can({ type: 'restart_failed' })
      ? [`${key('summary.restart')} restarts the agents that did not succeed`]
      : []),
    ...(can({ type: 'undo_landing' }) ? [`${key('summary.undo')} takes the landing back`] : []),
  ];
  const how = keys.length === 0 ? '' : `${keys.join(', ')}.`;
  return [...mend, how].filter(Boolean).join(' ');
}

function landWords({ landing, config }: RunState, keymap: Keymap): string {
  const moved = landing?.state === 'refused' && landing.tip !== undefined;
  const key = keymap.label('summary.land');
  return moved
    ? `${key} merges the work onto ${config.branch ?? 'HEAD'} as it is now, tests it there, and lands it`
    : `${key} lands the merged work`;
}
