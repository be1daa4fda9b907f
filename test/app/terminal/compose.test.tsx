import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { Box, render, Text } from 'ink';
import type { ReactNode } from 'react';
import { describe, expect, test } from 'vitest';
import { InkHost } from '../../../source/app/terminal/ink-host.js';

const cols = 30;
const rows = 10;

/** What our composer makes of a tree. */
function composed(node: ReactNode): string[] {
  let lines: readonly string[] = [];
  const host = new InkHost(cols, rows, (frame) => {
    lines = frame;
  });
  host.show(node);
  host.close();
  return [...lines];
}

/** What Ink itself does. */
function drawnByInk(node: ReactNode): string[] {
  let last = '';
  const stdout = Object.assign(new EventEmitter(), {
    columns: cols,
    rows,
    isTTY: true,
    write: (text: string) => {
      if (!/^\x1b\[\?25[hl]$/.test(text)) last = text;
      return true;
    },
  });
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => stdin,
    ref: () => stdin,
    unref: () => stdin,
  });
  const options = { debug: true, exitOnCtrlC: false, patchConsole: false };
  const app = render(node, { ...options, stdout: stdout as never, stdin: stdin as never });
  const text = last;
  app.unmount();
  return text.split('\n');
}

const plain = (lines: readonly string[]) =>
  lines.map((line) => stripVTControlCharacters(line).trimEnd());

// Without wide characters: where two boxes share one, Ink leaves a row that is too long.
const words = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', 'é', '─', '│'),
  minLength: 1,
  maxLength: 40,
});
const text = fc.record({
  words,
  bold: fc.boolean(),
  wrap: fc.constantFrom('truncate' as const, 'wrap' as const),
});
const box = fc.record({
  width: fc.integer({ min: 1, max: 20 }),
  height: fc.integer({ min: 1, max: 4 }),
  hidden: fc.boolean(),
  texts: fc.array(text, { maxLength: 3 }),
});

describe('frames', () => {
  test('are what Ink draws, whatever the boxes and texts', () => {
    fc.assert(
      fc.property(
        fc.array(box, { maxLength: 4 }),
        fc.option(fc.record({ x: fc.nat(12), y: fc.nat(6), words })),
        (boxes, popup) => {
          const node = (
            <Box width={cols} height={rows} overflow="hidden">
              <Box flexDirection="column" width={cols} height={rows} overflow="hidden">
                {boxes.map(({ width, height, hidden, texts }, index) => (
                  <Box
                    // biome-ignore lint/suspicious/noArrayIndexKey: nothing moves
                    key={index}
                    width={width}
                    height={height}
                    flexShrink={0}
                    flexDirection="column"
                    overflow={hidden ? 'hidden' : 'visible'}
                  >
                    {texts.map((one, at) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: nothing moves
                      <Text key={at} bold={one.bold} wrap={one.wrap}>
                        {one.words}
                        <Text inverse>{'<'}</Text>
                      </Text>
                    ))}
                  </Box>
                ))}
              </Box>
              {popup && (
                <Box position="absolute" marginLeft={popup.x} marginTop={popup.y} width={12}>
                  <Text wrap="truncate">{popup.words}</Text>
                </Box>
              )}
            </Box>
          );
          expect(plain(composed(node))).toEqual(plain(drawnByInk(node)));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a box above cuts what lies below it, and styles stay with their letters', () => {
    const lines = composed(
      <Box width={cols} height={2}>
        <Text bold>abcdefghij日</Text>
        <Box position="absolute" marginLeft={3} width={4}>
          <Text>----</Text>
        </Box>
        <Box position="absolute" marginLeft={11} width={2}>
          <Text>++</Text>
        </Box>
      </Box>,
    );
    expect(plain(lines)[0]).toBe('abc----hij ++');
    const cutTwice = composed(
      <Box width={cols} height={1}>
        <Text>日本語日本</Text>
        <Box position="absolute" marginLeft={3} width={4}>
          <Text>----</Text>
        </Box>
      </Box>,
    );
    expect(plain(cutTwice)[0]).toBe('日 ---- 本');
  });
});
