import TextInput from 'ink-text-input';
import { useState } from 'react';
import { useEnvironment, useKeyHandler } from '../surface.js';

export interface TextFieldProps {
  readonly initial?: string;
  /** Shown instead of each character, for what must not be read by others. */
  readonly mask?: string;
  readonly onDone: (text: string) => void;
  readonly onCancel: () => void;
  readonly onChange?: (text: string) => void;
  /** Keys that are not for the field, such as up and down in a list below it. */
  readonly onOther?: (key: string) => boolean;
}

const forInk: Record<string, string> = {
  left: '\x1b[D',
  right: '\x1b[C',
  backspace: '\x7f',
};

/**
 * One line of text. It draws and edits with ink-text-input, which gets only what it does right:
 * printable text and the few keys it knows.
 */
export function TextField({
  initial = '',
  mask,
  onDone,
  onCancel,
  onChange,
  onOther,
}: TextFieldProps) {
  const { surface } = useEnvironment();
  const [value, setValue] = useState(initial.replace(/\p{Cc}/gu, ''));
  const change = (text: string) => {
    // It takes an emoji apart when one is deleted; half a character is no text.
    const whole = text.replace(/\p{Surrogate}/gu, '');
    setValue(whole);
    onChange?.(whole);
  };
  useKeyHandler(true, {
    takesText: true,
    key: ({ name, text }) => {
      if (name === 'ctrl+z') return false;
      // As in a shell: the line is given up, and the program goes on.
      if (name === 'esc' || name === 'ctrl+c') onCancel();
      else if (name === 'enter') onDone(value);
      else if (name === 'ctrl+u') change('');
      else if (onOther?.(name)) return true;
      else if (text !== '') surface.typeIntoInk(text);
      else if (forInk[name]) surface.typeIntoInk(forInk[name]);
      return true;
    },
    paste: (text) => {
      const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
      if (line !== '') surface.typeIntoInk(line);
      return true;
    },
    mouse: () => true,
  });
  return <TextInput value={value} onChange={change} {...(mask === undefined ? {} : { mask })} />;
}
