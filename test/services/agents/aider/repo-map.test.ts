import { expect, test } from 'vitest';
import { cutMap } from '../../../../source/services/agents/aider/repo-map.js';

test("the map without Aider's words", () => {
  expect(
    cutMap(
      'Aider v1\nRepo-map: using 4096 tokens\nHere are summaries of some files\nDo not propose changes to\nIf you need to edit any\n\nsrc/a.py:\n│def slug(a):  \n',
    ),
  ).toBe('src/a.py:\n│def slug(a):');
  // After a spinner that was taken back.
  expect(cutMap('Repo-map\n░█\b\b  \b\bHere are summaries of some files\n\nsrc/a.py:\n')).toBe(
    'src/a.py:',
  );
  expect(cutMap('Error')).toBe(null);
});
