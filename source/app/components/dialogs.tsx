// Longer than 300 lines: each kind of dialog is a few lines, and all share one frame.
import fuzzysort from 'fuzzysort';
import { Box } from 'ink';
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import type { Scope } from '../actions.js';
import { useDialogEditor } from '../editor.js';
import { useEnvironment, useInput, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill } from '../text/graphemes.js';
import { layoutRows } from '../text/text-buffer.js';
import { glyphsOf } from '../theme.js';
import { useFitted, useStrayKey, widest, windowStart } from './dialog-parts.js';
import { Help, Palette } from './help-dialogs.js';
import { InputLayer } from './input-layer.js';
import { Line } from './line.js';
import { Popup } from './popup.js';
import { Rows } from './rows.js';
import { ScrollText } from './scroll-text.js';
import { SecretField, TextField } from './text-field.js';

/** What may stand above a screen and have the keys. */
export type Dialog =
  | {
      readonly kind: 'confirm';
      readonly title: string;
      readonly lines: readonly string[];
      readonly yes: string;
      readonly onYes: () => void;
      /** What it asks about can come to be settled while it is open: then it closes itself. */
      readonly until?: Settling;
    }
  | {
      readonly kind: 'field';
      readonly title: string;
      readonly lines?: readonly string[];
      readonly initial?: string;
      /** It may hold several lines, and a person's editor can be used. */
      readonly multiline?: boolean;
      /** Why a text cannot be taken, a sentence; then the field stays open with it. */
      readonly problem?: (text: string) => string | null;
      readonly onDone: (text: string) => void;
    }
  | {
      readonly kind: 'secret';
      readonly title: string;
      readonly lines: readonly string[];
      readonly problem?: (text: string) => string | null;
      readonly onDone: (text: string) => void;
    }
  | {
      readonly kind: 'choose';
      readonly title: string;
      /** What is to be known for the choice. */
      readonly lines?: readonly string[];
      readonly items: readonly string[];
      /** The one that is chosen at first. */
      readonly initial?: number;
      readonly onDone: (index: number) => void;
    }
  | {
      readonly kind: 'find';
      readonly title: string;
      /** What is said where nothing matches. */
      readonly none: string;
      readonly items: readonly string[];
      readonly onDone: (items: readonly string[]) => void;
    }
  | {
      readonly kind: 'help';
      readonly scopes: readonly Scope[];
      /** Letters are typed in the place it was opened from, so that keys which are letters do nothing there. */
      readonly typing: boolean;
    }
  | { readonly kind: 'palette'; readonly scopes: readonly Scope[] }
  | {
      readonly kind: 'viewer';
      readonly title: string;
      readonly source: ViewerSource;
      /** The end stays in sight as the text grows. */
      readonly follow?: boolean;
    }
  | {
      readonly kind: 'message';
      readonly title: string;
      readonly lines: readonly string[];
      /** What a key copies. */
      readonly copies: { readonly text: string; readonly name: string };
      /** Told what became of it. */
      readonly say: (text: string) => void;
    };

/** When a question is settled without an answer. */
export interface Settling {
  readonly subscribe: (listener: () => void) => () => void;
  /** What has settled it, a sentence; null while it is open. */
  readonly settled: () => string | null;
  readonly say: (text: string) => void;
}

/** A text as lines for a width. */
export type Render = (width: number) => readonly string[];

/** A text as it is, or one that is looked up again while it is open. */
export type ViewerSource = Render | { readonly look: () => Promise<Render> };

export interface Dialogs {
  /** Shows one above all others. @returns what closes this one, and only this one */
  readonly open: (dialog: Dialog) => () => void;
  readonly isOpen: boolean;
}

const DialogContext = createContext<Dialogs | null>(null);

export function useDialogs(): Dialogs {
  const dialogs = useContext(DialogContext);
  if (!dialogs) throw new Error('no DialogProvider around this component');
  return dialogs;
}

