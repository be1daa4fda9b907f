import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  maskSecrets,
  outputLimit,
  secretsIn,
  trimOutput,
} from '../../../source/core/policy/test-run.js';

describe('the output of a failing check', () => {
  const noise = Array.from({ length: 3000 }, (_, index) => `ok ${index} all is well here`);

  test('a short one is shown whole', () => {
    expect(trimOutput('one\n\n\ntwo  \n')).toBe('one\n\ntwo');
  });

  test('of a long one: the failure in the middle and the end; what is left out is counted', () => {
    const lines = noise
      .with(1000, 'AssertionError: expected 3 to be 4')
      .concat('1 failed, 2999 passed');
    const shown = trimOutput(lines.join('\n'));
    expect(shown.length).toBeLessThan(outputLimit * 1.2);
    expect(shown).toContain('expected 3 to be 4');
    expect(shown).toContain('1 failed, 2999 passed');
    expect(shown).toMatch(/\[\d+ lines left out\]/);
  });

  test('never much longer than the limit, and every line of it is one of the output', () => {
    const line = fc.oneof(fc.string(), fc.constant('error: no'), fc.string({ maxLength: 2000 }));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 200 }), (lines) => {
        const text = lines.join('\n');
        const shown = trimOutput(text, 500);
        const own = shown.split('\n').filter((one) => !/^\[\d+ lines? left out\]$/.test(one));
        expect(own.join('\n').length).toBeLessThanOrEqual(500);
        const known = new Set(text.split('\n').map((one) => one.trimEnd().slice(0, 300)));
        expect(own.filter((one) => one !== '' && !known.has(one))).toEqual([]);
      }),
    );
  });

  test('secrets are masked: by their value, and by the form of a key', () => {
    const env = { OPENAI_API_KEY: 'abcdef123', MY_TOKEN: 'abcdef', HOME: '/home/me', KEY: 'x' };
    const secrets = secretsIn(env);
    expect(secrets.sort()).toEqual(['abcdef', 'abcdef123']);
    expect(maskSecrets('k=abcdef123 t=abcdef /home/me', secrets)).toBe('k=*** t=*** /home/me');
    expect(maskSecrets('Bearer sk-abcdefghijklmnop and ghp_aaaaaaaaaaaaaaaaaaaaaa', [])).toBe(
      'Bearer *** and ***',
    );
  });
});
