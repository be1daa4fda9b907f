import { useState } from 'react';
import type { Action } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import type { NeededKey, RunPort, WizardPort } from '../ports.js';
import { useEnvironment } from '../surface.js';

/** Why a text is no API key, a sentence; null when it may be one. */
function keyProblem(text: string): string | null {
  const key = text.trim();
  if (key === '') return 'Enter a key, or cancel with Esc.';
  return /\s/.test(key) ? 'A key has no spaces.' : null;
}

/** Why a text is no name of a model, a sentence; null when it may be one. */
function modelProblem(text: string): string | null {
  const model = text.trim();
  if (model === '') return 'Enter the name of a model, or cancel with Esc.';
  return /\s/.test(model) ? 'The name of a model has no spaces.' : null;
}

/**
 * Asks for an API key; one that is there is replaced. Where several are needed, those that are missing
 * come first.
 * @param onGiven told once a key was given
 * @param model Aider's model, as it is now
 */
export function useKeyAction(
  port: WizardPort,
  say: (text: string) => void,
  onGiven: () => unknown,
  model: string,
): Action {
  const dialogs = useDialogs();
  const needed = [...port.keys(model)].sort((a, b) => Number(a.isSet) - Number(b.isSet));
  const ask = ({ variable, use, isSet }: NeededKey) =>
    dialogs.open({
      kind: 'secret',
      title: variable,
      lines: [
        `The key for ${use}. ${isSet ? 'It replaces the one that is set' : 'It is not set'}.`,
        'It is kept for this run only, and written nowhere.',
      ],
      problem: keyProblem,
      onDone: (text) => {
        port.setKey(variable, text.trim());
        say(`${variable} is set for this run.`);
        void onGiven();
      },
    });
  return {
    run: () => {
      const [first, ...others] = needed;
      if (first && others.length === 0) ask(first);
      else {
        dialogs.open({
          kind: 'choose',
          title: 'Which key?',
          items: needed.map(
            ({ variable, use, isSet }) => `${variable} (${isSet ? 'set' : 'missing'}): ${use}`,
          ),
          onDone: (index) => ask(needed[index] as NeededKey),
        });
      }
    },
    refusal:
      needed.length === 0
        ? `it is not known which key ${model} needs; set it in the environment`
        : null,
  };
}

/** Chooses the Gemini model from those that the key may use. */
export function useGeminiModelAction(
  port: WizardPort,
  say: (text: string) => void,
  onChosen: () => unknown,
): Action {
  const dialogs = useDialogs();
  const [looking, setLooking] = useState(false);
  const choose = async () => {
    setLooking(true);
    say('Asking Gemini for its models…');
    const models = await port.geminiModels();
    setLooking(false);
    if (models.length === 0) {
      say('Gemini did not give its list of models. Is the key right, and the network up?');
      return;
    }
    say('');
    dialogs.open({
      kind: 'choose',
      title: 'Gemini model for the PRD',
      items: models,
      initial: models.indexOf(port.facts.geminiModel),
      onDone: (index) => {
        port.chooseGeminiModel(models[index] ?? '');
        say(`${models[index]} writes the PRD.`);
        void onChosen();
      },
    });
  };
  const { keymap } = useEnvironment();
  const hasKey = port.keys(port.facts.model).some((key) => key.isPlanner && key.isSet);
  const none =
    port.facts.source.kind !== 'planner'
      ? 'this run asks Gemini for no PRD'
      : hasKey
        ? null
        : `there is no Gemini key; ${keymap.label('change.key')} enters one`;
  return { run: () => void choose(), refusal: looking ? 'Gemini is being asked already' : none };
}

/** Asks for the name of a model of Aider's, and for its key where that is missing. */
export function useModelDialog(
  port: WizardPort,
): (now: string, onDone: (model: string) => void) => void {
  const dialogs = useDialogs();
  const askKey = ({ variable, use }: NeededKey, onDone: () => void) =>
    dialogs.open({
      kind: 'secret',
      title: variable,
      lines: [
        `The key for ${use}, which is not set.`,
        'It is kept for this run only, and written nowhere.',
      ],
      problem: keyProblem,
      onDone: (text) => {
        port.setKey(variable, text.trim());
        onDone();
      },
    });
  return (now, onDone) => {
    dialogs.open({
      kind: 'field',
      title: "Aider's model",
      lines: [
        'A name as Aider knows it, such as gpt-4o, anthropic/claude-sonnet-4 or gemini/gemini-2.5-pro.',
      ],
      initial: now,
      problem: modelProblem,
      onDone: (text) => {
        const model = text.trim();
        const missing = port.keys(model).find((key) => key.isAider && !key.isSet);
        if (missing) askKey(missing, () => onDone(model));
        else onDone(model);
      },
    });
  };
}

/** Asks for the command that prepares the worktrees which are made from now on. */
export function useSetupAction(run: RunPort, say: (text: string) => void): Action {
  const dialogs = useDialogs();
  return {
    run: () => {
      const { setup } = run.state().config;
      dialogs.open({
        kind: 'field',
        title: 'Set-up command',
        lines: [
          'It prepares each worktree that is made from now on, such as npm ci; empty for none.',
        ],
        initial: setup ?? '',
        onDone: (text) => {
          const command = text.trim() === '' ? null : text.trim();
          if (command === setup) return say('That is the set-up command already.');
          run.dispatch({ type: 'setup_named', command });
          say(
            command === null
              ? 'New worktrees need no set-up command.'
              : `New worktrees are prepared by \`${command}\`.`,
          );
        },
      });
    },
  };
}
