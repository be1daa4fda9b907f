import { Box } from 'ink';
import type { Task } from '../../core/plan/plan.js';
import type { WizardPort } from '../ports.js';
import { useEnvironment } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill, fillLeft } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { Line } from './line.js';

const leastColumn = 26;

interface ColumnsProps {
  readonly tasks: readonly Task[];
  readonly group: number;
  readonly fileRow: number;
  readonly width: number;
  readonly height: number;
  readonly plan: readonly (readonly string[])[];
  readonly port: WizardPort;
}

/** The groups side by side; as many as fit, the chosen one among them. */
export function Columns(props: ColumnsProps) {
  const { tasks, group, fileRow, width, height, plan, port } = props;
  const count = Math.max(1, Math.min(tasks.length, Math.floor(width / leastColumn)));
  const first = Math.max(0, Math.min(group - Math.floor(count / 2), tasks.length - count));
  const column = Math.floor(width / count);
  return (
    <Box height={height} width={width} overflow="hidden">
      {tasks.slice(first, first + count).map((task, index) => (
        <Column
          key={task.id}
          task={task}
          wave={plan.findIndex((ids) => ids.includes(task.id)) + 1}
          own={first + index === group}
          fileRow={fileRow}
          width={column}
          height={height}
          port={port}
          more={count < tasks.length ? `group ${first + index + 1} of ${tasks.length}` : ''}
        />
      ))}
    </Box>
  );
}

interface ColumnProps {
  readonly task: Task;
  /** From 1; 0 when it never runs. */
  readonly wave: number;
  readonly own: boolean;
  readonly fileRow: number;
  readonly width: number;
  readonly height: number;
  readonly port: WizardPort;
  /** Which of how many it is, where not all are seen; '' where all are. */
  readonly more: string;
}

function Column({ task, wave, own, fileRow, width, height, port, more }: ColumnProps) {
  const { theme } = useEnvironment();
  const glyphs = glyphsOf(theme);
  const inner = Math.max(1, width - 4);
  const border = own ? 'cyan' : null;
  const edge = (left: string, right: string) =>
    `${left}${glyphs.line.repeat(Math.max(0, width - 2))}${right}`;
  const waits =
    task.depends_on.length > 0 ? `waits for ${task.depends_on.join(', ')}` : 'waits for none';
  // A title takes further rows as long as two of the files can be seen.
  const titles = proseLines(task.title, inner).slice(0, Math.max(1, height - 8));
  const isTight = height - 2 - titles.length - 3 < 2;
  const facts = [
    { text: `${own ? glyphs.arrow : ' '}${task.id}${more === '' ? '' : ` (${more})`}`, bold: true },
    ...titles.map((text) => ({ text, bold: own })),
    // The waves stand below too: where there is little room, files come first.
    ...(isTight ? [] : [{ text: `wave ${wave || '-'}, ${waits}`, dim: true }, { text: '' }]),
  ];
  const body = Math.max(1, height - 2 - facts.length);
  const top = own ? Math.max(0, Math.min(fileRow - body + 2, task.files.length - body)) : 0;
  const files = task.files.slice(top, top + body).map((file, index) => {
    const size = port.fileSize(file);
    const words = size === null ? 'new' : sizeWords(size);
    const name = shortPath(file, inner - words.length - 1);
    return {
      text: fill(name, inner - words.length - 1) + fillLeft(words, words.length + 1),
      inverse: own && top + index === fileRow,
    };
  });
  const none = task.files.length === 0 ? [{ text: 'the whole repository', dim: true }] : [];
  const lines: { text: string; bold?: boolean; dim?: boolean; inverse?: boolean }[] = [
    ...facts,
    ...files,
    ...none,
  ];
  const padded = Array.from(
    { length: Math.max(0, height - 2) },
    (_, index) => lines[index] ?? { text: '' },
  );
  return (
    <Box flexDirection="column" width={width} height={height} overflow="hidden">
      <Line colour={border}>{edge(glyphs.topLeft, glyphs.topRight)}</Line>
      {padded.map(({ text, bold, dim, inverse }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
        <Box key={index}>
          <Line colour={border}>{`${glyphs.bar} `}</Line>
          <Line bold={bold} dim={dim} inverse={inverse}>
            {fill(text, inner)}
          </Line>
          <Line colour={border}>{` ${glyphs.bar}`}</Line>
        </Box>
      ))}
      <Line colour={border}>{edge(glyphs.bottomLeft, glyphs.bottomRight)}</Line>
    </Box>
  );
}

/** A path whose end, which tells most, stays. */
function shortPath(file: string, width: number): string {
  const chars = [...file];
  return chars.length <= width
    ? file
    : `…${chars.slice(chars.length - Math.max(0, width - 1)).join('')}`;
}

/** Bytes for a person. */
function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000
    ? `${(bytes / 1000).toFixed(1)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
