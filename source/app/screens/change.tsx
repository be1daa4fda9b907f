import { Box } from 'ink';
import Spinner from 'ink-spinner';
import { useEffect, useState } from 'react';
import { describe } from '../../core/failure.js';
import { type ActionsOf, useActions } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { ScreenFrame, useNote } from '../components/screen-frame.js';
import { TextArea } from '../components/text-area.js';
import { useEditor } from '../editor.js';
import type { Check, WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { cut, fill } from '../text/graphemes.js';
import { insert, textBuffer } from '../text/text-buffer.js';
import { glyphsOf } from '../theme.js';
import type { Wizard } from '../wizard.js';
import { useGeminiModelAction, useKeyAction } from './keys-and-models.js';

export interface ChangeScreenProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly onNext: () => void;
  readonly onQuit: () => void;
}

/** Step 1: what is missing and how to mend it, and the change. */
export function ChangeScreen({ port, wizard, onNext, onQuit }: ChangeScreenProps) {
  const { cols, rows } = useSize();
  const dialogs = useDialogs();
  const { checks, look } = useChecks(port, wizard.wishes.model);
  const note = useNote();
  const [progress, setProgress] = useState<string | null>(null);
  const history = useHistory(port, wizard);
  const missing = checks?.filter((check) => check.state === 'missing') ?? [];
  const mending = useMending(port, wizard, checks, look, note.say, setProgress);

  const [goingOn, setGoingOn] = useState(false);
  const next = () => {
    setGoingOn(false);
    if (wizard.change.text.trim() === '') note.say('Type what is to be changed first.');
    else if (checks === null) {
      note.say('Checking that everything a run needs is here; then it continues…');
      setGoingOn(true);
    } else if (missing.length > 0)
      note.say(`Missing: ${missing.map((one) => one.text).join('; ')}.`);
    else {
      port.remember(wizard.change.text.trim());
      onNext();
    }
  };
  useEffect(() => {
    if (goingOn && checks !== null && !dialogs.isOpen) next();
  });
  const openEditor = useEditor(port, note.say);
  const edit = async () => {
    const text = await openEditor('change.md', wizard.change.text);
    if (text !== null) wizard.setChange(textBuffer(text.replace(/\n$/, '')));
  };
  const earlier = port.history();
  const actions: ActionsOf<'change'> = {
    'change.next': { run: next },
    'change.newline': { run: () => wizard.setChange(insert(wizard.change, '\n')) },
    'change.editor': { run: () => void edit() },
    'change.leave': { run: onQuit },
    'change.history': {
      run: () =>
        void dialogs.open({
          kind: 'choose',
          title: 'Earlier changes',
          items: [...earlier].reverse(),
          onDone: (index) => wizard.setChange(textBuffer(earlier.at(-1 - index))),
        }),
      refusal: earlier.length === 0 ? 'there is no earlier change' : null,
    },
    ...mending,
  };
  const active = !dialogs.isOpen && progress === null;
  useActions({ active, context: 'change', actions, say: note.say });

  const lines = checkLines(checks, cols);
  // The field keeps at least four rows, however much is missing.
  const most = Math.max(1, rows - 9 - note.height);
  const shown = lines.length <= most ? lines : lines.slice(0, most - 1);
  const left = lines.length - shown.length;
  const height = Math.max(
    1,
    rows - Math.max(1, shown.length + (left > 0 ? 1 : 0)) - 4 - note.height,
  );
  return (
    <ScreenFrame
      context="change"
      note={progress === null ? note : { ...note, lines: [cut(progress, cols - 2)], height: 1 }}
      actions={actions}
      hints={[
        'change.next',
        ...mendingOf(checks),
        'change.newline',
        'change.editor',
        'change.leave',
        'change.history',
        'change.key',
      ]}
      typing
    >
      <Line> </Line>
      <CheckList lines={shown} left={left} looking={checks === null} />
      <Line bold>{fill(' What is to be changed?', cols)}</Line>
      <Box paddingX={2} height={height} overflow="hidden">
        <TextArea
          buffer={wizard.change}
          onChange={(change) => {
            setGoingOn(false);
            note.say('');
            wizard.setChange(change);
          }}
          onEdge={history}
          width={Math.max(1, cols - 4)}
          height={height}
          active={active}
        />
      </Box>
    </ScreenFrame>
  );
}

