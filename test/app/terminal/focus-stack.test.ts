import { expect, test } from 'vitest';
import {
  FocusStack,
  type KeyHandler,
  makeLayer,
} from '../../../source/app/terminal/focus-stack.js';

/** Notes that it was asked, and says whether it takes the key. */
function handler(name: string, asked: string[], takes = false, takesText = false): KeyHandler {
  return {
    key: () => {
      asked.push(name);
      return takes;
    },
    takesText,
  };
}

const key = { name: 'x', text: 'x', sequence: 'x' };

test('the layer on top alone is asked, its latest handler first, then what counts everywhere', () => {
  const focus = new FocusStack();
  const asked: string[] = [];
  focus.add(handler('everywhere', asked), 'everywhere');
  focus.add(handler('screen', asked), { layer: focus.base });
  const dialog = makeLayer();
  focus.add(handler('last of the dialog', asked), { layer: dialog, isLast: true });
  focus.add(handler('dialog', asked), { layer: dialog });
  focus.add(handler('field of the dialog', asked), { layer: dialog });
  const close = focus.push(dialog);
  expect(focus.ask((one) => one.key(key))).toBe(false);
  expect(asked).toEqual(['field of the dialog', 'dialog', 'last of the dialog', 'everywhere']);
  asked.length = 0;
  close();
  focus.ask((one) => one.key(key));
  expect(asked).toEqual(['screen', 'everywhere']);
});

test('what takes the key ends the asking; letters come together where a field is on top', () => {
  const focus = new FocusStack();
  const asked: string[] = [];
  focus.add(handler('below', asked, true), { layer: focus.base });
  const remove = focus.add(handler('field', asked, true, true), { layer: focus.base });
  expect(focus.takesText).toBe(true);
  expect(focus.ask((one) => one.key(key))).toBe(true);
  expect(asked).toEqual(['field']);
  remove();
  expect(focus.takesText).toBe(false);
});

test('a layer that goes from below another leaves that on top', () => {
  const focus = new FocusStack();
  const tops: unknown[] = [];
  focus.onChange(() => tops.push(focus.top));
  const [below, above] = [makeLayer(), makeLayer()];
  const [closeBelow, closeAbove] = [focus.push(below), focus.push(above)];
  closeBelow();
  closeBelow();
  expect(focus.top).toBe(above);
  closeAbove();
  expect(tops).toEqual([below, above, above, focus.base]);
});
