import { Box } from 'ink';
import { describe, expect, test, vi } from 'vitest';
import type { Scope } from '../../../source/app/actions.js';
import { type Dialog, DialogProvider, useDialogs } from '../../../source/app/components/dialogs.js';
import { eventually } from '../../eventually.js';
import { show } from './rig.js';

function Opener({ dialog }: { readonly dialog: Dialog }) {
  const dialogs = useDialogs();
  return <Box>{dialogs.isOpen ? null : <Once run={() => dialogs.open(dialog)} />}</Box>;
}

function Once({ run }: { readonly run: () => void }) {
  queueMicrotask(run);
  return null;
}

function showDialog(dialog: Dialog, cols = 80, rows = 24) {
  return show(
    <DialogProvider>
      <Opener dialog={dialog} />
    </DialogProvider>,
    cols,
    rows,
  );
}

describe('dialogs', () => {
  test('a question: y does it, and panes leave room for it', async () => {
    const onYes = vi.fn();
    const view = showDialog({
      kind: 'confirm',
      title: 'Kill it?',
      lines: ['Really.'],
      yes: 'kill',
      onYes,
    });
    await view.shows('Kill it?');
    expect(view.frame()).toContain('y kill, n or Enter cancel');
    expect(view.surface.holes).toEqual([{ x: 18, y: 10, width: 44, height: 3 }]);
    // A key that goes on elsewhere throws nothing away here.
    await view.key('enter');
    expect(onYes).not.toHaveBeenCalled();
    await view.key('y');
    expect(onYes).toHaveBeenCalledTimes(1);
  });

  test('nothing of a question is cut, in the smallest window either', async () => {
    const fields = {
      title: 'Take over agent12 (T12-with-a-long-name-of-its-own)?',
      lines: [
        'Its process ends, and an interactive Aider starts in its worktree: i types into it.',
        'When you leave it (/exit), the work is judged like any other.',
      ],
    };
    const dialogs: readonly Dialog[] = [
      { kind: 'confirm', ...fields, yes: 'take over', onYes: () => {} },
      { kind: 'message', ...fields, copies: { text: 'a', name: 'text' }, say: () => {} },
      { kind: 'field', ...fields, onDone: () => {} },
    ];
    for (const dialog of dialogs) {
      for (const [cols, rows] of [
        [50, 14],
        [80, 24],
        [200, 60],
      ] as const) {
        const view = showDialog(dialog, cols, rows);
        await view.shows('like any other');
        const words = view.frame().replace(/[│╭╮╰╯─\s]+/g, ' ');
        for (const text of [fields.title, ...fields.lines]) expect(words).toContain(text);
      }
    }
  });

  test('a choice', async () => {
    const onDone = vi.fn();
    const view = showDialog({
      kind: 'choose',
      title: 'Which?',
      items: ['one', 'two', 'three'],
      onDone,
    });
    await view.shows('▸ one');
    await view.key('j');
    await view.shows('▸ two');
    await view.key('enter');
    expect(onDone).toHaveBeenCalledWith(1);
  });

  test('a finder: fuzzy, several at once', async () => {
    const onDone = vi.fn();
    const items = ['src/date.ts', 'src/show.ts', 'README.md', 'test/date.test.ts'];
    const view = showDialog({
      kind: 'find',
      title: 'Files',
      none: 'No file matches.',
      items,
      onDone,
    });
    await view.shows('README.md');
    await view.type('date');
    await eventually(() => expect(view.frame()).not.toContain('README.md'));
    await view.key('tab');
    await view.shows('1 selected');
    await view.key('down');
    await view.key('tab');
    await view.shows('2 selected');
    await view.key('enter');
    const taken = onDone.mock.calls[0]?.[0] as string[] | undefined;
    expect(taken?.toSorted()).toEqual(['src/date.ts', 'test/date.test.ts']);
  });

  test('help: the keys of this place first, with why they do nothing, and typing narrows it', async () => {
    const scope: Scope = {
      context: 'summary',
      actions: () => ({ 'summary.land': { run: () => {}, refusal: 'nothing is merged' } }),
      say: () => {},
    };
    const view = showDialog({ kind: 'help', scopes: [scope], typing: false });
    await view.shows(/Summary\s[\s\S]*land the merged work \(not now: nothing is/);
    await view.type('worktree');
    await view.shows("open a shell in the agent's worktree");
    expect(view.frame()).not.toContain('land the');
  });
});
