import { Box } from 'ink';
import { useEffect, useState } from 'react';
import { capital } from '../../view/agent-facts.js';
import { type ActionsOf, perform, useActions } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { PageFrame, useNote } from '../components/page-frame.js';
import {
  type PrerequisiteLine,
  PrerequisiteList,
  prerequisiteLines,
} from '../components/prerequisite-list.js';
import { TextArea } from '../components/text-area.js';
import { useEditor } from '../editor.js';
import type { WizardPort } from '../ports.js';
import { useEnvironment, useSize } from '../surface.js';
import { fill } from '../text/graphemes.js';
import { insert, textBuffer } from '../text/text-buffer.js';
import type { Wizard } from '../wizard.js';
import { ended, fixOf } from './fixes.js';
import { useMending, usePrerequisites } from './mending.js';

export interface ChangePageProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly onNext: () => void;
  /** Continues without a PRD. */
  readonly onWithoutPrd: () => void;
  readonly onQuit: () => void;
}

/** Step 1: what is missing and how to mend it, and the change. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function ChangePage(props: ChangePageProps) {
  const { port, wizard, onNext, onWithoutPrd, onQuit } = props;
  const { cols, rows } = useSize();
  const { keymap } = useEnvironment();
  const dialogs = useDialogs();
  const { checks, look } = usePrerequisites(port, wizard.choices.model);
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
  const whole = prerequisiteLines(problems, cols, keymap);
  const short = problems.map((one): PrerequisiteLine => {
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
    <PageFrame
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
      <PrerequisiteList lines={shown} more={more} looking={looking} />
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
    </PageFrame>
  );
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
