import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Input, type KeyPress, type MouseEvent } from '../../../source/app/terminal/input.js';
import { eventually } from '../../eventually.js';

/** What was told of what a terminal sent. */
class Told {
  readonly keys: KeyPress[] = [];
  readonly pastes: string[] = [];
  readonly mice: MouseEvent[] = [];
  readonly input: Input;

  constructor(takesText = false) {
    this.input = new Input({
      key: (key) => void this.keys.push(key),
      paste: (text) => void this.pastes.push(text),
      mouse: (event) => void this.mice.push(event),
      takesText,
    });
  }

  feed(...chunks: readonly string[]): this {
    for (const chunk of chunks) this.input.feed(Buffer.from(chunk));
    return this;
  }

  get names(): string[] {
    return this.keys.map((key) => key.name);
  }
}

/** What terminals answer to questions that we, or a program before us, may have asked. */
const replies = [
  '\x1b[?62;22;52c',
  '\x1b[>41;382;0c',
  '\x1b[=0c',
  '\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\',
  '\x1b]10;rgb:ffff/ffff/ffff\x07',
  '\x1b]4;1;rgb:cccc/0000/0000\x07',
  '\x1b]52;c;cm9vdA==\x07',
  '\x1bP>|XTerm(382)\x1b\\',
  '\x1bP1$r0m\x1b\\',
  '\x1b_Gi=31;OK\x1b\\',
  '\x1b[24;80R',
  '\x1b[?2026;2$y',
  '\x1b[?1u',
  '\x1b[8;24;80t',
  '\x1b[0n',
  '\x1b[I',
  '\x1b[O',
  '\x1b[>1;95;0c',
  // A key that is released, as kitty tells it.
  '\x1b[97;1:3u',
  '\x1b[1;1:3A',
];

