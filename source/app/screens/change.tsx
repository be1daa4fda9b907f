// Longer than 300 lines: one screen, not divided yet.
import { Box } from 'ink';
import Spinner from 'ink-spinner';
import { useEffect, useRef, useState } from 'react';
import { describe } from '../../core/policy/failure.js';
import { capital } from '../../view/agent-facts.js';
import { type ActionsOf, perform, useActions } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { ScreenFrame, useNote } from '../components/screen-frame.js';
import { TextArea } from '../components/text-area.js';
import { useEditor } from '../editor.js';
import type { Keymap } from '../keymap.js';
import type { MendAction, PrerequisiteToMend, WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { cut, fill } from '../text/graphemes.js';
import { insert, textBuffer } from '../text/text-buffer.js';
import { glyphsOf } from '../theme.js';
import type { Wizard } from '../wizard.js';
import { ended, type FixName, fixOf } from './fixes.js';
import { useGeminiModelAction, useKeyAction, useModelDialog } from './keys-and-models.js';

export interface ChangeScreenProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly onNext: () => void;
  /** Continues without a PRD. */
  readonly onWithoutPrd: () => void;
  readonly onQuit: () => void;
}

/** Step 1: what is missing and how to mend it, and the change. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function ChangeScreen(props: ChangeScreenProps) {
  const { port, wizard, onNext, onWithoutPrd, onQuit } = props;
  const { cols, rows } = useSize();
  const { keymap } = useEnvironment();
  const dialogs = useDialogs();
  const { checks, look } = useChecks(port, wizard.choices.model);
  const note = useNote();
  const [progress, setProgress] = useState<string | null>(null);
  const history = useHistory(port, wizard);
  const problems = checks?.filter((check) => check.state !== 'ok') ?? [];
  const fixes = problems.map((one) => fixOf(one, keymap));
  const missing = problems.filter((check) => check.state === 'missing');
  const mending = useMending(port, wizard, checks, look, note.say, { progress, setProgress });
  const looking =
    progress ?? (checks === null ? 'checking that everything a run needs is here' : null);

  const [goingOn, setGoingOn] = useState<'next' | 'without' | null>(null);
  /** @param isFresh the checks were just made */
  const goOn = (how: 'next' | 'without', isFresh = false) => {
    setGoingOn(null);
    if (wizard.change.text.trim() === '') note.say('Type what is to be changed first.');
    else if (checks === null || progress !== null) {
      note.say(
        progress === null
          ? 'Checking that everything a run needs is here; then it continues…'
          : 'Aider is being installed; then it continues…',
      );
      setGoingOn(how);
    } else if (missing.length > 0 && !isFresh) {
      // It may have been mended elsewhere.
      setGoingOn(how);
      void look();
    } else if (missing.length > 0) {
      note.say(
        missing
          .map((one) => `${capital(one.name)}: ${ended(one.text)} ${fixOf(one, keymap).words}`)
          .join(' '),
      );
    } else {
      port.remember(wizard.change.text.trim());
      if (how === 'next') onNext();
      else onWithoutPrd();
    }
  };
  useEffect(() => {
    if (goingOn !== null && checks !== null && progress === null && !dialogs.isOpen) {
      goOn(goingOn, true);
    }
  });
  const openEditor = useEditor(port, note.say);
  const edit = async () => {
    const text = await openEditor('change.md', wizard.change.text);
    if (text !== null) wizard.setChange(textBuffer(text.replace(/\n$/, '')));
  };
  const earlier = port.history();
  const actions: ActionsOf<'change'> = {
    'change.next': {
      run: () => goOn('next'),
      ...(missing.length > 0 ? { hint: 'check again' } : {}),
    },
    'change.withoutPrd': {
      run: () => goOn('without'),
      refusal:
        port.facts.source.kind === 'planner'
          ? null
          : `this run asks for no PRD; ${keymap.label('change.next')} continues`,
    },
    'change.problems': {
      run: () =>
        void dialogs.open({
          kind: 'choose',
          title: 'What is missing',
          items: problems.map((one) =>
            `${one.name}: ${ended(one.text)} ${fixOf(one, keymap).chosen}`.trim(),
          ),
          onDone: (index) => {
            const name = fixes[index]?.action;
            if (name) perform(mending[name], '', note.say);
          },
        }),
      refusal:
        checks === null
          ? 'this is still being checked'
          : problems.length === 0
            ? 'nothing is missing'
            : null,
    },
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
  useActions({ context: 'change', actions, say: note.say });

  // The field keeps at least four rows, however much is missing; where there is no room, each problem has a line.
  const most = Math.max(1, rows - 8 - note.height);
  const whole = checkLines(problems, cols, keymap);
  const short = problems.map((one): CheckLine => {
    const { action, short } = fixOf(one, keymap);
    const key = action === null ? '' : `${keymap.label(action)} `;
    return { text: `${one.name}: ${key}${short}`, state: one.state, head: true };
  });
  const fits = whole.length <= most;
  const shown = fits ? whole : short.slice(0, Math.max(1, most - 1));
  const more = fits
    ? ''
    : `${problems.length > shown.length ? `${problems.length - shown.length} more; ` : ''}${keymap.label('change.problems')} shows all of it`;
  const height = Math.max(1, rows - Math.max(1, shown.length + (fits ? 0 : 1)) - 4 - note.height);
  return (
    <ScreenFrame
      context="change"
      note={note}
      actions={actions}
      hints={[
        'change.next',
        ...new Set(fixes.flatMap(({ action }) => action ?? [])),
        ...(fits ? [] : (['change.problems'] as const)),
        'change.newline',
        'change.editor',
        'change.leave',
        'change.history',
        'change.key',
      ]}
      typing
    >
      <Line> </Line>
      <CheckList lines={shown} more={more} looking={looking} />
      <Line bold>{fill(' What is to be changed?', cols)}</Line>
      <Box paddingX={2} height={height} overflow="hidden">
        <TextArea
          buffer={wizard.change}
          onChange={(change) => {
            setGoingOn(null);
            note.say('');
            wizard.setChange(change);
          }}
          onEdge={history}
          width={Math.max(1, cols - 4)}
          height={height}
        />
      </Box>
    </ScreenFrame>
  );
}