interface OpenDialog {
  readonly id: number;
  readonly dialog: Dialog;
}

/**
 * Shows dialogs above its children, which then get no keys. They lie on each other: what was
 * typed in one is still there when another one above it is closed.
 */
export function DialogProvider({ children }: { readonly children: ReactNode }) {
  const [stack, setStack] = useState<readonly OpenDialog[]>([]);
  const ids = useRef(0);
  const close = useCallback(
    (id: number) => setStack((now) => now.filter((one) => one.id !== id)),
    [],
  );
  const isOpen = stack.length > 0;
  const value = useMemo<Dialogs>(
    () => ({
      open: (dialog) => {
        ids.current += 1;
        const id = ids.current;
        setStack((now) => [...now, { id, dialog }]);
        return () => close(id);
      },
      isOpen,
    }),
    [isOpen, close],
  );
  return (
    <DialogContext.Provider value={value}>
      {children}
      {stack.map(({ id, dialog }) => (
        <InputLayer key={id}>
          <DialogView dialog={dialog} close={() => close(id)} />
        </InputLayer>
      ))}
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
    case 'secret':
      return <Secret dialog={dialog} close={close} />;
    case 'help':
      return <Help scopes={dialog.scopes} typing={dialog.typing} close={close} />;
    case 'palette':
      return <Palette scopes={dialog.scopes} close={close} />;
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

function Confirm({ dialog, close }: Props<'confirm'>) {
  const { title, lines } = useFitted(dialog.title, dialog.lines);
  const stray = useStrayKey();
  const answered = useSettling(dialog.until, close);
  useInput({
    key: ({ name }) => {
      if (name === 'y') {
        answered.current = true;
        close();
        dialog.onYes();
      } else if (name === 'n' || name === 'enter' || name === 'esc' || name === 'q') {
        close();
      } else if (name === 'ctrl+c' || name === 'ctrl+z') {
        return false;
      } else {
        stray.met(name);
      }
      return true;
    },
    mouse: () => true,
  });
  const hint = `y ${dialog.yes}, n or Enter cancel`;
  return (
    <Popup
      title={title}
      width={Math.max(40, widest(title, hint, ...lines))}
      height={lines.length + stray.rows.length}
      hint={hint}
      colour="yellow"
    >
      {({ width }) => (
        <Rows width={width} rows={[...lines.map((text) => ({ text })), ...stray.rows]} />
      )}
    </Popup>
  );
}

/**
 * Closes a question that has settled itself, and says what has settled it.
 * @returns to be set when it is answered: what the answer does is no news
 */
function useSettling(until: Settling | undefined, close: () => void): { current: boolean } {
  const answered = useRef(false);
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    if (!until) return;
    const look = () => {
      const settled = until.settled();
      if (settled === null || answered.current) return;
      latest.current();
      until.say(settled);
    };
    const end = until.subscribe(look);
    look();
    return end;
  }, [until]);
  return answered;
}

function Message({ dialog, close }: Props<'message'>) {
  const { title, lines } = useFitted(dialog.title, dialog.lines);
  const { surface } = useEnvironment();
  const hint = `y copies the ${dialog.copies.name}, any other key closes`;
  useInput({
    key: ({ name }) => {
      if (name === 'ctrl+c' || name === 'ctrl+z') return false;
      if (name === 'y') void surface.copy(dialog.copies.text).then(dialog.say);
      close();
      return true;
    },
    mouse: () => true,
  });
  return (
    <Popup
      title={title}
      width={Math.max(30, widest(title, hint, ...lines))}
      height={lines.length}
      hint={hint}
    >
      {({ width }) => <Rows width={width} rows={lines.map((text) => ({ text }))} />}
    </Popup>
  );
}

