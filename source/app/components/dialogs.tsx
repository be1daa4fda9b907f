import fuzzysort from 'fuzzysort';
import { Box } from 'ink';
import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import { contexts, type Context as KeyContext } from '../keymap.js';
import { useEnvironment, useKeyHandler, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { cut, displayWidth, fill } from '../text/graphemes.js';
import { glyphsOf } from '../theme.js';
import { Line } from './line.js';
import { Popup } from './popup.js';
import { ScrollText } from './scroll-text.js';
import { TextField } from './text-field.js';

/** What may stand above a screen and have the keys. */
export type Dialog =
  | {
      readonly kind: 'confirm';
      readonly title: string;
      readonly lines: readonly string[];
      readonly yes: string;
      readonly onYes: () => void;
    }
  | {
      readonly kind: 'field';
      readonly title: string;
      readonly lines?: readonly string[];
      readonly initial?: string;
      readonly secret?: boolean;
      readonly onDone: (text: string) => void;
    }
  | {
      readonly kind: 'choose';
      readonly title: string;
      readonly items: readonly string[];
      /** The one that is chosen at first. */
      readonly initial?: number;
      readonly onDone: (index: number) => void;
    }
  | {
      readonly kind: 'find';
      readonly title: string;
      readonly items: readonly string[];
      readonly onDone: (items: readonly string[]) => void;
    }
  | { readonly kind: 'help'; readonly context: KeyContext }
  | {
      readonly kind: 'viewer';
      readonly title: string;
      readonly render: (width: number) => readonly string[];
    }
  | { readonly kind: 'message'; readonly title: string; readonly lines: readonly string[] };

export interface Dialogs {
  readonly open: (dialog: Dialog) => void;
  readonly close: () => void;
  readonly isOpen: boolean;
}

const DialogContext = createContext<Dialogs | null>(null);

export function useDialogs(): Dialogs {
  const dialogs = useContext(DialogContext);
  if (!dialogs) throw new Error('no DialogProvider around this component');
  return dialogs;
}

/** Shows one dialog above its children, which then get no keys (`isOpen`). */
export function DialogProvider({ children }: { readonly children: ReactNode }) {
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const value = useMemo<Dialogs>(
    () => ({ open: setDialog, close: () => setDialog(null), isOpen: dialog !== null }),
    [dialog],
  );
  return (
    <DialogContext.Provider value={value}>
      {children}
      {dialog && <DialogView dialog={dialog} close={value.close} />}
    </DialogContext.Provider>
  );
}

function DialogView({ dialog, close }: { readonly dialog: Dialog; readonly close: () => void }) {
  switch (dialog.kind) {
    case 'confirm':
      return <Confirm dialog={dialog} close={close} />;
    case 'field':
      return <Field dialog={dialog} close={close} />;
    case 'choose':
      return <Choose dialog={dialog} close={close} />;
    case 'find':
      return <Find dialog={dialog} close={close} />;
    case 'help':
      return <Help context={dialog.context} close={close} />;
    case 'viewer':
      return <Viewer dialog={dialog} close={close} />;
    case 'message':
      return <Message dialog={dialog} close={close} />;
  }
}

interface Props<Kind extends Dialog['kind']> {
  readonly dialog: Dialog & { readonly kind: Kind };
  readonly close: () => void;
}

function widest(...texts: readonly string[]): number {
  return Math.max(...texts.map(displayWidth));
}

/** A title and lines as they fit into the window: nothing of a question or a reason is cut. */
function useFitted(title: string, lines: readonly string[]) {
  const { cols } = useSize();
  // The border and a blank at each side; the title has the corners beside it too.
  const most = Math.max(10, cols - 4);
  const fits = displayWidth(title) <= most - 4;
  const all = fits ? lines : [title, ...lines];
  return { title: fits ? title : '', lines: all.flatMap((line) => proseLines(line, most)) };
}

function Confirm({ dialog, close }: Props<'confirm'>) {
  const { title, lines } = useFitted(dialog.title, dialog.lines);
  useKeyHandler(true, {
    key: ({ name }) => {
      if (name === 'y') {
        close();
        dialog.onYes();
      } else if (name === 'n' || name === 'enter' || name === 'esc' || name === 'q') {
        close();
      } else if (name === 'ctrl+c' || name === 'ctrl+z') {
        return false;
      }
      return true;
    },
    mouse: () => true,
  });
  const hint = `y ${dialog.yes}, n or Enter back`;
  return (
    <Popup
      title={title}
      width={Math.max(40, widest(title, hint, ...lines))}
      height={lines.length}
      hint={hint}
      colour="yellow"
    >
      {({ width }) => lines.map((line) => <Line key={line}>{fill(line, width)}</Line>)}
    </Popup>
  );
}

function Message({ dialog, close }: Props<'message'>) {
  const { title, lines } = useFitted(dialog.title, dialog.lines);
  useKeyHandler(true, {
    key: ({ name }) => {
      if (name === 'ctrl+c' || name === 'ctrl+z') return false;
      close();
      return true;
    },
    mouse: () => true,
  });
  return (
    <Popup
      title={title}
      width={Math.max(30, widest(title, ...lines))}
      height={lines.length}
      hint="any key: close"
    >
      {({ width }) => lines.map((line) => <Line key={line}>{fill(line, width)}</Line>)}
    </Popup>
  );
}

function Field({ dialog, close }: Props<'field'>) {
  const { title, lines } = useFitted(dialog.title, dialog.lines ?? []);
  return (
    <Popup
      title={title}
      width={Math.max(70, widest(title, ...lines))}
      height={lines.length + 3}
      hint="Enter: done, Esc: back"
    >
      {({ width }) => (
        <>
          {lines.map((line) => (
            <Line key={line} dim>
              {fill(line, width)}
            </Line>
          ))}
          <Box width={width} height={3} overflow="hidden">
            <TextField
              initial={dialog.initial ?? ''}
              {...(dialog.secret ? { mask: '*' } : {})}
              onCancel={close}
              onDone={(text) => {
                close();
                dialog.onDone(text);
              }}
            />
          </Box>
        </>
      )}
    </Popup>
  );
}

/** A list window that keeps the chosen row in sight. */
function windowStart(chosen: number, height: number, count: number): number {
  return Math.max(0, Math.min(chosen - Math.floor(height / 2), count - height));
}

function Choose({ dialog, close }: Props<'choose'>) {
  const { rows } = useSize();
  const { theme } = useEnvironment();
  const [chosen, setChosen] = useState(Math.max(0, dialog.initial ?? 0));
  const { items } = dialog;
  useKeyHandler(true, {
    key: ({ name }) => {
      if (name === 'up' || name === 'k') setChosen(Math.max(0, chosen - 1));
      else if (name === 'down' || name === 'j') setChosen(Math.min(items.length - 1, chosen + 1));
      else if (name === 'enter') {
        close();
        if (items.length > 0) dialog.onDone(chosen);
      } else if (name === 'esc' || name === 'q') close();
      else if (name === 'ctrl+c' || name === 'ctrl+z') return false;
      return true;
    },
    mouse: () => true,
  });
  const height = Math.max(1, Math.min(items.length, rows - 6));
  const start = windowStart(chosen, height, items.length);
  return (
    <Popup
      title={dialog.title}
      width={Math.max(40, widest(dialog.title, ...items) + 2)}
      height={height}
      hint="Enter: choose, Esc: back"
    >
      {({ width }) =>
        items.slice(start, start + height).map((item, row) => (
          <Line key={item} inverse={start + row === chosen}>
            {fill(`${start + row === chosen ? glyphsOf(theme).arrow : ' '} ${item}`, width)}
          </Line>
        ))
      }
    </Popup>
  );
}

const mostFound = 200;

/** A fuzzy finder: type to narrow, up and down, Tab takes one more, Enter is done. */
function Find({ dialog, close }: Props<'find'>) {
  const { rows } = useSize();
  const { theme } = useEnvironment();
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const [taken, setTaken] = useState<readonly string[]>([]);
  const found = useMemo(
    () =>
      query === ''
        ? dialog.items.slice(0, mostFound)
        : fuzzysort.go(query, [...dialog.items], { limit: mostFound }).map((one) => one.target),
    [dialog.items, query],
  );
  const current = found[Math.min(chosen, found.length - 1)];
  const toggle = (item: string) =>
    setTaken(taken.includes(item) ? taken.filter((one) => one !== item) : [...taken, item]);
  const height = Math.max(3, Math.min(20, rows - 8));
  const start = windowStart(chosen, height - 1, found.length);
  return (
    <Popup
      title={dialog.title}
      width={70}
      height={height}
      hint={`${taken.length > 0 ? `${taken.length} taken. ` : ''}Tab: take, Enter: add, Esc: back`}
    >
      {({ width }) => (
        <>
          <Box width={width} height={1} overflow="hidden">
            <Line>{`${glyphsOf(theme).arrow} `}</Line>
            <TextField
              onChange={(text) => {
                setQuery(text);
                setChosen(0);
              }}
              onOther={(key) => {
                if (key === 'up') setChosen(Math.max(0, chosen - 1));
                else if (key === 'down') setChosen(Math.min(found.length - 1, chosen + 1));
                else if (key === 'tab' && current) toggle(current);
                else return false;
                return true;
              }}
              onCancel={close}
              onDone={() => {
                close();
                const items = taken.length > 0 ? taken : current ? [current] : [];
                if (items.length > 0) dialog.onDone(items);
              }}
            />
          </Box>
          {found.slice(start, start + height - 1).map((item) => (
            <Line key={item} inverse={item === current}>
              {fill(`${taken.includes(item) ? glyphsOf(theme).ok : ' '} ${item}`, width)}
            </Line>
          ))}
          {found.length === 0 && <Line dim>{fill('no file matches', width)}</Line>}
        </>
      )}
    </Popup>
  );
}

function Viewer({ dialog, close }: Props<'viewer'>) {
  const { cols, rows } = useSize();
  return (
    <Popup title={dialog.title} width={cols - 6} height={rows - 4} hint="/ search, Esc: close">
      {({ width, height }) => (
        <RenderedText render={dialog.render} width={width} height={height} close={close} />
      )}
    </Popup>
  );
}

function RenderedText(props: {
  readonly render: (width: number) => readonly string[];
  readonly width: number;
  readonly height: number;
  readonly close: () => void;
}) {
  const { render, width, height, close } = props;
  const lines = useMemo(() => render(width), [render, width]);
  return <ScrollText lines={lines} width={width} height={height} active onClose={close} />;
}

/** Help is made from the key table: first the screen one is on, then the others. Typing narrows it. */
function Help({ context, close }: { readonly context: KeyContext; readonly close: () => void }) {
  const { cols, rows } = useSize();
  const { keymap } = useEnvironment();
  const [query, setQuery] = useState('');
  const [top, setTop] = useState(0);
  const lines = useMemo(() => {
    const wanted = query.toLowerCase();
    const all = keymap.help();
    // The PRD and the start screen are read with the keys of the other texts.
    const reads = context === 'prd' || context === 'start' ? ['viewer'] : [];
    const order = [context, ...reads, 'everywhere', ...Object.keys(contexts)] as KeyContext[];
    const out: { readonly text: string; readonly head: boolean }[] = [];
    for (const one of new Set(order)) {
      const matching = all
        .filter((line) => line.context === one)
        .map((line) => ({ keys: line.keys.join(' '), help: line.help, name: line.action }))
        .filter(({ keys, help, name }) => `${keys} ${help} ${name}`.toLowerCase().includes(wanted));
      if (matching.length === 0) continue;
      out.push({ text: contexts[one], head: true });
      for (const { keys, help, name } of matching) {
        out.push({ text: `  ${fill(keys, 20)} ${help}  (${name})`, head: false });
      }
    }
    return out;
  }, [keymap, context, query]);
  const height = Math.max(3, rows - 4);
  const body = height - 1;
  const last = Math.max(0, lines.length - body);
  const first = Math.min(top, last);
  return (
    <Popup
      title="Keys"
      width={Math.min(90, cols - 6)}
      height={height}
      hint="type to filter, Esc: close"
    >
      {({ width }) => (
        <>
          <Box width={width} height={1} overflow="hidden">
            <Line>/</Line>
            <TextField
              onChange={(text) => {
                setQuery(text);
                setTop(0);
              }}
              onOther={(key) => {
                const step = { up: -1, down: 1, pageup: -body, pagedown: body }[key];
                if (step === undefined) return false;
                setTop(Math.max(0, Math.min(last, first + step)));
                return true;
              }}
              onCancel={close}
              onDone={close}
            />
          </Box>
          {lines.slice(first, first + body).map(({ text, head }) => (
            <Line key={text} bold={head}>
              {cut(text, width)}
            </Line>
          ))}
        </>
      )}
    </Popup>
  );
}
