import { stripVTControlCharacters } from 'node:util';
import { Box } from 'ink';
import { render } from 'ink-testing-library';
import type { ReactNode } from 'react';
import { expect } from 'vitest';
import { makeKeymap } from '../../../source/app/keymap.js';
import { EnvironmentProvider, type Surface } from '../../../source/app/surface.js';
import { FocusStack } from '../../../source/app/terminal/focus-stack.js';
import type { Rect } from '../../../source/app/terminal/painter.js';
import { eventually } from '../../eventually.js';
import { start } from '../../whole-app/harness.js';

/** What a component sees of the terminal, played by hand. */
class PlayedSurface implements Surface {
  readonly focus = new FocusStack();
  holes: readonly Rect[] = [];
  ink: (bytes: string) => void = () => {};

  constructor(
    readonly cols: number,
    readonly rows: number,
  ) {}

  private readonly current = { cols: 80, rows: 24 };
  size() {
    return Object.assign(this.current, { cols: this.cols, rows: this.rows });
  }
  onSize = () => () => {};
  setRaw() {}
  typeIntoInk(bytes: string) {
    this.ink(bytes);
  }
  setPane() {}
  removePane() {}
  setHole(_id: string, hole: Rect | null) {
    this.holes = hole ? [hole] : [];
  }
  paneChanged() {}
  setTitle() {}
  ring() {}
  copy = async () => 'Copied.';
  suspend() {}
  shell = () => '/bin/sh';
  showDiff = async () => 0;
  runProgram = async () => 0;
}

/** Shows a component alone, with what presses its keys and reads its frame. */
export function show(node: ReactNode, cols = 80, rows = 24) {
  const surface = new PlayedSurface(cols, rows);
  const environment = {
    surface,
    keymap: makeKeymap(),
    theme: { colour: false, unicode: true },
    now: () => start,
  };
  const app = render(
    <EnvironmentProvider value={environment}>
      <Box width={cols} height={rows}>
        {node}
      </Box>
    </EnvironmentProvider>,
  );
  surface.ink = (bytes) => app.stdin.write(bytes);
  const key = async (name: string, text = '') => {
    surface.focus.ask((handler) => handler.key({ name, text, sequence: text }));
    // React renders, and runs its effects, in turns of their own.
    for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate);
  };
  const type = (text: string) => key(text, text);
  const frame = () => stripVTControlCharacters(app.lastFrame() ?? '');
  return {
    surface,
    key,
    type,
    frame,
    shows: async (text: string | RegExp) => {
      await eventually(() => expect(frame()).toMatch(text));
      // What is shown may not listen yet.
      for (let turn = 0; turn < 6; turn++) await new Promise(setImmediate);
    },
  };
}
