import { useEffect, useRef } from 'react';
import { describe } from '../../core/policy/failure.js';
import type { Action } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import type { ActionName } from '../keymap.js';
import type { WizardPort } from '../ports.js';
import { useEnvironment } from '../surface.js';

/** Ports whose page was opened unasked: that is done once. */
const opened = new WeakSet<WizardPort>();

/** Shows the run of this screen in a browser too. @param name the action, whose key gives another address */
export function useBrowser(
  port: WizardPort,
  say: (text: string) => void,
  name: ActionName & `${string}.web`,
): Action {
  const dialogs = useDialogs();
  const { keymap } = useEnvironment();
  const isOpening = useRef(false);
  const open = async () => {
    if (isOpening.current) return;
    isOpening.current = true;
    say('Opening the page…');
    const page = await port.openPage().finally(() => {
      isOpening.current = false;
    });
    if (!page.ok) {
      say(describe(page.failure).message);
      return;
    }
    say('');
    const { address, acts, isAsked, port: far } = page.value;
    dialogs.open({
      kind: 'message',
      title: 'This run in a browser',
      lines: [
        address,
        '',
        isAsked
          ? 'Your browser was asked to open it; if it cannot, open this address.'
          : 'Open it in a browser of this machine.',
        ...(far === null ? [] : [`From another machine, first: ssh -L ${far}:127.0.0.1:${far}`]),
        acts ? 'Who opens it may act on this run.' : 'Who opens it can only watch.',
        `It is good for one browser and for half an hour; ${keymap.label(name)} gives another one.`,
        'The page is there until you leave this screen.',
      ],
      copies: { text: address, name: 'address' },
      say,
    });
  };
  const latest = useRef(open);
  latest.current = open;
  useEffect(() => {
    if (!port.wantsPage || opened.has(port)) return;
    opened.add(port);
    void latest.current();
  }, [port]);
  return { run: () => void open() };
}
