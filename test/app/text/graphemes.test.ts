import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import {
  cut,
  displayWidth,
  fill,
  straighten,
  styledWidth,
} from '../../../source/app/text/graphemes.js';
import { anyText } from './any-text.js';

test('what is measured the quick way is as wide as string-width says', () => {
  for (let code = 0x20; code < 0x3000; code++) {
    const text = String.fromCharCode(code);
    expect(displayWidth(text), code.toString(16)).toBe(stringWidth(text));
    expect(styledWidth(`\x1b[31m${text}\x1b[0m`), code.toString(16)).toBe(stringWidth(text));
  }
  fc.assert(
    fc.property(anyText, (text) => {
      expect(displayWidth(text)).toBe(stringWidth(text));
    }),
  );
});

test('cut and fill, whatever the text', () => {
  fc.assert(
    fc.property(anyText, fc.nat(30), (text, width) => {
      expect(stringWidth(cut(text, width))).toBeLessThanOrEqual(width);
      expect(stringWidth(fill(text, width))).toBe(width);
      expect(cut(text, width)).not.toMatch(/\p{Cc}/u);
    }),
  );
});

test('the column is set anew after what terminals disagree about', () => {
  expect(straighten('a👩‍👩‍👧b')).toBe('a👩‍👩‍👧\x1b[4Gb');
  expect(straighten('plain 日本')).toBe('plain 日本');
  expect(straighten('\x1b[1m🇩🇪\x1b[0m|')).toBe('\x1b[1m🇩🇪\x1b[3G\x1b[0m|');
});
