import { Box } from 'ink';
import Spinner from 'ink-spinner';
import { useEffect, useState } from 'react';
import { describe } from '../../core/failure.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { ScreenFrame } from '../components/screen-frame.js';
import { TextArea } from '../components/text-area.js';
import { useEditor } from '../editor.js';
import type { Check, WizardPort } from '../ports.js';
import { useActions, useEnvironment, useSize } from '../surface.js';
import { cut, fill } from '../text/graphemes.js';
import { insert, textBuffer } from '../text/text-buffer.js';
import { glyphsOf } from '../theme.js';
import type { Wizard } from '../wizard.js';

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
  const { checks, look } = useChecks(port);
  const [note, setNote] = useState('');
  const [progress, setProgress] = useState<string | null>(null);
  const history = useHistory(port, wizard);
  const missing = checks?.filter((check) => check.state === 'missing') ?? [];
  const mend = useMending(port, checks, look, setNote, setProgress);

  const [goingOn, setGoingOn] = useState(false);
  const next = () => {
    setGoingOn(false);
    if (wizard.change.text.trim() === '') setNote('Say first what is to be changed.');
    else if (checks === null) {
      setNote('Looking whether all is here that a run needs, then going on…');
      setGoingOn(true);
    } else if (missing.length > 0)
      setNote(`Missing: ${missing.map((one) => one.text).join('; ')}.`);
    else {
      port.remember(wizard.change.text.trim());
      onNext();
    }
  };
  useEffect(() => {
    if (goingOn && checks !== null && !dialogs.isOpen) next();
  });
  const openEditor = useEditor(port, setNote);
  const edit = async () => {
    const text = await openEditor('change.md', wizard.change.text);
    if (text !== null) wizard.setChange(textBuffer(text.replace(/\n$/, '')));
  };
  useActions(!dialogs.isOpen && progress === null, 'change', {
    'change.next': next,
    'change.newline': () => wizard.setChange(insert(wizard.change, '\n')),
    'change.editor': () => void edit(),
    'change.leave': onQuit,
    'change.key': mend.key,
    'change.install': mend.install,
    'change.model': mend.model,
  });

  const lines = checkLines(checks, cols);
  // The field keeps at least four rows, however much is missing.
  const shown = lines.slice(0, Math.max(1, rows - 10));
  const height = Math.max(1, rows - shown.length - 6);
  return (
    <ScreenFrame
      context="change"
      note={progress ?? note}
      hints={[
        ['change.next', 'go on'],
        ['change.newline', 'new line'],
        ['change.editor', 'editor'],
        ...mend.hints,
        ['change.leave', 'leave'],
      ]}
      typing
    >
      <Line> </Line>
      <CheckList lines={shown} looking={checks === null} />
      <Line bold>{fill(' What is to be changed?', cols)}</Line>
      <Box paddingX={2} height={height} overflow="hidden">
        <TextArea
          buffer={wizard.change}
          onChange={(change) => {
            setGoingOn(false);
            setNote('');
            wizard.setChange(change);
          }}
          onEdge={history}
          width={Math.max(1, cols - 4)}
          height={height}
          active={!dialogs.isOpen && progress === null}
        />
      </Box>
    </ScreenFrame>
  );
}

function useChecks(port: WizardPort) {
  const [checks, setChecks] = useState<readonly Check[] | null>(null);
  const look = async () => {
    setChecks(null);
    setChecks(await port.checks());
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

function useMending(
  port: WizardPort,
  known: readonly Check[] | null,
  look: () => Promise<void>,
  setNote: (note: string) => void,
  setProgress: (progress: string | null) => void,
) {
  const dialogs = useDialogs();
  const checks = known ?? [];
  const variables = checks.flatMap(({ action }) =>
    action?.kind === 'key' ? [action.variable] : [],
  );
  const installs = checks.some(({ action }) => action?.kind === 'install');
  const chooses = checks.some(({ action }) => action?.kind === 'gemini_model');
  const askKey = (variable: string) =>
    dialogs.open({
      kind: 'field',
      title: variable,
      lines: ['Paste the key. It is kept for this run only, and written nowhere.'],
      secret: true,
      onDone: (text) => {
        if (text.trim() === '') return;
        port.setKey(variable, text.trim());
        setNote('');
        void look();
      },
    });
  return {
    key: () => {
      const [first, ...others] = variables;
      if (!first) setNote(known ? 'No key is missing.' : 'Still looking for what is missing.');
      else if (others.length === 0) askKey(first);
      else {
        dialogs.open({
          kind: 'choose',
          title: 'Which key?',
          items: variables,
          onDone: (index) => askKey(variables[index] as string),
        });
      }
    },
    install: () => {
      if (!installs) {
        setNote('Aider is here already.');
        return;
      }
      setProgress('Installing Aider (about a minute, 700 MB)…');
      void port
        .installAider((line) => setProgress(`Installing Aider: ${line}`))
        .then((done) => {
          setProgress(null);
          setNote(done.ok ? 'Aider is installed.' : describe(done.failure).message);
          return look();
        });
    },
    model: () => {
      void port.geminiModels().then((models) => {
        if (models.length === 0) {
          setNote('The list of models cannot be read; is the key there?');
          return;
        }
        dialogs.open({
          kind: 'choose',
          title: 'Gemini model for the PRD',
          items: models,
          initial: models.indexOf(port.facts.geminiModel),
          onDone: (index) => {
            port.chooseGeminiModel(models[index] as string);
            setNote('');
            void look();
          },
        });
      });
    },
    hints: [
      ...(variables.length > 0 ? ([['change.key', 'give a key']] as const) : []),
      ...(installs ? ([['change.install', 'install Aider']] as const) : []),
      ...(chooses ? ([['change.model', 'Gemini model']] as const) : []),
    ],
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
      { text: `${name}: ${text}`, state, head: true },
      ...mend
        .split('\n')
        .filter(Boolean)
        .map((line) => ({ text: `    ${line}`, state, head: false })),
    ])
    .map((line) => ({ ...line, text: cut(line.text, cols - 5) }));
}

function CheckList(props: { readonly lines: readonly CheckLine[]; readonly looking: boolean }) {
  const { theme } = useEnvironment();
  const { cols } = useSize();
  const glyphs = glyphsOf(theme);
  if (props.looking) {
    return (
      <Box height={1} overflow="hidden">
        <Line> </Line>
        <Spinner type={theme.unicode ? 'dots' : 'line'} />
        <Line dim>{cut(' looking whether all is here that a run needs', cols - 3)}</Line>
      </Box>
    );
  }
  if (props.lines.length === 0) {
    return <Line dim>{cut(` ${glyphs.ok} All that a run needs is here.`, cols)}</Line>;
  }
  return (
    <Box flexDirection="column">
      {props.lines.map(({ text, state, head }) => (
        <Line key={text} colour={state === 'missing' ? 'red' : 'yellow'} dim={!head}>
          {` ${head ? (state === 'missing' ? glyphs.bad : '!') : ' '} ${text}`}
        </Line>
      ))}
    </Box>
  );
}