function Field({ dialog, close }: Props<'field'>) {
  const { rows } = useSize();
  const editor = useDialogEditor();
  const { keymap } = useEnvironment();
  const { initial = '', multiline = false } = dialog;
  const [text, setText] = useState(initial);
  const [problem, setProblem] = useState<string | null>(null);
  const { title, lines, room } = useFitted(dialog.title, dialog.lines ?? []);
  const width = Math.min(room, Math.max(70, widest(title, ...lines)));
  const wrong = problem === null ? [] : proseLines(problem, width);
  // It grows with what is typed, as far as there is room.
  const needed = layoutRows(text, Math.max(4, width - 1)).length;
  const most = Math.max(1, rows - lines.length - wrong.length - 4);
  const height = Math.max(Math.min(multiline ? 3 : 1, most), Math.min(needed, most));
  const more = multiline
    ? `, ${keymap.label('change.newline')} new line${editor ? `, ${keymap.label('change.editor')} editor` : ''}`
    : '';
  return (
    <Popup
      title={title}
      width={width}
      height={lines.length + height + wrong.length}
      hint={`Enter done, Esc cancel${more}`}
    >
      {({ width: inner }) => (
        <>
          <Rows width={inner} rows={lines.map((text) => ({ text, dim: true }))} />
          <TextField
            initial={initial}
            multiline={multiline}
            width={inner}
            height={height}
            onChange={(now) => {
              setText(now);
              setProblem(null);
            }}
            onCancel={close}
            {...(multiline && editor ? { onEditor: (now) => editor('text.md', now) } : {})}
            onDone={(done) => {
              const why = dialog.problem?.(done) ?? null;
              if (why !== null) return setProblem(why);
              close();
              dialog.onDone(done);
            }}
          />
          <Rows width={inner} rows={wrong.map((text) => ({ text, colour: 'red' }))} />
        </>
      )}
    </Popup>
  );
}

function Secret({ dialog, close }: Props<'secret'>) {
  const { title, lines, room } = useFitted(dialog.title, dialog.lines);
  const [problem, setProblem] = useState<string | null>(null);
  const most = Math.min(room, Math.max(70, widest(title, ...lines)));
  const wrong = problem === null ? [] : proseLines(problem, most);
  return (
    <Popup
      title={title}
      width={most}
      height={lines.length + 3 + wrong.length}
      hint="Enter done, Esc cancel"
    >
      {({ width }) => (
        <>
          <Rows width={width} rows={lines.map((text) => ({ text, dim: true }))} />
          <Box width={width} height={3} overflow="hidden">
            <SecretField
              onCancel={close}
              onDone={(text) => {
                const why = dialog.problem?.(text) ?? null;
                if (why !== null) return setProblem(why);
                close();
                dialog.onDone(text);
              }}
            />
          </Box>
          <Rows width={width} rows={wrong.map((text) => ({ text, colour: 'red' }))} />
        </>
      )}
    </Popup>
  );
}

