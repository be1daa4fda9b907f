import type { Agent } from '../core/agent/agent.js';
import { currentAttempt } from '../core/agent/agent.js';
import { unreachable } from '../core/result.js';
import type { RunState } from '../core/run/run.js';
import { isUnstarted } from '../core/text/words.js';

/** Of the sixteen that a terminal has itself. */
export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'magenta' | 'blue';

const unicodeGlyphs = {
  ok: '✓',
  bad: '✗',
  stopped: '■',
  queued: '○',
  working: '●',
  asks: '?',
  paused: '‖',
  changing: '◌',
  person: '◆',
  clash: '⚠',
  arrow: '▸',
  line: '─',
  bar: '│',
  topLeft: '╭',
  topRight: '╮',
  bottomLeft: '╰',
  bottomRight: '╯',
  more: '…',
  dot: '·',
} as const;

export type GlyphName = keyof typeof unicodeGlyphs;

const asciiGlyphs: Record<GlyphName, string> = {
  ok: '+',
  bad: 'x',
  stopped: '#',
  queued: 'o',
  working: '*',
  asks: '?',
  paused: '=',
  changing: '~',
  person: '@',
  clash: '!',
  arrow: '>',
  line: '-',
  bar: '|',
  topLeft: '+',
  topRight: '+',
  bottomLeft: '+',
  bottomRight: '+',
  more: '.',
  dot: '.',
};

export type AppGlyphs = Readonly<Record<GlyphName, string>>;

/** The signs beside words, for a terminal that shows Unicode or one that does not. */
export function glyphsIn(unicode: boolean): AppGlyphs {
  return unicode ? unicodeGlyphs : asciiGlyphs;
}

export interface StateLook {
  readonly glyph: GlyphName;
  readonly word: string;
  readonly colour: Colour | null;
}

/** Whether an agent's work is good by itself, and is not in what is merged: a person or a conflict keeps it out. */
export function isLeftOut({ excluded, integration }: RunState, { index, state }: Agent): boolean {
  if (state.name !== 'succeeded') return false;
  const out = integration?.leftOut.some(({ agent }) => agent === index) ?? false;
  return excluded.includes(index) || out;
}

/** An agent's state as a glyph, a word and a colour; each tells it alone. */
export function lookOf(run: RunState, agent: Agent): StateLook {
  const { state } = agent;
  switch (state.name) {
    case 'queued':
      return { glyph: 'queued', word: agent.round > 0 ? 'queued again' : 'queued', colour: null };
    case 'preparing':
      return { glyph: 'changing', word: 'preparing', colour: null };
    case 'running':
      return currentAttempt(agent)?.interactive
        ? { glyph: 'person', word: 'taken over', colour: 'magenta' }
        : { glyph: 'working', word: 'working', colour: 'cyan' };
    case 'asking':
      return { glyph: 'asks', word: 'asks', colour: 'yellow' };
    case 'stopping':
      return { glyph: 'changing', word: 'stopping', colour: 'yellow' };
    case 'judging':
      return { glyph: 'changing', word: 'checking', colour: 'cyan' };
    case 'testing':
      return { glyph: 'changing', word: 'testing', colour: 'cyan' };
    case 'waiting':
      return { glyph: 'paused', word: 'paused', colour: 'yellow' };
    case 'reviewing':
      return { glyph: 'changing', word: 'in review', colour: 'cyan' };
    case 'committing':
      return { glyph: 'changing', word: 'saving', colour: 'cyan' };
    case 'succeeded':
      return isLeftOut(run, agent)
        ? { glyph: 'stopped', word: 'left out', colour: 'yellow' }
        : { glyph: 'ok', word: 'succeeded', colour: 'green' };
    case 'failed':
      return isUnstarted(state.reason)
        ? { glyph: 'queued', word: 'not started', colour: null }
        : { glyph: 'bad', word: 'failed', colour: 'red' };
    case 'killed':
      return { glyph: 'stopped', word: 'killed', colour: 'red' };
    default:
      return unreachable(state);
  }
}
