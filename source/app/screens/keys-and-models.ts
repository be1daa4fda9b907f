import { useState } from 'react';
import type { Action } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import type { NeededKey, WizardPort } from '../ports.js';

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
      onDone: (text) => {
        if (text.trim() === '') return say('No key was entered; nothing was changed.');
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
        port.chooseGeminiModel(models[index] as string);
        say(`${models[index]} writes the PRD.`);
        void onChosen();
      },
    });
  };
  const none = port.facts.source.kind === 'planner' ? null : 'this run asks Gemini for no PRD';
  return { run: () => void choose(), refusal: looking ? 'Gemini is being asked already' : none };
}

/** Asks for the name of a model of Aider's, and for its key where that is missing. */
export function useModelDialog(
  port: WizardPort,
  say: (text: string) => void,
): (now: string, onDone: (model: string) => void) => void {
  const dialogs = useDialogs();
  const askKey = (model: string, { variable, use }: NeededKey, onDone: () => void) =>
    dialogs.open({
      kind: 'secret',
      title: variable,
      lines: [
        `The key for ${use}, which is not set.`,
        'It is kept for this run only, and written nowhere.',
      ],
      onDone: (text) => {
        if (text.trim() === '') return say(`Without its key ${model} was not taken.`);
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
      onDone: (text) => {
        const model = text.trim();
        if (model === '' || /\s/.test(model)) {
          return say('The name of a model has no blanks; nothing was changed.');
        }
        const missing = port.keys(model).find((key) => key.isAider && !key.isSet);
        if (missing) askKey(model, missing, () => onDone(model));
        else onDone(model);
      },
    });
  };
}
