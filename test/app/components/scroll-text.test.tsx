import { describe, expect, test } from 'vitest';
import { ScrollText } from '../../../source/app/components/scroll-text.js';
import { show } from './rig.js';

describe('a long text', () => {
  const lines = Array.from({ length: 50 }, (_, line) => `row ${line}`);
  const text = (close = () => {}) =>
    show(<ScrollText lines={lines} width={40} height={11} onClose={close} />);

  test('is scrolled, with its position', async () => {
    const view = text();
    expect(view.frame()).toContain('1-10 of 50');
    await view.key('pagedown');
    await view.shows('11-20 of 50');
    await view.key('G');
    await view.shows('41-50 of 50');
    await view.key('k');
    await view.shows('40-49 of 50');
    await view.key('g');
    await view.shows('1-10 of 50');
  });

  test('is searched, on and back, round the end', async () => {
    const view = text();
    await view.key('/');
    await view.type('row 4');
    await view.shows('/row 4');
    await view.key('enter');
    await view.shows('/row 4: 11 lines');
    await view.key('n');
    await view.shows('row 40');
    await view.key('N');
    await view.shows('1-10 of 50');
    await view.key('N');
    await view.shows('row 49');
  });
});
