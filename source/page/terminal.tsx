import { SearchAddon } from '@xterm/addon-search';
import { WebglAddon } from '@xterm/addon-webgl';
import { type ITheme, Terminal } from '@xterm/xterm';
import { useEffect, useRef, useState } from 'react';
import { oneByOne } from './one-by-one.js';
import type { RunStore } from './run-store.js';

const themes: Record<'light' | 'dark', ITheme> = {
  dark: {
    background: '#14171c',
    foreground: '#dfe4ea',
    cursor: '#8ab4f8',
    selectionBackground: '#34507a',
  },
  light: {
    background: '#fbfbfa',
    foreground: '#24292f',
    cursor: '#0b57d0',
    selectionBackground: '#bcd4fb',
    yellow: '#7a5c00',
    brightYellow: '#8a6800',
    green: '#1a6b2f',
    brightGreen: '#1f7a37',
    cyan: '#0b6b78',
    brightCyan: '#0e7886',
    white: '#5b636b',
    brightWhite: '#3a4149',
    brightBlack: '#646c74',
  },
};

/** By the system's choice of light or dark. */
export function terminalTheme(): ITheme {
  return themes[darkly().matches ? 'dark' : 'light'];
}

/** Rows above its screen that a large terminal holds. */
const scrollback = 5000;

const darkly = () => matchMedia('(prefers-color-scheme: dark)');

/** A terminal's questions are answered by the one of the run's own program alone. */
function leaveQuestions({ parser }: Terminal): void {
  const taken = () => true;
  for (const prefix of ['', '>', '=']) {
    parser.registerCsiHandler(prefix === '' ? { final: 'c' } : { prefix, final: 'c' }, taken);
  }
  parser.registerCsiHandler({ final: 'n' }, taken);
  parser.registerCsiHandler({ prefix: '?', final: 'n' }, taken);
  parser.registerCsiHandler({ intermediates: '$', final: 'p' }, taken);
  parser.registerCsiHandler({ prefix: '?', intermediates: '$', final: 'p' }, taken);
  parser.registerCsiHandler({ final: 't' }, taken);
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, taken);
  for (const colour of [4, 10, 11, 12]) {
    parser.registerOscHandler(colour, (data) => data.includes('?'));
  }
  // No set of signs but the plain one, as in the run's own program.
  for (const intermediates of ['(', ')', '*', '+']) {
    parser.registerEscHandler({ intermediates, final: '0' }, taken);
  }
}

export interface TerminalProps {
  readonly store: RunStore;
  readonly agent: number;
  /** A person can type into it, select and scroll; else it is a picture, as small as there is room. */
  readonly isLarge: boolean;
  readonly label: string;
  /** What is searched in it. */
  readonly search?: string;
}

/** An agent's terminal, live. */
export function AgentTerminal({ store, agent, isLarge, label, search = '' }: TerminalProps) {
  const box = useRef<HTMLElement>(null);
  const own = useRef<LiveTerminal | null>(null);
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    const place = box.current;
    if (!place) return;
    const takeBack = oneByOne(() => {
      own.current = new LiveTerminal(place, { store, agent, isLarge }, () => setReady(true));
    });
    return () => {
      takeBack();
      own.current?.close();
      own.current = null;
    };
  }, [store, agent, isLarge]);
  useEffect(() => own.current?.find(search), [search]);
  return (
    <section
      ref={box}
      className={isLarge ? 'agent-terminal large' : 'agent-terminal'}
      aria-label={label}
      data-ready={isReady}
    />
  );
}

/** After the frame in which it is drawn: how long that takes says how often there may be another. */
function whenDrawn(work: () => void): void {
  requestAnimationFrame(() => setTimeout(work));
}

/** A terminal of xterm.js that follows an agent's. */
class LiveTerminal {
  private readonly terminal: Terminal;
  private readonly inner = document.createElement('div');
  private readonly searching = new SearchAddon();
  private readonly scheme = darkly();
  private readonly room: ResizeObserver;
  private readonly end: () => void;

  constructor(
    private readonly place: HTMLElement,
    private readonly of: {
      readonly store: RunStore;
      readonly agent: number;
      readonly isLarge: boolean;
    },
    private readonly onReady: () => void,
  ) {
    const { store, agent, isLarge } = of;
    this.terminal = makeTerminal(place, this.inner, isLarge);
    this.terminal.loadAddon(this.searching);
    this.terminal.onData((text) => store.type(agent, text));
    // A small one is not scrolled.
    this.end = store.show(agent, isLarge ? scrollback : 0, {
      screen: (output, cols, rows) => this.show(output, cols, rows),
      bytes: (bytes) =>
        this.terminal.write(bytes, () => {
          scaleInto(place, this.inner, this.terminal, isLarge);
          whenDrawn(() => store.taken(agent, bytes.length));
        }),
    });
    this.room = new ResizeObserver(() => this.settle());
    this.room.observe(place);
    this.scheme.addEventListener('change', this.recolour);
    if (!isLarge) return;
    drawQuickly(this.terminal);
    this.terminal.attachCustomKeyEventHandler((event) => !this.leave(event) && !this.copies(event));
  }

