import fc from 'fast-check';

export const anyText = fc.string({
  unit: fc.constantFrom(
    'a',
    'b ',
    ' ',
    '\n',
    'ä',
    '日',
    '👩‍👩‍👧',
    '👍🏽',
    'e\u0301',
    '\t',
    '\x1b',
    '*',
    '`',
    '|',
    '- ',
    '# ',
    '> ',
    '1. ',
  ),
});
