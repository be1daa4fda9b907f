import TextInput from 'ink-text-input';
import { useRef, useState } from 'react';
import { useEnvironment, useInput } from '../surface.js';
import { insert, type TextBuffer, textBuffer } from '../text/text-buffer.js';
import { TextArea } from './text-area.js';

export interface TextFieldProps {
  readonly initial?: string;
  readonly width: number;
  /** Rows that are seen at once. */
  readonly height?: number;
  /** Whether it may hold more than one line. */
  readonly multiline?: boolean;
  readonly onDone: (text: string) => void;
  readonly onCancel: () => void;
  readonly onChange?: (text: string) => void;
  /** Gives what a person's editor made of the text; null when nothing. */
  readonly onEditor?: (text: string) => Promise<string | null>;
  /** Keys that are not for the field, such as up and down in a list below it. */
  readonly onOther?: (key: string) => boolean;
}

/** A field for text: Enter takes it, Esc and Ctrl-C cancel. */
export function TextField(props: TextFieldProps) {
  const { initial = '', width, height = 1, multiline = false } = props;
  const { onDone, onCancel, onChange, onEditor, onOther } = props;
  const { keymap } = useEnvironment();
  const [buffer, setBuffer] = useState(() => textBuffer(oneLine(initial, multiline)));
  // Keys that come in one chunk are worked on before the next frame is drawn.
  const latest = useRef(buffer);
  const set = (given: TextBuffer) => {
    // It may come from a paste.
    const next = multiline ? given : flattened(given);
    const changed = next.text !== latest.current.text;
    latest.current = next;
    setBuffer(next);
    if (changed) onChange?.(next.text);
  };
  const edit = async () => {
    const text = await onEditor?.(latest.current.text);
    if (text !== undefined && text !== null) set(textBuffer(text.replace(/\n$/, '')));
  };
  const area = (
    <TextArea
      buffer={buffer}
      onChange={set}
      onEdge={() => {}}
      width={width}
      height={height}
      swallow
    />
  );
  // After those of the area, so that it is asked first.
  useInput({
    takesText: true,
    key: ({ name }) => {
      // As in a shell: the line is given up, and the program goes on.
      if (name === 'esc' || name === 'ctrl+c') onCancel();
      else if (name === 'enter') onDone(latest.current.text);
      else if (onOther?.(name)) return true;
      else if (multiline && keymap.find('change', name) === 'change.newline') {
        set(insert(latest.current, '\n'));
      } else if (onEditor && keymap.find('change', name) === 'change.editor') void edit();
      else return false;
      return true;
    },
    mouse: () => true,
  });
  return area;
}

function oneLine(text: string, multiline: boolean): string {
  return multiline ? text : text.replace(/\p{Cc}+/gu, ' ');
}

/** A text without line breaks, as it may come from a paste; the cursor stays where it is. */
function flattened(buffer: TextBuffer): TextBuffer {
  if (!/\p{Cc}/u.test(buffer.text)) return buffer;
  const before = buffer.text.slice(0, buffer.cursor).replace(/[\s\p{Cc}]+/gu, ' ');
  const after = buffer.text.slice(buffer.cursor).replace(/[\s\p{Cc}]+/gu, ' ');
  return { text: before + after, cursor: before.length, column: null };
}

/** A field for what must not be read by others; ink-text-input masks it. */
export function SecretField(props: {
  readonly onDone: (text: string) => void;
  readonly onCancel: () => void;
}) {
  const { onDone, onCancel } = props;
  const { surface } = useEnvironment();
  const [value, setValue] = useState('');
  useInput({
    takesText: true,
    key: ({ name, text }) => {
      if (name === 'ctrl+z') return false;
      if (name === 'esc' || name === 'ctrl+c') onCancel();
      else if (name === 'enter') onDone(value);
      else if (name === 'ctrl+u') setValue('');
      else if (text !== '') surface.typeIntoInk(text);
      else if (name === 'backspace') surface.typeIntoInk('\x7f');
      return true;
    },
    paste: (text) => {
      const key = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
      if (key !== '') surface.typeIntoInk(key);
      return true;
    },
    mouse: () => true,
  });
  return <TextInput value={value} onChange={setValue} mask="*" />;
}
