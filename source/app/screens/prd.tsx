import { Box } from 'ink';
import Spinner from 'ink-spinner';
import { useEffect, useMemo, useState } from 'react';
import { describe, type Failure } from '../../core/failure.js';
import { clock } from '../agent-facts.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { ScreenFrame } from '../components/screen-frame.js';
import { ScrollText } from '../components/scroll-text.js';
import { useEditor } from '../editor.js';
import { useClock } from '../hooks.js';
import type { ActionName, Keymap } from '../keymap.js';
import type { WizardPort } from '../ports.js';
import {
  type ActionHandlers,
  afterClearing,
  useActions,
  useEnvironment,
  useSize,
} from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill } from '../text/graphemes.js';
import { renderMarkdown } from '../text/markdown.js';
import type { Wizard } from '../wizard.js';

export interface PrdScreenProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly onNext: () => void;
  readonly onBack: () => void;
}

const ownPrd = (change: string) => `# ${change.split('\n', 1)[0] ?? ''}

## Requirements

- R1:

## Tasks

### T1: the first task

- Files: \`path/of/a/file\`

What is to be done.
`;

/** Step 2: the PRD as it is written, then as it is; edited, written again, or replaced. */
export function PrdScreen({ port, wizard, onNext, onBack }: PrdScreenProps) {
  const { cols, rows } = useSize();
  const { theme, keymap } = useEnvironment();
  const dialogs = useDialogs();
  const { making, draft, failure, problem } = wizard;
  const now = useClock(making !== null);
  const [note, setNote] = useState('');
  const [searching, setSearching] = useState(false);
  const text = making ? making.text : (draft?.prd ?? '');
  const lines = useMemo(() => renderMarkdown(text, cols - 4, theme), [text, cols, theme]);

  const idle = making === null;
  // What was said while it was being written is no news when it is there.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when that changes
  useEffect(() => setNote(''), [idle]);
  const take = async (text: string, own: boolean) => {
    await wizard.takePrd(text, own);
    setNote('The tasks were read again from the text. u goes back to the one before.');
  };
  const openEditor = useEditor(port, setNote);
  const editText = async (start: string, own: boolean) => {
    const after = await openEditor('prd.md', start);
    if (after === null) return;
    if (after.trim() === '') setNote('The text is empty; nothing was changed.');
    else if (after === start) setNote('Nothing was changed.');
    else await take(after, own);
  };
  const next = () => {
    if (making) setNote('It is still being written.');
    else if (!draft || draft.prd === '')
      setNote('There is no PRD yet: r writes it, w writes your own.');
    else if (problem) setNote('The tasks in it cannot be used; e edits it.');
    else onNext();
  };
  const back = () => {
    if (!making) onBack();
    else {
      wizard.cancel();
      if (!draft) onBack();
    }
  };
  const again = () =>
    dialogs.open({
      kind: 'field',
      title: 'Write the PRD again',
      lines: ['What is to be different ("smaller", "no new dependency"); may be empty:'],
      onDone: (remark) => {
        setNote('');
        void wizard.make(remark.trim() === '' ? null : remark.trim());
      },
    });
  const open = () =>
    dialogs.open({
      kind: 'field',
      title: 'Open a PRD',
      lines: ['A Markdown file, relative to where you are:'],
      onDone: (file) => {
        void port.readText(file.trim()).then(async (read) => {
          if (!read.ok) setNote(describe(read.failure).message);
          else if (/\0/.test(read.value) || read.value.trim() === '') {
            setNote(
              `${file.trim()} is ${read.value === '' ? 'empty' : 'no text'}; nothing was changed.`,
            );
          } else await take(read.value, true);
        });
      },
    });
  const handlers: ActionHandlers = {
    'prd.next': next,
    'prd.back': back,
    ...(idle
      ? {
          'prd.edit': () => void editText(draft?.prd ?? ownPrd(wizard.change.text), !draft),
          'prd.again': again,
          'prd.own': () => void editText(ownPrd(wizard.change.text), true),
          'prd.undo': () => {
            if (!wizard.undoPrd()) setNote('There is no PRD before this one.');
          },
          'prd.open': open,
        }
      : {}),
  };
  useActions(!dialogs.isOpen && !searching, 'prd', afterClearing(setNote, handlers));

  const head = making
    ? ` ${port.facts.geminiModel} writes the PRD, ${clock(now - making.startedAt)}`
    : (problem ?? (draft ? headWords(draft.tasks.length, draft.model) : ''));
  const warnings = making ? [] : (draft?.warnings ?? []).slice(0, 3);
  const trouble = failure && !making ? describe(failure) : null;
  const height = Math.max(2, rows - 5 - warnings.length);
  return (
    <ScreenFrame
      context="prd"
      note={trouble && draft?.prd ? trouble.message : note}
      hints={
        making
          ? [['prd.back', 'cancel']]
          : [
              ['prd.next', 'go on'],
              ['prd.back', 'back'],
              ['prd.edit', 'edit'],
              ['prd.again', 'write again'],
              ['prd.own', 'write your own'],
              ['prd.open', 'open a file'],
              ['viewer.search', 'search'],
              ['prd.undo', 'undo'],
            ]
      }
    >
      <Box height={1} overflow="hidden">
        {making && <Spinner type={theme.unicode ? 'dots' : 'line'} />}
        <Line colour={problem ? 'red' : null} bold>
          {fill(making ? head : ` ${head}`, cols - 1)}
        </Line>
      </Box>
      {warnings.map((warning) => (
        <Line key={warning} colour="yellow">
          {fill(` ! ${warning}`, cols)}
        </Line>
      ))}
      <Box paddingX={2} height={height} overflow="hidden">
        {trouble && (!draft || draft.prd === '') ? (
          <Box flexDirection="column">
            {[trouble.message, '', trouble.hint, '', wayOut(failure, keymap)]
              .flatMap((text) => proseLines(text, cols - 4))
              .map((line, row) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
                <Line key={row} colour={row === 0 ? 'red' : null}>
                  {line === '' ? ' ' : line}
                </Line>
              ))}
          </Box>
        ) : (
          <ScrollText
            lines={lines}
            width={cols - 4}
            height={height}
            active={!dialogs.isOpen}
            follow={making !== null}
            onSearching={setSearching}
          />
        )}
      </Box>
    </ScreenFrame>
  );
}

/** What can be done about it on this screen. */
function wayOut(failure: Failure | null, keymap: Keymap): string {
  const key = (action: ActionName) => keymap.label(action);
  const missing = failure?.kind === 'planner' && failure.problem === 'no_key';
  const first = missing
    ? `${key('prd.back')} and then ${key('change.key')} gives a key`
    : `${key('prd.again')} tries again`;
  return `Here: ${first}, ${key('prd.own')} writes a PRD of your own, ${key('prd.open')} opens one.`;
}

function headWords(tasks: number, model: string | null): string {
  const count = tasks === 1 ? '1 task' : `${tasks} tasks`;
  return model === null ? `Your PRD, ${count}` : `PRD by ${model}, ${count}`;
}
