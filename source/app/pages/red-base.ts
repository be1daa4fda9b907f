import { useEffect, useRef } from 'react';
import type { RedBase } from '../../core/policy/test-report.js';
import { testRunWords } from '../../core/policy/test-run.js';
import type { RunState } from '../../core/run/run.js';
import type { Say } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import type { RunPort } from '../ports.js';
import { plainLines } from '../text/diff-lines.js';
import { useSetupAction } from './keys-and-models.js';

/**
 * Asks what to do where the tests fail on the base, as soon as that is known, and again after another look. Nothing
 * is lost by any answer.
 * @param onStartAgain leads back to the last step of the wizard; null where the run did not come from there
 * @returns asks now, for the key
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table: one entry for each answer.
export function useRedBase(
  run: RunPort,
  state: RunState,
  say: Say,
  onStartAgain: (() => void) | null,
): () => void {
  const dialogs = useDialogs();
  const asked = useRef(false);
  const isOpen = state.phase === 'red_base';
  // The base is tested again by it at once.
  const setup = useSetupAction(run, say);
  const askAgain = () => {
    asked.current = false;
  };
  const look = () => {
    const { baseTestRun } = run.state();
    const failed = baseTestRun?.report?.failed ?? [];
    const names = failed.length > 0 ? `Failed:\n${failed.join('\n')}\n\n` : '';
    const silent = baseTestRun?.lacksSetup ? testRunWords(baseTestRun) : 'They printed nothing.';
    const text = `${names}${baseTestRun?.output || silent}`;
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
      initial: run.state().config.testCommand?.command ?? '',
      onDone: (command) => {
        if (command.trim() !== '') run.dispatch({ type: 'tests_named', command: command.trim() });
      },
    });
  };
  const ask = () => {
    const { baseTestRun, config } = run.state();
    asked.current = true;
    const rule = baseTestRun?.report
      ? 'Continue: keep what passes, land only green work'
      : 'Continue: land only green work';
    const noSetup = baseTestRun?.lacksSetup === true;
    const decide = (how: RedBase) => () => run.dispatch({ type: 'red_base_decided', how });
    const prepare = [
      'Set another set-up command',
      () => {
        askAgain();
        setup.run('');
      },
    ] as const;
    const ways: (readonly [words: string, does: () => void])[] = [
      ...(noSetup ? [prepare] : []),
      [rule, decide('fix')],
      ['Continue: the tests are only reported', decide('report')],
      ['Show what they printed', look],
      ['Set another test command', name],
      ...(onStartAgain === null
        ? []
        : [['Back to Start; the draft stays as it is', onStartAgain] as const]),
      ...(noSetup ? [] : [prepare]),
    ];
    dialogs.open({
      kind: 'choose',
      title: noSetup ? 'The tests could not run on the base' : 'The tests fail on the base',
      lines: [
        `${config.testCommand?.command ?? ''}: ${baseTestRun ? testRunWords(baseTestRun) : 'not run'}. No agent has started.`,
      ],
      items: ways.map(([words]) => words),
      onDone: (index) => ways[index]?.[1](),
    });
  };
  useEffect(() => {
    if (!isOpen) asked.current = false;
    else if (!asked.current && !dialogs.isOpen) ask();
  });
  return ask;
}
