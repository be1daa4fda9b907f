import { useEffect, useRef, useState } from 'react';
import { describe } from '../../core/policy/failure.js';
import type { ActionsOf } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import type { MendAction, PrerequisiteToMend, WizardPort } from '../ports.js';
import type { Wizard } from '../wizard.js';
import type { FixName } from './fixes.js';
import { useGeminiModelAction, useKeyAction, useModelDialog } from './keys-and-models.js';

/** How it stands with what a run needs; null while it is looked at. */
export function usePrerequisites(port: WizardPort, model: string) {
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

/** A name and an address as git shows them, `Name <address>`; null where one is missing. */
function identityIn(text: string): { readonly name: string; readonly email: string } | null {
  const [name = '', rest = ''] = text.trim().split('<', 2);
  const email = rest.endsWith('>') ? rest.slice(0, -1).trim() : '';
  return name.trim() !== '' && /^[^\s<>]+$/.test(email) ? { name: name.trim(), email } : null;
}

/** The keys that mend what is missing. */
export function useMending(
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
