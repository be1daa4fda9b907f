import { waves } from '../core/plan/group-edits.js';
import type { RunState } from '../core/run/run.js';
import { lookOf } from '../view/look.js';

const width = 220;
const height = 54;
const gap = { x: 70, y: 16 };

function filesWords(count: number): string {
  if (count === 0) return 'all files';
  return count === 1 ? '1 file' : `${count} files`;
}

/** The file groups as a graph: a column for each wave, a line from what a group builds on. */
export function Groups({
  state,
  choose,
}: {
  readonly state: RunState;
  readonly choose: (agent: number) => void;
}) {
  const tasks = state.agents.map(({ task }) => task);
  const columns = waves(tasks, Math.max(1, tasks.length));
  const place = new Map<string, { x: number; y: number }>();
  for (const [column, ids] of columns.entries()) {
    for (const [row, id] of ids.entries()) {
      place.set(id, { x: column * (width + gap.x), y: row * (height + gap.y) });
    }
  }
  const tallest = Math.max(1, ...columns.map((ids) => ids.length));
  const size = {
    width: columns.length * (width + gap.x) - gap.x,
    height: tallest * (height + gap.y) - gap.y,
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys, too.
    <section className="graph" aria-label="File groups" tabIndex={0}>
      <div style={{ width: size.width, height: size.height }}>
        <svg width={size.width} height={size.height} aria-hidden="true">
          {tasks.flatMap((task) =>
            task.depends_on.map((id) => {
              const [from, to] = [place.get(id), place.get(task.id)];
              if (!from || !to) return null;
              const [x1, y1, y2] = [from.x + width, from.y + height / 2, to.y + height / 2];
              const middle = (x1 + to.x) / 2;
              return (
                <path
                  key={`${id} ${task.id}`}
                  d={`M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${to.x} ${y2}`}
                />
              );
            }),
          )}
        </svg>
        {state.agents.map((agent) => {
          const at = place.get(agent.task.id);
          const { word, colour } = lookOf(state, agent);
          return (
            <button
              key={agent.index}
              type="button"
              className={`group ${colour ?? 'plain'}`}
              style={{ left: at?.x ?? 0, top: at?.y ?? 0, width, height }}
              onClick={() => choose(agent.index)}
            >
              <strong>
                {agent.task.id} {agent.task.title}
              </strong>
              <span>
                agent{agent.index}: {word}, {filesWords(agent.task.files.length)}
              </span>
            </button>
          );
        })}
      </div>
    </section>
  );
}
