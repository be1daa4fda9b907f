import { expect, test } from 'vitest';
import { lookingElsewhere } from '../../../source/services/machine/own-environment.js';

test('nothing is looked up below the working folder', () => {
  const env = { PATH: '/bin:.::node_modules/.bin:/usr/bin', PYTHONPATH: ':lib:/x', HOME: '.' };
  expect(lookingElsewhere(env)).toEqual({ PATH: '/bin:/usr/bin', PYTHONPATH: '/x', HOME: '.' });
});
