import { Box } from 'ink';
import Spinner from 'ink-spinner';
import { useLayoutEffect, useMemo, useRef } from 'react';
import { describe, type Failure, type PlannerProblem } from '../../core/policy/failure.js';
import { type ActionsOf, hintsOf, useActions } from '../actions.js';
import { clock } from '../agent-facts.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { Rows } from '../components/rows.js';
import { ScreenFrame, useNote } from '../components/screen-frame.js';
import { ScrollText } from '../components/scroll-text.js';
import { useEditor } from '../editor.js';
import { useClock } from '../hooks.js';
import type { ActionName, Keymap } from '../keymap.js';
import type { WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill } from '../text/graphemes.js';
import { renderMarkdown } from '../text/markdown.js';
import type { Making, Wizard } from '../wizard.js';
import { useGeminiModelAction, useKeyAction } from './keys-and-models.js';

export interface PrdScreenProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly onNext: () => void;
  readonly onWithoutPrd: () => void;
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
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function PrdScreen({ port, wizard, onNext, onWithoutPrd, onBack }: PrdScreenProps) {
  const { cols, rows } = useSize();
  const { theme, keymap } = useEnvironment();
  const dialogs = useDialogs();
  const { making, draft, failure, problem, half } = wizard;
  const now = useClock(making !== null);
  const trouble = failure && !making ? describe(failure) : null;
  const note = useNote();
  const { say } = note;
  const opened = useRef('');
  const hasPrd = draft !== null && draft.prd !== '';
  const text = making ? making.text : hasPrd ? draft.prd : half;
  const lines = useMemo(() => renderMarkdown(text, cols - 4, theme), [text, cols, theme]);

  const idle = making === null;
  // What was said while it was being written is no news when it is there. With the frame: what is said to a key
  // that follows it stays.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when that changes
  useLayoutEffect(() => say(''), [idle]);
  const take = async (text: string, own: boolean) => {
    await wizard.takePrd(text, own);
    say(
      hasPrd
        ? `The tasks were read from the new text. ${keymap.label('prd.undo')} restores the previous PRD.`
        : 'The tasks were read from the text.',
    );
  };
  const openEditor = useEditor(port, say);
  const editText = async (start: string, own: boolean) => {
    const after = await openEditor('prd.md', start);
    if (after === null) return;
    if (after.trim() === '') say('The text is empty; nothing was changed.');
    else if (after === start) say('Nothing was changed.');
    else await take(after, own);
  };
  const back = () => {
    if (!making) onBack();
    else {
      wizard.cancel();
      if (!draft && making.text === '') onBack();
    }
  };
  const again = () =>
    dialogs.open({
      kind: 'field',
      multiline: true,
      title: hasPrd ? 'Write the PRD again' : 'Write the PRD',
      lines: ['What is to be different ("smaller", "no new dependency"); may be empty.'],
      // One that led to nothing is not lost.
      initial: wizard.remark,
      onDone: (remark) => void wizard.make(remark.trim() === '' ? null : remark.trim()),
    });
  const open = () =>
    dialogs.open({
      kind: 'field',
      title: 'Open a PRD',
      // One that led to nothing is corrected, not typed again.
      initial: opened.current,
      lines: ['A Markdown file; a relative path starts where you started the program.'],
      onDone: (file) => {
        opened.current = file;
        void port.readText(file.trim()).then(async (read) => {
          if (!read.ok) say(describe(read.failure).message);
          else if (/\0/.test(read.value) || read.value.trim() === '') {
            say(
              `${file.trim()} is ${read.value === '' ? 'empty' : 'no text'}; nothing was changed.`,
            );
          } else await take(read.value, true);
        });
      },
    });
  const busy = idle ? null : 'the PRD is still being written';
  const start = hasPrd ? draft.prd : half === '' ? ownPrd(wizard.change.text) : half;
  const keyAction = useKeyAction(port, say, () => {}, wizard.choices.model);
  const modelAction = useGeminiModelAction(port, say, () => {});
  const nextRefusal = () => {
    if (busy !== null) return busy;
    if (!hasPrd) return 'there is no PRD yet';
    return problem === null ? null : 'some of its tasks could not be read; edit them';
  };
  const actions: ActionsOf<'prd'> = {
    'prd.next': { run: onNext, refusal: nextRefusal() },
    'prd.back': { run: back, ...(idle ? {} : { hint: 'cancel' }) },
    'prd.edit': { run: () => void editText(start, !hasPrd), refusal: busy },
    'prd.again': {
      run: again,
      refusal:
        busy ?? (port.facts.source.kind === 'planner' ? null : 'this run asks Gemini for no PRD'),
      ...(hasPrd ? {} : { hint: 'try again' }),
    },
    'prd.own': { run: () => void editText(ownPrd(wizard.change.text), true), refusal: busy },
    'prd.open': { run: open, refusal: busy },
    'prd.without': { run: onWithoutPrd, refusal: busy },
    'prd.undo': {
      run: () => {
        wizard.undoPrd();
        say('The previous PRD is back, with its groups.');
      },
      refusal: busy ?? (wizard.earlier.length === 0 ? 'there is no previous PRD' : null),
    },
    'prd.key': { ...keyAction, refusal: busy ?? keyAction.refusal ?? null },
    'prd.model': { ...modelAction, refusal: busy ?? modelAction.refusal ?? null },
  };
  useActions({ context: 'prd', actions, say });

  const head = making
    ? makingWords(making, port.facts.geminiModel, now, keymap)
    : (problem ??
      (hasPrd
        ? headWords(draft.tasks.length, draft.model)
        : trouble === null && half === ''
          ? noneWords(wizard, keymap)
          : ''));
  const heads = head === '' ? [] : proseLines(head, Math.max(8, cols - 3)).slice(0, rows / 3);
  const warnings = (making ? [] : (draft?.warnings ?? [])).flatMap((warning) =>
    proseLines(warning, Math.max(8, cols - 4)).map(
      (line, row) => `${row === 0 ? '!' : ' '} ${line}`,
    ),
  );
  const troubles = trouble
    ? [
        trouble.message,
        ...(failure?.kind === 'planner'
          ? [advice[failure.problem] ?? '']
          : trouble.hint.split('\n')
        ).filter(Boolean),
        ...(hasPrd || half === ''
          ? []
          : [`What had arrived stands below; ${keymap.label('prd.edit')} edits it.`]),
        `Here: ${hintsOf(actions, waysOut(failure), keymap)
          .map(([name, hint]) => `${keymap.label(name)} ${hint}`)
          .join(', ')}.`,
      ].flatMap((one) => proseLines(one, Math.max(8, cols - 4)))
    : [];
  const above = [
    ...troubles.map((line, row) => ({ line, colour: row === 0 ? ('red' as const) : null })),
    ...warnings.map((line) => ({ line, colour: 'yellow' as const })),
  ].slice(0, Math.max(3, Math.floor(rows / 2)));
  const height = Math.max(2, rows - 2 - Math.max(1, heads.length) - above.length - note.height);
  return (
    <ScreenFrame
      context="prd"
      note={note}
      actions={{
        ...actions,
        'viewer.search': { run: () => {}, refusal: text === '' ? 'no text' : null },
      }}
      hints={
        trouble
          ? [...waysOut(failure), 'prd.key', 'prd.model', 'prd.edit']
          : [
              'prd.next',
              'prd.back',
              'prd.edit',
              'prd.again',
              'prd.own',
              'prd.open',
              'viewer.search',
              'prd.undo',
            ]
      }
    >
      {(heads.length === 0 ? [''] : heads).map((line, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
        <Box key={row} height={1} overflow="hidden">
          {making && row === 0 ? (
            <Spinner type={theme.unicode ? 'dots' : 'line'} />
          ) : (
            <Line> </Line>
          )}
          <Line colour={problem && !making ? 'red' : null} bold>
            {fill(` ${line}`, cols - 1)}
          </Line>
        </Box>
      ))}
      <Rows width={cols} rows={above.map(({ line, colour }) => ({ text: `  ${line}`, colour }))} />
      <Box paddingX={2} height={height} overflow="hidden">
        <ScrollText
          lines={lines}
          width={cols - 4}
          height={height}
          follow={making !== null}
          say={say}
        />
      </Box>
    </ScreenFrame>
  );
}