describe('what a terminal sends', () => {
  test.each([
    ['a', 'a'],
    ['A', 'A'],
    ['日', '日'],
    ['\r', 'enter'],
    ['\n', 'ctrl+j'],
    ['\t', 'tab'],
    ['\x7f', 'backspace'],
    ['\x03', 'ctrl+c'],
    ['\x1d', 'ctrl+]'],
    ['\x1c', 'ctrl+\\'],
    ['\x1bf', 'alt+f'],
    ['\x1b\r', 'alt+enter'],
    ['\x1b\x7f', 'alt+backspace'],
    ['\x1b[A', 'up'],
    ['\x1bOA', 'up'],
    ['\x1b[1;5C', 'ctrl+right'],
    ['\x1b[1;5H', 'ctrl+home'],
    ['\x1b[Z', 'shift+tab'],
    ['\x1bOP', 'f1'],
    ['\x1b[[A', 'f1'],
    ['\x1b[1;2R', 'shift+f3'],
    ['\x1b[24~', 'f12'],
    ['\x1b[3~', 'delete'],
    ['\x1b[5~', 'pageup'],
    // Modified keys: CSI-u and modifyOtherKeys.
    ['\x1b[13;2u', 'shift+enter'],
    ['\x1b[27;2;13~', 'shift+enter'],
    ['\x1b[99;5u', 'ctrl+c'],
    ['\x1b[27;5;99~', 'ctrl+c'],
    ['\x1b[93;5u', 'ctrl+]'],
    ['\x1b[97;2u', 'A'],
    ['\x1b[49:33;2u', '!'],
    ['\x1b[97u', 'a'],
    ['\x1b[102;3u', 'alt+f'],
    ['\x1b[9;2u', 'shift+tab'],
    ['\x1b[27u', 'esc'],
    ['\x1b[57414u', 'enter'],
    ['\x1b[57400u', '1'],
    ['\x1b[1;1:1A', 'up'],
    ['\x1b[1;5:2C', 'ctrl+right'],
  ])('%j is %s', (bytes, name) => {
    expect(new Told().feed(bytes).names).toEqual([name]);
  });

  test('a lone Esc is a key after a moment, and so is Alt with a character that begins sequences', async () => {
    for (const [bytes, name] of [
      ['\x1b', 'esc'],
      ['\x1b[', 'alt+['],
      ['\x1bO', 'alt+O'],
      ['\x1b]', 'alt+]'],
    ] as const) {
      const told = new Told().feed(bytes);
      expect(told.names).toEqual([]);
      await eventually(() => expect(told.names).toEqual([name]));
      expect(told.feed('a').names).toEqual([name, 'a']);
    }
  });

  test('a sequence that never ends takes nothing along', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    for (const begun of ['\x1b[12;3', '\x1b]11;rgb:1e1e/1e', '\x1bP>|XTe']) {
      const told = new Told().feed(begun);
      // It is dropped when nothing has come for a while.
      vi.advanceTimersByTime(1000);
      expect(told.feed('ab').names).toEqual(['a', 'b']);
    }
    expect(new Told().feed('\x1b[12;3\x1b[A').names).toEqual(['up']);
  });

  test('replies are no keys, however they are cut, typed into the screen or into an agent', () => {
    const noise = fc.array(fc.oneof(fc.constantFrom(...replies), fc.constantFrom('x', 'ß', '日')), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(noise, fc.array(fc.nat({ max: 200 })), fc.boolean(), (pieces, cuts, raw) => {
        const text = Buffer.from(pieces.join(''));
        const told = new Told();
        let sent = '';
        if (raw) {
          told.input.setRaw((bytes) => {
            sent += bytes;
          });
        }
        const places = [0, ...cuts.filter((at) => at < text.length).sort((a, b) => a - b)];
        for (const [index, from] of places.entries()) {
          told.input.feed(text.subarray(from, places[index + 1] ?? text.length));
        }
        const expected = pieces.filter((piece) => !piece.startsWith('\x1b')).join('');
        expect(raw ? sent : told.names.join('')).toBe(expected);
        expect(told.mice).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test('any bytes at all: nothing throws, and a key after them is a key', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
            fc
              .string({ unit: fc.constantFrom(...'\x1b[]OP?<;0123:uMm~A\\_^\x07x\r'.split('')) })
              .map((text) => Buffer.from(text)),
          ),
          { maxLength: 6 },
        ),
        async (chunks) => {
          const told = new Told();
          for (const chunk of chunks) told.input.feed(chunk);
          // Ends whatever has begun.
          told.feed('\x1b[201~\x18', '\x1b\\');
          const before = told.keys.length;
          told.feed('\x1b[A', 'q');
          expect(told.names.slice(before)).toEqual(['up', 'q']);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('the mouse, between keys', () => {
    const told = new Told().feed('a\x1b[<0;10;5Mb\x1b[<64;1;', '1Mc');
    expect(told.names).toEqual(['a', 'b', 'c']);
    expect(told.mice).toEqual([
      { kind: 'press', button: 0, x: 9, y: 4 },
      { kind: 'wheel_up', button: 0, x: 0, y: 0 },
    ]);
  });
});

describe('pastes', () => {
  test('marked ones come whole, cut anywhere, with whatever is in them', () => {
    const text = 'one\ntwo \x1b[31mred\x1b[0m\n\x1b]11;x\x07end';
    const bytes = `a\x1b[200~${text.replaceAll('\n', '\r')}\x1b[201~b`;
    for (let at = 0; at <= bytes.length; at++) {
      const told = new Told().feed(bytes.slice(0, at), bytes.slice(at));
      expect(told.pastes).toEqual([text]);
      expect(told.names).toEqual(['a', 'b']);
    }
  });

  test('lines that come at once into a field are a paste, without any marks; Enter after a line is not', () => {
    expect(new Told(true).feed('first line\rsecond line\r').pastes).toEqual([
      'first line\nsecond line\n',
    ]);
    const typed = new Told(true).feed('first line\r');
    expect(typed.pastes).toEqual([]);
    expect(typed.names.at(-1)).toBe('enter');
    expect(new Told(false).feed('jj\rkk').names).toEqual(['j', 'j', 'enter', 'k', 'k']);
  });
});

describe('typing into an agent', () => {
  const typed = (leaveKeys: readonly string[], ...chunks: readonly string[]) => {
    const told = new Told();
    let sent = '';
    told.input.setRaw((bytes) => {
      sent += bytes;
    }, leaveKeys);
    told.feed(...chunks);
    return { sent, names: told.names };
  };

  test('keys are the bytes that every program knows', () => {
    const bytes = 'ls ä日\r\x03\x1b[A\x1b[1;5C\x1bf\x1b\x7f\x1b[25~';
    expect(typed([], bytes).sent).toBe(bytes);
    expect(typed([], '\x1b[99;5u\x1b[27;5;99~\x1b[13;2u\x1b[97;2u\x1b[102;3u').sent).toBe(
      '\x03\x03\rA\x1bf',
    );
    expect(typed([], '\x1b[200~a\nb\x1b[201~').sent).toBe('\x1b[200~a\nb\x1b[201~');
  });

  test('the keys that leave it are told, also from a terminal that sends CSI-u; what follows is ours', () => {
    expect(typed(['ctrl+]', 'f12'], 'a\x1db')).toEqual({ sent: 'a', names: ['ctrl+]', 'b'] });
    expect(typed(['ctrl+]', 'f12'], 'a\x1b[24~b')).toEqual({ sent: 'a', names: ['f12', 'b'] });
    expect(typed(['ctrl+]'], '\x1b[93;5u')).toEqual({ sent: '', names: ['ctrl+]'] });
    expect(typed(['ctrl+]'], '\x1b[200~\x1d\x1b[201~')).toEqual({
      sent: '\x1b[200~\x1d\x1b[201~',
      names: [],
    });
  });
});