  find(text: string): void {
    if (text === '') this.searching.clearDecorations();
    else this.searching.findPrevious(text);
  }

  close(): void {
    this.end();
    this.room.disconnect();
    this.scheme.removeEventListener('change', this.recolour);
    this.terminal.dispose();
    this.inner.remove();
  }

  /** What is selected is copied by the browser's own keys; without a selection they are the agent's. */
  private copies({ ctrlKey, metaKey, key }: KeyboardEvent): boolean {
    return (ctrlKey || metaKey) && key === 'c' && this.terminal.hasSelection();
  }

  /** The key that stops typing on the screen does it here; all others go to the agent. */
  private leave({ type, ctrlKey, key }: KeyboardEvent): boolean {
    if (type !== 'keydown' || !ctrlKey || key !== ']') return false;
    this.place.closest('.panel')?.querySelector('button')?.focus();
    return true;
  }

  private readonly recolour = () => {
    this.terminal.options.theme = terminalTheme();
  };

  private show(output: string, cols: number, rows: number): void {
    const { terminal } = this;
    const { store, agent } = this.of;
    if (terminal.cols !== cols || terminal.rows !== rows) terminal.resize(cols, rows);
    const { length } = new TextEncoder().encode(output);
    // One that is reset shows it in one piece.
    terminal.write(`\x1bc${output}`, () => {
      scaleInto(this.place, this.inner, terminal, this.of.isLarge);
      this.onReady();
      whenDrawn(() => store.taken(agent, length));
    });
  }

  private settle(): void {
    const { store, agent, isLarge } = this.of;
    scaleInto(this.place, this.inner, this.terminal, isLarge);
    if (isLarge && store.get().acts) askForRoom(this.place, this.terminal, store, agent);
  }
}

/** A terminal in a place of the page. */
export function makeTerminal(
  place: HTMLElement,
  inner: HTMLElement,
  isLarge: boolean,
  size: { readonly cols?: number; readonly rows?: number; readonly isRecorded?: boolean } = {},
): Terminal {
  const { cols = 80, rows = 24, isRecorded = false } = size;
  const terminal = new Terminal({
    cols,
    rows,
    fontSize: 13,
    fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
    scrollback: isLarge ? scrollback : 0,
    disableStdin: isRecorded || !isLarge,
    theme: terminalTheme(),
    // Links are what an agent prints, and lead wherever it likes.
    linkHandler: { activate: () => {} },
    // Agents choose their colours for a dark terminal.
    minimumContrastRatio: 4.5,
    screenReaderMode: isLarge,
  });
  leaveQuestions(terminal);
  place.append(inner);
  terminal.open(inner);
  return terminal;
}

/** By the graphics card, where the browser has one for us. */
function drawQuickly(terminal: Terminal): void {
  if (!hasGraphicsCard()) return;
  try {
    const addon = new WebglAddon();
    addon.onContextLoss(() => addon.dispose());
    terminal.loadAddon(addon);
  } catch (error) {
    // Without WebGL it is drawn as text.
    if (!(error instanceof Error)) throw error;
  }
}

/** Programs that stand in for a graphics card are slower than text. */
function hasGraphicsCard(): boolean {
  graphicsCard ??= lookForGraphicsCard();
  return graphicsCard;
}

/** What was found; null before it was looked for. */
let graphicsCard: boolean | null = null;

function lookForGraphicsCard(): boolean {
  const context = document.createElement('canvas').getContext('webgl2');
  const extension = context?.getExtension('WEBGL_debug_renderer_info');
  const name = extension ? String(context?.getParameter(extension.UNMASKED_RENDERER_WEBGL)) : '';
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null && !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

const leastScale = 0.45;

/** A small one is scaled to its room; a large one keeps the size of its letters. */
export function scaleInto(
  place: HTMLElement,
  inner: HTMLElement,
  terminal: Terminal,
  isLarge: boolean,
): void {
  const screen = terminal.element?.querySelector<HTMLElement>('.xterm-screen');
  if (!screen || isLarge) return;
  const width = screen.offsetWidth;
  // On a narrow one its end is cut off before its letters cannot be read.
  const scale = width === 0 ? 1 : Math.min(1, Math.max(leastScale, place.clientWidth / width));
  inner.style.transform = `scale(${scale})`;
  // The row that is written now is in sight.
  const written =
    ((terminal.buffer.active.cursorY + 1) / terminal.rows) * screen.offsetHeight * scale;
  inner.style.top = `${Math.min(0, place.clientHeight - written)}px`;
}

/** The agent's terminal gets the size that there is room for here. */
function askForRoom(place: HTMLElement, terminal: Terminal, store: RunStore, agent: number): void {
  const screen = terminal.element?.querySelector<HTMLElement>('.xterm-screen');
  if (!screen || screen.offsetWidth === 0) return;
  const cell = {
    width: screen.offsetWidth / terminal.cols,
    height: screen.offsetHeight / terminal.rows,
  };
  const scrollbar = 16;
  const cols = Math.floor((place.clientWidth - scrollbar) / cell.width);
  const rows = Math.floor(place.clientHeight / cell.height);
  if (cols < 20 || rows < 4 || (cols === terminal.cols && rows === terminal.rows)) return;
  store.resize(agent, cols, rows);
}