/** What can be done about a failure of Gemini's beside the keys of this screen. */
const advice: Partial<Record<PlannerProblem, string>> = {
  bad_key:
    'A key is made at https://aistudio.google.com/apikey, and has to be allowed to use the Generative Language API.',
  blocked: 'Word the change differently, or write the PRD yourself.',
  cut_off: 'Describe a smaller change.',
  network: 'Check the network, the proxy and GOOGLE_GEMINI_BASE_URL.',
};

/** The keys that lead on from a failure, the likeliest first. */
function waysOut(failure: Failure | null): ActionName[] {
  const problem = failure?.kind === 'planner' ? failure.problem : null;
  const first: ActionName[] =
    problem === 'no_key' || problem === 'bad_key' || problem === 'quota'
      ? ['prd.key']
      : problem === 'model_gone'
        ? ['prd.model']
        : [];
  return [...first, 'prd.again', 'prd.own', 'prd.open', 'prd.without', 'prd.back'];
}

/** What Gemini is doing: it writes, or is waited for, with what it said and how long. */
function makingWords(
  { startedAt, wait }: Making,
  model: string,
  now: number,
  keymap: Keymap,
): string {
  if (wait === null) return `${model} is writing the PRD, ${clock(now - startedAt)}`;
  const { message } = describe({ kind: 'planner', problem: wait.problem, detail: wait.detail });
  const seconds = Math.max(0, Math.ceil((wait.until - now) / 1000));
  const left = seconds === 0 ? 'now' : `in ${seconds} s`;
  return `${message} Trying again ${left} (attempt ${wait.attempt} of ${wait.attempts}); ${keymap.label('prd.back')} cancels, nothing is lost.`;
}

/** That there is no PRD, and what leads on. */
function noneWords({ draft, earlier }: Wizard, keymap: Keymap): string {
  const restore =
    earlier.length === 0 ? '' : `, ${keymap.label('prd.undo')} restores the previous one`;
  const ways = `${keymap.label('prd.again')} has one written${restore}, ${keymap.label('prd.without')} continues without one.`;
  return `${draft === null ? 'There is no PRD yet' : 'The PRD was skipped'}: ${ways}`;
}

function headWords(tasks: number, model: string | null): string {
  const count = tasks === 1 ? '1 task' : `${tasks} tasks`;
  return model === null ? `Your PRD, ${count}` : `PRD by ${model}, ${count}`;
}