function Choose({ dialog, close }: Props<'choose'>) {
  const { rows } = useSize();
  const { theme } = useEnvironment();
  const [chosen, setChosen] = useState(Math.max(0, dialog.initial ?? 0));
  const { items } = dialog;
  const stray = useStrayKey();
  useInput({
    key: ({ name }) => {
      if (name === 'up' || name === 'k') setChosen(Math.max(0, chosen - 1));
      else if (name === 'down' || name === 'j') setChosen(Math.min(items.length - 1, chosen + 1));
      else if (name === 'enter') {
        close();
        if (items.length > 0) dialog.onDone(chosen);
      } else if (name === 'esc' || name === 'q') close();
      else if (name === 'ctrl+c' || name === 'ctrl+z') return false;
      else stray.met(name);
      return true;
    },
    mouse: () => true,
  });
  const { title, lines, room } = useFitted(dialog.title, dialog.lines ?? []);
  // A choice is never cut: a long one takes further rows.
  const wrapped = items.map((item) => proseLines(item, Math.max(4, room - 2)));
  const before = wrapped.slice(0, chosen).reduce((sum, one) => sum + one.length, 0);
  const itemRows = wrapped.flatMap((own, index) =>
    own.map((text, row) => ({
      text: `${row === 0 && index === chosen ? glyphsOf(theme).arrow : ' '} ${text}`,
      own: index === chosen,
    })),
  );
  const height = Math.max(
    1,
    Math.min(itemRows.length, rows - 4 - lines.length - stray.rows.length),
  );
  const start = windowStart(before, height, itemRows.length);
  return (
    <Popup
      title={title}
      width={Math.max(40, widest(title, ...lines, ...itemRows.map(({ text }) => text)))}
      height={lines.length + height + stray.rows.length}
      hint={`${height < itemRows.length ? `${chosen + 1} of ${items.length}, ` : ''}Enter choose, Esc cancel`}
    >
      {({ width }) => (
        <>
          <Rows width={width} rows={lines.map((text) => ({ text, dim: true }))} />
          <Rows
            width={width}
            rows={itemRows
              .slice(start, start + height)
              .map(({ text, own }) => ({ text, inverse: own }))}
          />
          <Rows width={width} rows={stray.rows} />
        </>
      )}
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
      hint={`${taken.length > 0 ? `${taken.length} selected. ` : ''}Tab select, Enter add, Esc cancel`}
    >
      {({ width }) => (
        <>
          <Box width={width} height={1} overflow="hidden">
            <Line>{`${glyphsOf(theme).arrow} `}</Line>
            <TextField
              width={width - 2}
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
                const items = taken.length > 0 ? taken : current ? [current] : [];
                // Nothing matches: that and the way out stand there already.
                if (items.length === 0) return;
                close();
                dialog.onDone(items);
              }}
            />
          </Box>
          {found.slice(start, start + height - 1).map((item) => (
            <Line key={item} inverse={item === current}>
              {fill(`${taken.includes(item) ? glyphsOf(theme).ok : ' '} ${item}`, width)}
            </Line>
          ))}
          {found.length === 0 && (
            <Rows
              width={width}
              rows={proseLines(dialog.none, width).map((text) => ({ text, colour: 'yellow' }))}
            />
          )}
        </>
      )}
    </Popup>
  );
}

function Viewer({ dialog, close }: Props<'viewer'>) {
  const { cols, rows } = useSize();
  const { keymap } = useEnvironment();
  const hints = (['viewer.close', 'viewer.search', 'viewer.copy'] as const).map(
    (name) => `${keymap.label(name)} ${keymap.hint(name)}`,
  );
  return (
    <Popup title={dialog.title} width={cols - 6} height={rows - 4} hint={hints.join(', ')}>
      {({ width, height }) => (
        <RenderedText
          source={dialog.source}
          width={width}
          height={height}
          follow={dialog.follow ?? false}
          close={close}
        />
      )}
    </Popup>
  );
}

/** How often a text that may change is looked up again, milliseconds. */
const lookMs = 1000;

function RenderedText(props: {
  readonly source: ViewerSource;
  readonly width: number;
  readonly height: number;
  readonly follow: boolean;
  readonly close: () => void;
}) {
  const { source, width, height, follow, close } = props;
  const [render, setRender] = useState<Render>(() =>
    typeof source === 'function' ? source : () => ['Looking…'],
  );
  useEffect(() => {
    if (typeof source === 'function') return;
    let isClosed = false;
    let timer: NodeJS.Timeout | null = null;
    const look = async () => {
      const next = await source.look();
      if (isClosed) return;
      setRender(() => next);
      timer = setTimeout(() => void look(), lookMs);
    };
    void look();
    return () => {
      isClosed = true;
      if (timer) clearTimeout(timer);
    };
  }, [source]);
  const lines = useMemo(() => render(width), [render, width]);
  return <ScrollText lines={lines} width={width} height={height} follow={follow} onClose={close} />;
}
