import { describe, expect, test, vi } from 'vitest';
import { TextArea } from '../../../source/app/components/text-area.js';
import { SecretField, TextField } from '../../../source/app/components/text-field.js';
import { insert, type TextBuffer, textBuffer } from '../../../source/app/text/text-buffer.js';
import { eventually } from '../../eventually.js';
import { show } from './rig.js';

describe('fields', () => {
  test.each(['esc', 'ctrl+c'])('%s gives a field up, and nothing more', async (name) => {
    const onCancel = vi.fn();
    const field = show(<TextField width={40} onDone={() => {}} onCancel={onCancel} />);
    await field.type('a');
    await field.shows('a');
    await field.key(name);
    expect(onCancel).toHaveBeenCalledTimes(1);
  });

  test('one line: typed, taken back by whole characters, cleared, done', async () => {
    const onDone = vi.fn();
    const field = show(<TextField width={40} onDone={onDone} onCancel={() => {}} />);
    await field.type('ab👍');
    await field.shows('ab👍');
    await field.key('backspace');
    await field.shows(/^ab\s*$/);
    await field.key('left');
    await field.type('x');
    await field.shows('axb');
    // The letter of a control key is not typed.
    await field.key('ctrl+x');
    expect(field.frame().trim()).toBe('axb');
    await field.key('enter');
    expect(onDone).toHaveBeenCalledWith('axb');
    await field.key('end');
    await field.key('ctrl+u');
    await eventually(() => expect(field.frame().trim()).toBe(''));
  });

  test('one line: a secret is not shown; Esc cancels', async () => {
    const onCancel = vi.fn();
    const field = show(<SecretField onDone={() => {}} onCancel={onCancel} />);
    await field.type('sk-1');
    await field.shows(/\*{4}/);
    expect(field.frame()).not.toContain('sk-1');
    await field.key('esc');
    expect(onCancel).toHaveBeenCalled();
  });

  test('several lines: wrapped, with the row of the cursor in sight', () => {
    const text = Array.from({ length: 30 }, (_, line) => `line ${line}`).join('\n');
    const area = (buffer: TextBuffer) =>
      show(
        <TextArea buffer={buffer} onChange={() => {}} onEdge={() => {}} width={20} height={5} />,
      ).frame();
    expect(area(textBuffer(text))).toMatch(/line 25\s+line 26\s+line 27\s+line 28\s+line 29/);
    expect(area({ text, cursor: 0, column: null })).toMatch(/^line 0/);
    expect(area(insert(textBuffer(), 'one two three four five'))).toMatch(
      /one two three four\s+five/,
    );
  });
});
