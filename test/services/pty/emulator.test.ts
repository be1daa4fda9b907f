import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { HeadlessTerminal } from '#xterm';
import {
  findAiderQuestion,
  findSymptoms,
} from '../../../source/services/agents/aider/screen-facts.js';
import { Emulator } from '../../../source/services/pty/emulator.js';
import { type PtyProcess, spawnPty } from '../../../source/services/pty/pty-process.js';
import { env, exitOf, start } from './rig.js';

describe('the screen', () => {
  async function screenOf(script: string, cols = 40): Promise<Emulator> {
    const process = spawnPty({
      file: '/bin/sh',
      args: ['-c', script],
      cwd: '/',
      env,
      cols,
      rows: 10,
    });
    const screen = new Emulator(cols, 10);
    screen.attach(process, () => {});
    await exitOf(process);
    await screen.drawn();
    return screen;
  }

  test("failure texts count in Aider's colours alone, also when they are broken across lines", async () => {
    const red = (text: string) => `\\033[38;2;255;34;34m${text}\\033[0m\\n`;
    const script = `printf '${red('Only 3 reflections allowed,')}${red('stopping.')}The LLM did not conform to the edit format.\\n'; printf '${red('litellm.NotFoundEr')}'`;
    const runs = (await screenOf(script)).runs();
    expect(findSymptoms(runs)).toEqual(['gave_up']);
    const long = red('Model openai/a-very-long-name-of-a-model has hit a token limit!');
    expect(findSymptoms((await screenOf(`printf '${long}'`, 30)).runs())).toEqual(['token_limit']);
  });

  test('a failure text that is written over a spinner is found', async () => {
    const red = '\\033[38;2;255;34;34mlitellm.NotFoundError: no such model\\033[0m';
    const screen = await screenOf(
      `printf '  #=   Waiting for gpt-4o\\b\\b\\b\\b\\b\\b\\b\\b\\b\\b${red}\\n'`,
      80,
    );
    expect(screen.lines()[0]).toMatch(/^ {2}#=/);
    expect(findSymptoms(screen.runs())).toEqual(['model_unknown']);
  });

  test('a mark gives the lines since then, also when much has scrolled off', async () => {
    const screen = new Emulator(40, 10, 100);
    const first = start('seq 1 50');
    screen.attach(first, () => {});
    await exitOf(first);
    await screen.drawn();
    const since = screen.mark();
    const second = start('seq 1001 1500');
    screen.attach(second, () => {});
    await exitOf(second);
    await screen.drawn();
    const lines = screen.lines(since()).filter(Boolean);
    expect(lines.at(-1)).toBe('1500');
    expect(lines).not.toContain('50');
  });

  test.each([
    ['Add a.py to the chat? (Y)es/(N)o [Yes]: ', true],
    ['Open a GitHub Issue pre-filled with the above error in your browser? (Y/n) ', true],
    ['> ', true],
    ['Is this (Y/n) a question', false],
    ['Tokens: 2.5k sent', false],
    ['', false],
  ])('question on the line of the cursor: %j', (line, asks) => {
    expect(findAiderQuestion([line]) !== null).toBe(asks);
  });

  test('wide characters and emoji take the columns they take', async () => {
    const screen = await screenOf("printf '日本語 👍🏽 é\\n'");
    expect(screen.lines()[0]).toContain('日本語');
  });
});

test('a screen that is packed shows the same when it is looked at again', async () => {
  const unit = fc.constantFrom('a', 'ß', '日', '👍🏽', 'e\u0301', ' ', '-----------------');
  const piece = fc.oneof(
    { weight: 5, arbitrary: fc.string({ unit, maxLength: 12 }) },
    {
      weight: 3,
      arbitrary: fc.constantFrom('\r\n', '\r\n\r\n', '\x1b[3;2H', '\x1b[5C', '\x1b[?25l'),
    },
    {
      weight: 3,
      arbitrary: fc
        .constantFrom('0', '1;31', '7', '48;5;20', '38;2;1;2;3')
        .map((code) => `\x1b[${code}m`),
    },
  );
  /** Each letter with its style; that of a blank is seen only where it has a background. */
  const visible = (row: string) => {
    let style = '';
    return row.split(/(\x1b\[[\d;]*m)/).flatMap((part) => {
      if (part.startsWith('\x1b[') && part.endsWith('m')) {
        style = part;
        return [];
      }
      const filled = /;(7|48)[;m]/.test(style);
      return [...part].map((letter) => (letter === ' ' && !filled ? ' ' : `${style}${letter}`));
    });
  };
  const seen = (screen: Emulator) => ({
    rows: Array.from({ length: screen.length }, (_, y) =>
      visible(screen.row(y, 0, screen.cols, 1, true)),
    ),
    // Whether the first row goes on from one that is gone tells nothing.
    wrapped: screen.wrappedRows().filter((y) => y > 0),
    cursor: screen.cursor(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 60, size: 'max' }),
      fc.boolean(),
      async (pieces, resize) => {
        const screen = new Emulator(20, 4, 10);
        screen.feed(pieces.join(''));
        await screen.drawn();
        const before = seen(screen);
        expect(await screen.pack()).toBe(true);
        expect(screen.bytes).toBe(0);
        if (!resize) expect(seen(screen)).toEqual(before);
        screen.resize(25, 5);
        expect(screen.cols).toBe(25);
        // It goes on being a terminal.
        screen.feed('\x1b[5;1H\x1b[0m\x1b[2Kmore');
        await screen.drawn();
        expect(screen.rowText(screen.length - 1)).toBe('more');
        screen.dispose();
      },
    ),
    {
      numRuns: 300,
      // A wide character that did not fit leaves a blank in reverse at the end of a row that is not wrapped.
      examples: [[['\x1b[3;2H', 'a', '\x1b[18C\x1b[7m', '日', '\x1b[3;2H', '\r\n'], false]],
    },
  );
});

/** The next call fails as a fault of the emulator would; those that are known are mended. */
function fault(call: 'parse' | 'resize'): void {
  vi.spyOn(HeadlessTerminal.prototype, call).mockImplementationOnce(() => {
    throw new TypeError("Cannot set properties of undefined (setting 'isWrapped')");
  });
}

test('what makes the emulator fail is the end neither of the program nor of the screen', async () => {
  const screen = new Emulator(20, 4, 10);
  const write = vi.fn();
  const ignore = () => {};
  const program: Partial<PtyProcess> = { onData: ignore, onExit: ignore, write };
  screen.attach(program as PtyProcess, ignore);
  screen.feed('\x1b[?2004h\x1b[?1h');
  screen.feed('first\r\nsecond\r\n');
  await screen.drawn();
  const mark = screen.mark();
  fault('parse');
  screen.feed('what the emulator fails over');
  await screen.drawn();
  screen.feed('\x1b[2;1Hgoes on');
  await screen.drawn();
  expect(screen.rowText(1)).toBe('goes on');
  // What an agent is judged by begins where its attempt began, still.
  expect(mark()).toBe(2);
  // The program still has the terminal that it has set, and that answers it.
  expect(screen.modes).toMatchObject({ bracketedPaste: true, applicationCursor: true });
  screen.feed('\x1b[6n');
  await screen.drawn();
  expect(write.mock.calls).toEqual([['\x1b[2;8R']]);
});

test('nor is a size that makes it fail', async () => {
  const screen = new Emulator(12, 4, 6);
  screen.feed('日'.repeat(8));
  await screen.drawn();
  fault('resize');
  screen.resize(4, 1);
  expect([screen.cols, screen.rows]).toEqual([4, 1]);
  expect(screen.lines().join('')).toContain('日');
  screen.feed('\r\non');
  await screen.drawn();
  expect(screen.rowText(screen.length - 1)).toBe('on');
});

test('a screen is packed when nothing prints to it; rows that are held stay held', async () => {
  let unpacked = 0;
  const screen = new Emulator(20, 2, 100, () => {
    unpacked += 1;
  });
  const looked = () => {
    const before = unpacked;
    expect(screen.rowText(0)).toBe('zero');
    return unpacked - before;
  };
  screen.feed('zero\r\none\r\ntwo\r\nthree');
  expect(await screen.pack()).toBe(false);
  await screen.drawn();
  expect(looked()).toBe(0);
  const anchor = screen.anchor(1);
  const mark = screen.mark();
  expect(await screen.pack()).toBe(true);
  expect(screen.rows).toBe(2);
  expect(unpacked).toBe(0);
  expect(anchor?.line()).toBe(1);
  expect(unpacked).toBe(1);
  expect(mark()).toBe(3);
  expect(await screen.pack()).toBe(true);
  expect(looked()).toBe(1);
  expect(looked()).toBe(0);
  screen.feed('\r\nfour\r\n'.repeat(60));
  await screen.drawn();
  expect(anchor?.line()).toBe(null);
});

test('what is drawn on or resized while it is packed stays as it is', async () => {
  const screen = new Emulator(80, 24);
  screen.feed('a line\r\n'.repeat(6000));
  await screen.drawn();
  const drawnOn = screen.pack();
  screen.feed('the last');
  expect(await drawnOn).toBe(false);
  await screen.drawn();
  const resized = screen.pack();
  screen.resize(60, 20);
  expect(await resized).toBe(false);
  expect(screen.bytes).toBeGreaterThan(0);
  expect(await screen.pack()).toBe(true);
  expect(screen.rowText(screen.length - 1)).toBe('the last');
  const disposed = screen.pack();
  screen.dispose();
  expect(await disposed).toBe(false);
});

test('a screen keeps 5,000 lines of scrollback', async () => {
  const screen = new Emulator(40, 10);
  screen.feed(Array.from({ length: 6000 }, (_, line) => `line ${line}`).join('\r\n'));
  await screen.drawn();
  expect(screen.length).toBe(5010);
  expect(screen.rowText(0)).toBe('line 990');
  expect(screen.rowText(5009)).toBe('line 5999');
  screen.dispose();
});
