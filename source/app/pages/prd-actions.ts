import { useRef } from 'react';
import { describe } from '../../core/policy/failure.js';
import type { ActionsOf } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import { useEditor } from '../editor.js';
import type { WizardPort } from '../ports.js';
import { useEnvironment } from '../surface.js';
import type { Wizard } from '../wizard.js';
import { useGeminiModelAction, useKeyAction } from './keys-and-models.js';
import { ownPrd } from './prd-words.js';

export interface PrdActionsOptions {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  readonly onNext: () => void;
  readonly onWithoutPrd: () => void;
  readonly onBack: () => void;
  /** There is a PRD, and it is whole. */
  readonly hasPrd: boolean;
  readonly say: (text: string) => void;
}

/** What can be done with the PRD. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of actions, each with what it needs.
export function usePrdActions(options: PrdActionsOptions): ActionsOf<'prd'> {
  const { port, wizard, onNext, onWithoutPrd, onBack, hasPrd, say } = options;
  const { keymap } = useEnvironment();
  const dialogs = useDialogs();
  const { making, draft, problem, half } = wizard;
  const opened = useRef('');
  const idle = making === null;
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
  const start = hasPrd ? (draft?.prd ?? '') : half === '' ? ownPrd(wizard.change.text) : half;
  const keyAction = useKeyAction(port, say, () => {}, wizard.choices.model);
  const modelAction = useGeminiModelAction(port, say, () => {});
  const nextRefusal = () => {
    if (busy !== null) return busy;
    if (!hasPrd) return 'there is no PRD yet';
    return problem === null ? null : 'some of its tasks could not be read; edit them';
  };
  return {
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
}
