import { useMemo, useRef, useState } from 'react';
import type { Message } from '../core/run/message.js';
import { publicEvents } from '../core/run/public-events.js';
import type { RunState } from '../core/run/run.js';
import { update } from '../core/run/update.js';
import { lineReporter } from '../headless/reporters.js';
import { glyphsIn } from '../view/look.js';

/** One thing that happened. */
export interface Entry {
  readonly at: number;
  /** How many messages had come by then, this one among them. */
  readonly count: number;
  readonly agent: number | null;
  readonly kind: string;
  readonly words: string;
}

/** Entries of a journal, as it grows. */
export class Entries {
  readonly all: Entry[] = [];
  private state: RunState | null = null;
  private seen: readonly Message[] = [];
  private count = 0;
  private lines: string[] = [];
  private readonly report = lineReporter((text) => void this.lines.push(text), {
    verbosity: 'normal',
    width: 100,
    glyphs: glyphsIn(true),
    summaryWritten: () => true,
  });

  /** Takes what is new; all of it where it is another journal. */
  read(messages: readonly Message[]): readonly Entry[] {
    if (messages !== this.seen) {
      this.seen = messages;
      this.all.length = 0;
      this.state = null;
      this.count = 0;
    }
    for (; this.count < messages.length; this.count++) {
      const message = messages[this.count];
      if (message) this.take(message);
    }
    return this.all;
  }

  private take(message: Message): void {
    const before = this.state;
    const after = update(before, message)[0];
    this.state = after;
    this.lines = [];
    this.report(after, before, message);
    for (const event of publicEvents(after, before, message)) {
      const isEnd = event.event === 'run_finished';
      const line = isEnd ? 'the run has ended' : this.lines.shift();
      if (line === undefined) continue;
      this.all.push({
        at: message.at,
        count: this.count + 1,
        agent: 'agent' in event ? event.agent : null,
        kind: event.event,
        words: line.replace(/^\d\d:\d\d:\d\d {2}/, '').trim(),
      });
    }
  }
}

const rowHeight = 28;

/** All that happened, thousands of rows of which those in sight are there. */
function EntryList({
  entries,
  current,
  choose,
}: {
  readonly entries: readonly Entry[];
  readonly current: number;
  readonly choose: (entry: Entry) => void;
}) {
  const box = useRef<HTMLElement>(null);
  const [top, setTop] = useState(0);
  const height = box.current?.clientHeight ?? 400;
  const first = Math.max(0, Math.floor(top / rowHeight) - 10);
  const last = Math.min(entries.length, Math.ceil((top + height) / rowHeight) + 10);
  return (
    <section
      ref={box}
      className="entries"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys, too.
      tabIndex={0}
      aria-label="What has happened"
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <ol style={{ height: entries.length * rowHeight }}>
        {entries.slice(first, last).map((entry, index) => (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: what has happened stays where it is.
            key={first + index}
            className={entry.count <= current ? 'past' : 'later'}
            style={{ top: (first + index) * rowHeight }}
          >
            <button type="button" onClick={() => choose(entry)}>
              <time>{new Date(entry.at).toLocaleTimeString('en-GB')}</time>
              <span className={`kind ${entry.kind}`} aria-hidden="true" />
              {entry.words}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** When each agent did what, a row for each; marks where something happened. */
function Lanes({
  entries,
  state,
  from,
  to,
}: {
  readonly entries: readonly Entry[];
  readonly state: RunState;
  readonly from: number;
  readonly to: number;
}) {
  const marks = useMemo(() => {
    const span = Math.max(1, to - from);
    // What lies on one spot is one mark.
    const seen = new Set<string>();
    return entries.flatMap((entry) => {
      const x = Math.round(((entry.at - from) / span) * 1000);
      const name = `${entry.agent} ${x} ${entry.kind}`;
      if (seen.has(name)) return [];
      seen.add(name);
      return [{ ...entry, x }];
    });
  }, [entries, from, to]);
  const rows = [null, ...state.agents.map(({ index }) => index)];
  return (
    <svg
      className="lanes"
      viewBox={`0 0 1000 ${rows.length * 16}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      style={{ height: rows.length * 16 }}
    >
      {rows.map((agent, row) => (
        <g key={agent ?? 'run'} transform={`translate(0 ${row * 16})`}>
          <line x1="0" x2="1000" y1="8" y2="8" />
          {marks
            .filter((mark) => mark.agent === agent)
            .map((mark) => (
              <rect
                key={`${mark.x} ${mark.kind}`}
                className={`kind ${mark.kind}`}
                x={mark.x - 1.5}
                y="2"
                width="3"
                height="12"
              />
            ))}
        </g>
      ))}
    </svg>
  );
}

export interface TimelineProps {
  readonly messages: readonly Message[];
  readonly count: number;
  readonly state: RunState;
  /** How many messages are shown; null for all, and what comes. */
  readonly shown: number | null;
  readonly show: (count: number | null) => void;
}

/** All agents over the time of the run; any moment of it can be shown. */
export function Timeline({ messages, count, state, shown, show }: TimelineProps) {
  const own = useRef(new Entries());
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list grows in place; its length tells.
  const entries = useMemo(() => [...own.current.read(messages)], [messages, count]);
  const from = messages[0]?.at ?? 0;
  const to = messages.at(-1)?.at ?? from;
  const at = messages[(shown ?? count) - 1]?.at ?? to;
  return (
    <section className="timeline" aria-label="Timeline">
      <Lanes entries={entries} state={state} from={from} to={to} />
      <div className="scrub">
        <input
          type="range"
          min={0}
          max={1000}
          value={to > from ? Math.round(((at - from) / (to - from)) * 1000) : 1000}
          aria-label="Moment of the run"
          aria-valuetext={new Date(at).toLocaleTimeString('en-GB')}
          onChange={(event) => {
            const wanted = from + (Number(event.currentTarget.value) / 1000) * (to - from);
            const later = messages.findIndex((message) => message.at > wanted);
            show(later < 0 ? null : Math.max(1, later));
          }}
          onKeyDown={(event) => event.stopPropagation()}
        />
        <button type="button" aria-disabled={shown === null} onClick={() => show(null)}>
          Now
        </button>
      </div>
      <EntryList
        entries={entries}
        current={shown ?? count}
        choose={(entry) => show(entry.count >= count ? null : entry.count)}
      />
    </section>
  );
}
