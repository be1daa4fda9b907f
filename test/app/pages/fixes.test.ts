import { describe, expect, test } from 'vitest';
import { makeKeymap } from '../../../source/app/keymap.js';
import { fixOf } from '../../../source/app/pages/fixes.js';
import type { PrerequisiteToMend } from '../../../source/app/ports.js';
import {
  type PrerequisiteName,
  prerequisiteNames,
} from '../../../source/core/policy/prerequisite.js';

const keymap = makeKeymap({ 'change.key': 'f7', 'change.withoutPrd': 'f8' });

function fix(name: PrerequisiteName, action: PrerequisiteToMend['action'], mend = 'Do this') {
  return fixOf({ name, state: 'missing', text: 'it is not there', mend, action }, keymap);
}

describe('what is missing is fixed', () => {
  test.each<[PrerequisiteName, PrerequisiteToMend['action'], string, string]>([
    [
      'Gemini',
      { kind: 'key', variable: 'K' },
      'change.key',
      'F7 enters a key, F8 continues without a PRD.',
    ],
    [
      'review',
      { kind: 'key', variable: 'K' },
      'change.key',
      'F7 enters a key for Gemini; the review can be turned off on Start.',
    ],
    [
      'model',
      { kind: 'key', variable: 'K' },
      'change.key',
      'F7 enters it, F3 chooses another model.',
    ],
    ['Aider', { kind: 'install' }, 'change.install', 'Ctrl-O installs it.'],
    [
      'Gemini',
      { kind: 'gemini_model' },
      'change.model',
      'Ctrl-G chooses another one, F8 continues without a PRD.',
    ],
    [
      'changes',
      { kind: 'stash' },
      'change.stash',
      'Ctrl-S puts the changes away (git stash); or commit them.',
    ],
    ['identity', { kind: 'identity' }, 'change.identity', 'F5 sets it for this repository.'],
  ])('%s by a key: %j', (name, action, by, words) => {
    expect(fix(name, action)).toMatchObject({ action: by, words });
  });

  test('by the advice of the doctor where no key does it', () => {
    for (const name of prerequisiteNames) {
      const { action, words, short } = fix(name, null, 'Do this\nand that.');
      expect(action).toBe(null);
      expect(short).toBe('it is not there');
      expect(words).toBe(
        name === 'Gemini'
          ? 'Check the network and the proxy; F8 continues without a PRD.'
          : 'Do this; and that.',
      );
    }
    expect(fix('disk', null, '').words).toBe('');
  });
});