function useChecks(port: WizardPort, model: string) {
  const [checks, setChecks] = useState<readonly Check[] | null>(null);
  const look = async () => {
    setChecks(null);
    setChecks(await port.checks(model));
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at once, and after each mending
  useEffect(() => void look(), []);
  return { checks, look };
}

/** Up in the first row goes to earlier changes; what was being typed is the latest of them. */
function useHistory(port: WizardPort, wizard: Wizard): (step: 1 | -1) => void {
  const [at, setAt] = useState<number | null>(null);
  const [typed, setTyped] = useState('');
  return (step) => {
    const earlier = port.history();
    const from = at ?? earlier.length;
    const to = Math.max(0, Math.min(earlier.length, from + step));
    if (to === from) return;
    if (at === null) setTyped(wizard.change.text);
    setAt(to === earlier.length ? null : to);
    wizard.setChange(textBuffer(to === earlier.length ? typed : earlier[to]));
  };
}

type Mending = 'change.key' | 'change.install' | 'change.model' | 'change.stash';

/** What mends the checks that are not met, in their order. */
function mendingOf(checks: readonly Check[] | null): readonly Mending[] {
  const names = {
    key: 'change.key',
    install: 'change.install',
    gemini_model: 'change.model',
    stash: 'change.stash',
  } as const;
  return [...new Set((checks ?? []).flatMap(({ action }) => (action ? [names[action.kind]] : [])))];
}

function useMending(
  port: WizardPort,
  wizard: Wizard,
  known: readonly Check[] | null,
  look: () => Promise<void>,
  say: (note: string) => void,
  setProgress: (progress: string | null) => void,
): Pick<ActionsOf<'change'>, Mending> {
  const installs = known?.some(({ action }) => action?.kind === 'install') ?? false;
  const stashes = known?.some(({ action }) => action?.kind === 'stash') ?? false;
  const looking = known === null ? 'this is still being checked' : null;
  const keys = useKeyAction(port, say, look, wizard.wishes.model);
  const models = useGeminiModelAction(port, say, look);
  const install = async () => {
    setProgress('Installing Aider (about a minute, 700 MB)…');
    const done = await port.installAider((line) => setProgress(`Installing Aider: ${line}`));
    setProgress(null);
    say(done.ok ? 'Aider is installed.' : describe(done.failure).message);
    await look();
  };
  const stash = async () => {
    const done = await port.stash();
    say(
      done.ok
        ? 'The changes are stashed; git stash pop brings them back.'
        : describe(done.failure).message,
    );
    await look();
  };
  return {
    'change.key': keys,
    'change.model': models,
    'change.install': {
      run: () => void install(),
      refusal: looking ?? (installs ? null : 'Aider is installed'),
    },
    'change.stash': {
      run: () => void stash(),
      refusal: looking ?? (stashes ? null : 'no tracked file has changes'),
    },
  };
}

interface CheckLine {
  readonly text: string;
  readonly state: Check['state'];
  readonly head: boolean;
}

function checkLines(checks: readonly Check[] | null, cols: number): CheckLine[] {
  return (checks ?? [])
    .filter((check) => check.state !== 'ok')
    .flatMap(({ name, state, text, mend }) => [
      ...proseLines(`${name}: ${text}`, Math.max(8, cols - 5)).map((line, row) => ({
        text: line,
        state,
        head: row === 0,
      })),
      ...proseLines(mend, Math.max(8, cols - 9))
        .filter(Boolean)
        .map((line) => ({ text: `    ${line}`, state, head: false })),
    ]);
}

function CheckList(props: {
  readonly lines: readonly CheckLine[];
  /** Lines there is no room for. */
  readonly left: number;
  readonly looking: boolean;
}) {
  const { theme } = useEnvironment();
  const { cols } = useSize();
  const glyphs = glyphsOf(theme);
  if (props.looking) {
    return (
      <Box height={1} overflow="hidden">
        <Line> </Line>
        <Spinner type={theme.unicode ? 'dots' : 'line'} />
        <Line dim>{cut(' checking that everything a run needs is here', cols - 3)}</Line>
      </Box>
    );
  }
  if (props.lines.length === 0) {
    return <Line dim>{cut(` ${glyphs.ok} Everything a run needs is here.`, cols)}</Line>;
  }
  return (
    <Box flexDirection="column">
      {props.lines.map(({ text, state, head }, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
        <Line key={row} colour={state === 'missing' ? 'red' : 'yellow'} dim={!head}>
          {` ${head ? (state === 'missing' ? glyphs.bad : '!') : ' '} ${text}`}
        </Line>
      ))}
      {props.left > 0 && (
        <Line colour="yellow">
          {cut(`   ${props.left} lines more: aider-orchestrator doctor shows them all`, cols)}
        </Line>
      )}
    </Box>
  );
}
