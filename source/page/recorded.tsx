import type { Terminal } from '@xterm/xterm';
import { useCallback, useEffect, useRef } from 'react';
import { parseJson } from '../core/text/parse-json.js';
import { oneByOne } from './one-by-one.js';
import { makeTerminal, scaleInto } from './terminal.js';
import { useLoaded } from './use-loaded.js';

/** What a terminal showed, as it was recorded: asciicast v2. */
interface Recording {
  readonly cols: number;
  readonly rows: number;
  readonly events: readonly (readonly [at: number, code: string, data: string])[];
}

/** Columns or rows that a terminal can have. */
function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 9999;
}

/** Reads a recording; what is no event of the form is passed over, as whoever may have written it. */
function readRecording(text: string): Recording | null {
  const [first = '', ...lines] = text.split('\n');
  const head = parseJson(first) as
    | { width?: unknown; height?: unknown; timestamp?: unknown }
    | null
    | undefined;
  const { width, height, timestamp } = head ?? {};
  if (!isSize(width) || !isSize(height) || typeof timestamp !== 'number') return null;
  const events = lines.flatMap((line) => {
    const event = parseJson(line);
    if (!Array.isArray(event)) return [];
    const [at, code, data] = event as unknown[];
    if (typeof at !== 'number' || typeof code !== 'string' || typeof data !== 'string') return [];
    return [[(timestamp + at) * 1000, code, data] as const];
  });
  return { cols: width, rows: height, events };
}

/** A recording, or why there is none to be shown, a sentence; null where it cannot be read. */
async function loadRecording(id: string, agent: number): Promise<Recording | string | null> {
  const answer = await fetch(`/api/runs/${id}/recording/${agent}`);
  if (answer.status === 404) return 'Nothing was recorded of it.';
  if (answer.status === 413) return 'Its recording is too large to be shown here.';
  return answer.ok ? readRecording(await answer.text()) : null;
}

export interface RecordedProps {
  /** The run. */
  readonly id: string;
  readonly agent: number;
  /** The moment that is shown, epoch milliseconds; null for the end. */
  readonly at: number | null;
  readonly isLarge: boolean;
  readonly label: string;
}

/** An agent's terminal as it was at a moment. */
export function RecordedTerminal({ id, agent, at, isLarge, label }: RecordedProps) {
  const box = useRef<HTMLElement>(null);
  const player = useRef<Player | null>(null);
  /** What is shown by now. */
  const moment = useRef(Number.POSITIVE_INFINITY);
  const load = useCallback(() => loadRecording(id, agent), [id, agent]);
  const loaded = useLoaded(load);
  const recording = typeof loaded === 'object' ? loaded : null;
  useEffect(() => {
    const place = box.current;
    if (!place || recording === null) return;
    const takeBack = oneByOne(() => {
      player.current = new Player(place, recording, isLarge);
      player.current.goTo(moment.current);
    });
    return () => {
      takeBack();
      player.current?.close();
      player.current = null;
    };
  }, [recording, isLarge]);
  moment.current = at ?? Number.POSITIVE_INFINITY;
  // biome-ignore lint/correctness/useExhaustiveDependencies: to another moment of the same recording.
  useEffect(() => player.current?.goTo(moment.current), [at]);
  return (
    <section
      ref={box}
      className={isLarge ? 'agent-terminal large recorded' : 'agent-terminal'}
      aria-label={label}
      data-ready={loaded !== undefined}
    >
      {loaded === null && <p className="bad">Its recording cannot be read now.</p>}
      {typeof loaded === 'string' && <p className="quiet">{loaded}</p>}
    </section>
  );
}

/** Plays a recording into a terminal, to any moment. */
class Player {
  private readonly terminal: Terminal;
  private readonly inner = document.createElement('div');
  private readonly room: ResizeObserver;
  private readonly scale: () => void;
  /** Events that were played. */
  private played = 0;

  constructor(
    place: HTMLElement,
    private readonly recording: Recording,
    isLarge: boolean,
  ) {
    const { cols, rows } = recording;
    this.terminal = makeTerminal(place, this.inner, isLarge, { cols, rows, isRecorded: true });
    // Nothing can be typed into it: keys are the page's.
    this.terminal.attachCustomKeyEventHandler(() => false);
    this.scale = () => scaleInto(place, this.inner, this.terminal, isLarge);
    this.room = new ResizeObserver(this.scale);
    this.room.observe(place);
  }

  goTo(at: number): void {
    const { events, cols, rows } = this.recording;
    const until = events.findIndex(([time]) => time > at);
    const end = until < 0 ? events.length : until;
    if (end < this.played) {
      this.terminal.reset();
      this.terminal.resize(cols, rows);
      this.played = 0;
    }
    let output = '';
    const flush = () => {
      this.terminal.write(output, this.scale);
      output = '';
    };
    for (const [, code, data] of events.slice(this.played, end)) {
      if (code === 'o') output += data;
      const size = code === 'r' ? /^(\d{1,4})x(\d{1,4})$/.exec(data) : null;
      if (!size) continue;
      flush();
      // Sizes count from where they came on.
      const [width, height] = [Number(size[1]), Number(size[2])];
      this.terminal.write('', () => this.terminal.resize(Math.max(2, width), Math.max(1, height)));
    }
    flush();
    this.played = end;
  }

  close(): void {
    this.room.disconnect();
    this.terminal.dispose();
    this.inner.remove();
  }
}
