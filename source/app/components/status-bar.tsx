import { dollars } from '../../core/policy/budget.js';
import { type RunState, runTime } from '../../core/run/run.js';
import { landingParts, landingWords } from '../../core/run/summary.js';
import { clock, progressOf } from '../../view/agent-facts.js';
import { formatCost, formatTokens } from '../../view/numbers.js';
import type { Keymap } from '../keymap.js';
import { useEnvironment } from '../surface.js';
import { cut, displayWidth, fill } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { Line } from './line.js';

/** What the run is doing, in words. */
function phaseWords(state: RunState, now: number, keymap: Keymap): string {
  switch (state.phase) {
    case 'planning':
    case 'confirming':
      return 'starting';
    case 'testing':
      return 'testing the base';
    case 'red_base':
      return `waits for your decision (${keymap.label('run.redBase')})`;
    case 'running':
      if (state.interruptedBy) return 'stopping';
      if (state.circuitBreaker) return 'halted';
      // What is under way ends first.
      if (state.paused) return progressOf(state).working > 0 ? 'pausing' : 'PAUSED';
      return rateWords(state, now) ?? 'running';
    case 'integrating':
      return 'merging';
    case 'reviewing':
      return 'in review';
    case 'landing':
      return landingStep(state);
    case 'finished':
      return landingWords(state);
  }
}

/** What a landing is doing. */
export function landingStep({ onto, config }: RunState): string {
  if (onto === null || onto.step === null || onto.step === 'landing') return 'landing';
  const branch = config.branch ?? 'HEAD';
  return onto.step === 'merging' ? `merging onto ${branch}` : `testing on top of ${branch}`;
}

/** What it has cost, what it may, and while agents work what it will at their pace; the longest form first. */
function costForms(state: RunState, cost: number | null, forecast: number | null): string[] {
  const budget = state.budgetUsd === null ? '' : ` of ${dollars(state.budgetUsd)}`;
  const ahead = state.phase === 'running' && forecast !== null && cost !== null && forecast > cost;
  const plain = cost === null && budget === '' ? 'cost unknown' : `${formatCost(cost)}${budget}`;
  return ahead ? [`${plain} (about ${formatCost(forecast)} in all)`, plain] : [plain];
}

/** While the provider's limit is felt: how long all wait, or how many may go. */
function rateWords({ rate }: RunState, now: number): string | null {
  if (rate === null) return null;
  const wait = rate.until === null ? 0 : Math.ceil((rate.until - now) / 1000);
  return wait > 0 ? `rate limited, ${wait} s` : `rate limited, ${rate.window} at once`;
}

/** The whole run in a line. */
export function StatusBar(props: {
  readonly state: RunState;
  readonly now: number;
  readonly width: number;
}) {
  const { state, now, width } = props;
  const { theme, keymap } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const progress = progressOf(state);
  const { tokens, cost, forecast } = progress;
  const simulated = state.config.simulated ? ' SIMULATED' : '';
  const counts = [
    [glyphs.ok, progress.done, 'done'],
    [glyphs.stopped, progress.leftOut, 'left out'],
    [glyphs.working, progress.working, 'working'],
    [glyphs.paused, progress.paused, 'paused'],
    [glyphs.queued, progress.waiting, 'queued'],
    [glyphs.bad, progress.failed, 'failed'],
    [glyphs.stopped, progress.killed, 'killed'],
    [glyphs.queued, progress.notStarted, 'not started'],
  ] as const;
  const costs = costForms(state, cost, forecast);
  const least = costs.at(-1) ?? '';
  // What there is none of is not told; where there is little room, what matters less is left out.
  let told = counts.filter(([, count]) => count > 0);
  const words = () =>
    ` ${told.map(([glyph, count, word]) => `${glyph} ${count} ${word}`).join('  ')}`;
  for (const spare of ['not started', 'queued', 'done', 'paused', 'working', 'killed']) {
    if (displayWidth(words()) + displayWidth(least) + 3 <= width || told.length < 2) break;
    told = told.filter(([, , word]) => word !== spare);
  }
  const left = words();
  const slots = state.slots === 1 ? '1 at once' : `${state.slots} at once`;
  const long = phaseWords(state, now, keymap);
  // A reason is told whole or not at all: where there is no room for it, it stands on the summary.
  const short = state.phase === 'finished' ? landingParts(state).said : long;
  const room = Math.max(0, width - displayWidth(left) - 3);
  const join = (...facts: readonly string[]) => facts.join(` ${glyphs.dot} `);
  const fits = (text: string) => displayWidth(text) <= room;
  // The cost is always told, and what the run is doing wherever there is room for both.
  const phases = [...new Set([long, short])].map((one) => one + simulated);
  let right =
    phases.flatMap((phase) => costs.map((one) => join(phase, one))).find(fits) ??
    (state.phase === 'running' && long === 'running'
      ? least
      : (phases.find(fits) ?? (phases.at(-1) as string)));
  right = cut(right, room);
  for (const fact of [
    clock(runTime(state, now)),
    ...(tokens === 0 && cost === null ? [] : [`${formatTokens(tokens)} tok`]),
    ...(state.phase === 'running' ? [slots] : []),
  ]) {
    if (fits(join(right, fact))) right = join(right, fact);
  }
  const gap = Math.max(1, width - displayWidth(left) - displayWidth(right) - 1);
  return <Line inverse>{fill(`${left}${' '.repeat(gap)}${right}`, width)}</Line>;
}
