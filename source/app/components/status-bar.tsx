import { dollars } from '../../core/budget.js';
import type { RunState } from '../../core/run.js';
import { landingWords } from '../../core/summary.js';
import { formatCost, formatTokens } from '../../headless/table.js';
import { clock, progressOf } from '../agent-facts.js';
import { useEnvironment } from '../surface.js';
import { cut, displayWidth, fill } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { Line } from './line.js';

/** What the run is doing, in words. */
function phaseWords(state: RunState, now: number): string {
  switch (state.phase) {
    case 'planning':
    case 'confirming':
      return 'starting';
    case 'checking':
      return 'testing the base';
    case 'red_base':
      return 'tests fail: b decides';
    case 'running':
      if (state.interruptedBy) return 'stopping';
      if (state.paused) return 'PAUSED';
      return rateWords(state, now) ?? 'running';
    case 'integrating':
      return 'merging';
    case 'reviewing':
      return 'in review';
    case 'landing':
      return 'landing';
    case 'finished':
      return landingWords(state);
  }
}

/** What it has cost, what it may, and while agents work what it will at their pace. */
function costWords(state: RunState, cost: number | null, forecast: number | null): string {
  const budget = state.budgetUsd === null ? '' : ` of ${dollars(state.budgetUsd)}`;
  const ahead = state.phase === 'running' && forecast !== null && cost !== null && forecast > cost;
  return `${formatCost(cost)}${budget}${ahead ? ` (about ${formatCost(forecast)} in the end)` : ''}`;
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
  const { theme } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const { done, running, waiting, failed, tokens, cost, forecast } = progressOf(state);
  const simulated = state.config.simulated ? ' SIMULATED' : '';
  const counts = [
    [glyphs.ok, done, 'done'],
    [glyphs.working, running, 'running'],
    [glyphs.queued, waiting, 'waiting'],
    [glyphs.bad, failed, 'failed'],
  ] as const;
  // Where there is little room, what there is none of is left out.
  const told = counts.filter(([, count]) => width >= 60 || count > 0);
  const left = ` ${told.map(([glyph, count, word]) => `${glyph} ${count} ${word}`).join('  ')}`;
  const facts = [
    phaseWords(state, now) + simulated,
    clock((state.endedAt ?? now) - state.startedAt),
    `${formatTokens(tokens)} tok`,
    costWords(state, cost, forecast),
    ...(state.phase === 'running' ? [state.slots === 1 ? '1 slot' : `${state.slots} slots`] : []),
  ];
  // What the run is doing is always told, if need be in part; the rest as far as there is room.
  let right = cut(facts[0] ?? '', Math.max(0, width - displayWidth(left) - 3));
  for (const fact of facts.slice(1)) {
    const longer = `${right} ${glyphs.dot} ${fact}`;
    if (displayWidth(left) + displayWidth(longer) + 3 > width) break;
    right = longer;
  }
  const gap = Math.max(1, width - displayWidth(left) - displayWidth(right) - 1);
  return <Line inverse>{fill(`${left}${' '.repeat(gap)}${right}`, width)}</Line>;
}
