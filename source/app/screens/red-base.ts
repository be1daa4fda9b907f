import { useEffect, useRef } from 'react';
import { checkWords, lacksSetup } from '../../core/check.js';
import type { RunState } from '../../core/run.js';
import { useDialogs } from '../components/dialogs.js';
import type { RunPort } from '../ports.js';
import { plainLines } from '../text/diff-lines.js';

/**
 * Asks what to do where the tests fail on the base, as soon as that is known, and again after another look. Nothing
 * is lost by any answer.
 * @param onStartAgain leads back to the last step of the wizard
 * @returns asks now, for the key
 */
export function useRedBase(run: RunPort, state: RunState, onStartAgain: () => void): () => void {
  const dialogs = useDialogs();
  const asked = useRef(false);
  const isOpen = state.phase === 'red_base';
  const askAgain = () => {
    asked.current = false;
  };
  const look = () => {
    const { baseCheck } = run.state();
    const failed = baseCheck?.report?.failed ?? [];
    const names = failed.length > 0 ? `Failed:\n${failed.join('\n')}\n\n` : '';
    const text = `${names}${baseCheck?.output || 'They printed nothing.'}`;
    askAgain();
    dialogs.open({
      kind: 'viewer',
      title: 'The tests on the base',
      source: (width) => plainLines(text, width),
    });
  };
  const name = () => {
    askAgain();
    dialogs.open({
      kind: 'field',
      title: 'Test command',
      lines: ['The base is tested again, with this command.'],
      initial: run.state().config.check?.command ?? '',
      onDone: (command) => {
        if (command.trim() !== '') run.dispatch({ type: 'tests_named', command: command.trim() });
      },
    });
  };
  const setup = () => {
    askAgain();
    dialogs.open({
      kind: 'field',
      title: 'Set-up command',
      lines: ['The base is tested again, prepared by this command; empty for none.'],
      initial: run.state().config.setup ?? '',
      onDone: (text) => {
        const command = text.trim() === '' ? null : text.trim();
        if (command !== run.state().config.setup) run.dispatch({ type: 'setup_named', command });
      },
    });
  };
  const ask = () => {
    const { baseCheck, config } = run.state();
    asked.current = true;
    const rule = baseCheck?.report
      ? 'Continue: keep what passes, land only green work'
      : 'Continue: land only green work';
    const noSetup = baseCheck !== null && lacksSetup(baseCheck);
    dialogs.open({
      kind: 'choose',
      title: noSetup ? 'The tests could not run on the base' : 'The tests fail on the base',
      lines: [
        `${config.check?.command ?? ''}: ${baseCheck ? checkWords(baseCheck) : 'not run'}. No agent has started.`,
      ],
      items: [
        rule,
        'Continue: the tests are only reported',
        'Show what they printed',
        'Set another test command',
        'Back to Start; the draft stays as it is',
        'Set another set-up command',
      ],
      initial: noSetup ? 5 : 0,
      onDone: (index) => {
        if (index === 0) run.dispatch({ type: 'red_base_decided', how: 'fix' });
        else if (index === 1) run.dispatch({ type: 'red_base_decided', how: 'report' });
        else if (index === 2) look();
        else if (index === 3) name();
        else if (index === 5) setup();
        else onStartAgain();
      },
    });
  };
  useEffect(() => {
    if (!isOpen) asked.current = false;
    else if (!asked.current && !dialogs.isOpen) ask();
  });
  return ask;
}