function useChecks(port: WizardPort, model: string) {
  const [checks, setChecks] = useState<readonly PrerequisiteToMend[] | null>(null);
  const looks = useRef(0);
  const look = async (now = model) => {
    looks.current += 1;
    const own = looks.current;
    setChecks(null);
    const found = await port.prerequisites(now);
    // An older look may take longer.
    if (own === looks.current) setChecks(found);
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

/** A name and an address as git shows them, `Name <address>`; null where one is missing. */
function identityIn(text: string): { readonly name: string; readonly email: string } | null {
  const [name = '', rest = ''] = text.trim().split('<', 2);
  const email = rest.endsWith('>') ? rest.slice(0, -1).trim() : '';
  return name.trim() !== '' && /^[^\s<>]+$/.test(email) ? { name: name.trim(), email } : null;
}

function useMending(
  port: WizardPort,
  wizard: Wizard,
  known: readonly PrerequisiteToMend[] | null,
  look: (model?: string) => Promise<void>,
  say: (note: string) => void,
  installing: {
    readonly progress: string | null;
    readonly setProgress: (progress: string | null) => void;
  },
): Pick<ActionsOf<'change'>, FixName> {
  const { progress, setProgress } = installing;
  const needs = (kind: MendAction['kind']) =>
    known?.some(({ action }) => action?.kind === kind) ?? false;
  const looking =
    progress !== null
      ? 'Aider is being installed'
      : known === null
        ? 'this is still being checked'
        : null;
  const dialogs = useDialogs();
  const askModel = useModelDialog(port);
  const keys = useKeyAction(port, say, () => look(), wizard.choices.model);
  const models = useGeminiModelAction(port, say, () => look());
  const install = async () => {
    setProgress('Installing Aider (about a minute, 700 MB); type on meanwhile…');
    const done = await port.installAider((line) => setProgress(`Installing Aider: ${line}`));
    setProgress(null);
    say(done.ok ? 'Aider is installed.' : describe(done.failure).message);
    await look();
  };
  const stash = async () => {
    const done = await port.stash();
    if (!done.ok) say(describe(done.failure).message);
    else if (done.value) say('The changes are stashed; git stash pop brings them back.');
    else say('No tracked file has changes.');
    await look();
  };
  return {
    'change.key': keys,
    'change.model': models,
    'change.install': {
      run: () => void install(),
      refusal: looking ?? (needs('install') ? null : 'Aider is installed'),
    },
    // Git is asked when it is pressed: an editor may have written meanwhile.
    'change.stash': { run: () => void stash() },
    'change.identity': {
      refusal: looking ?? (needs('identity') ? null : 'git knows who commits'),
      run: () =>
        void dialogs.open({
          kind: 'field',
          title: 'Who commits?',
          lines: ['As git is to write it in this repository: Your Name <you@example.com>'],
          problem: (text) =>
            identityIn(text) === null ? 'Write a name, and an address in angle brackets.' : null,
          onDone: (text) => {
            const identity = identityIn(text);
            if (!identity) return;
            void port.setIdentity(identity.name, identity.email).then(async (done) => {
              say(
                done.ok
                  ? `Commits in this repository are by ${identity.name}.`
                  : describe(done.failure).message,
              );
              await look();
            });
          },
        }),
    },
    'change.aiderModel': {
      run: () =>
        askModel(wizard.choices.model, (model) => {
          wizard.choose({ model });
          say(`Aider uses ${model}.`);
          void look(model);
        }),
    },
  };
}

interface CheckLine {
  readonly text: string;
  readonly state: PrerequisiteToMend['state'];
  readonly head: boolean;
}

function checkLines(
  problems: readonly PrerequisiteToMend[],
  cols: number,
  keymap: Keymap,
): CheckLine[] {
  return problems.flatMap((check) => [
    ...proseLines(`${check.name}: ${check.text}`, Math.max(8, cols - 5)).map((line, row) => ({
      text: line,
      state: check.state,
      head: row === 0,
    })),
    ...proseLines(fixOf(check, keymap).words, Math.max(8, cols - 9))
      .filter(Boolean)
      .map((line) => ({ text: `    ${line}`, state: check.state, head: false })),
  ]);
}

function CheckList(props: {
  readonly lines: readonly CheckLine[];
  /** What there is beside the lines, and how it is seen; '' for nothing. */
  readonly more: string;
  /** What is under way instead, such as a check; null when nothing is. */
  readonly looking: string | null;
}) {
  const { theme } = useEnvironment();
  const { cols } = useSize();
  const glyphs = glyphsOf(theme);
  if (props.looking !== null) {
    return (
      <Box height={1} overflow="hidden">
        <Line> </Line>
        <Spinner type={theme.unicode ? 'dots' : 'line'} />
        <Line dim>{cut(` ${props.looking}`, cols - 3)}</Line>
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
      {props.more !== '' && <Line colour="yellow">{cut(`   ${props.more}`, cols)}</Line>}
    </Box>
  );
}
