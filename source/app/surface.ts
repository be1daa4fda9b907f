import { createContext, useContext, useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import type { ActionName, Context as KeyContext, Keymap } from './keymap.js';
import type { KeyPress, MouseEvent } from './terminal/input.js';
import type { PaintedPane, Rect } from './terminal/painter.js';
import type { TextStyle } from './text/markdown.js';

/** Each answers whether the event was for it. */
export interface KeyHandler {
  key(key: KeyPress): boolean;
  paste?(text: string): boolean;
  mouse?(event: MouseEvent): boolean;
  /** A field: letters that come together may be given as one text. */
  readonly takesText?: boolean;
}

/** What components can do to the terminal; none writes to it itself. */
export interface Surface {
  size(): { readonly cols: number; readonly rows: number };
  onSize(listener: () => void): () => void;
  /** The handler that was added last is asked first; a fallback after all others. */
  addKeyHandler(handler: KeyHandler, fallback: boolean): () => void;
  /** All keys go to the listener as bytes, but for the one that leaves the mode (Ctrl-]). */
  setRaw(listener: ((bytes: string) => void) | null): void;
  /** Keys for Ink's own text field. */
  typeIntoInk(bytes: string): void;
  setPane(id: string, pane: PaintedPane): void;
  removePane(id: string): void;
  setHoles(holes: readonly Rect[]): void;
  /** Rows of a pane have changed. */
  paneChanged(focused: boolean): void;
  setTitle(title: string): void;
  ring(text: string): void;
  copy(text: string): void;
  suspend(): void;
  runProgram(
    file: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
  ): Promise<number | null>;
}

export type Theme = TextStyle;

export interface AppEnvironment {
  readonly surface: Surface;
  readonly keymap: Keymap;
  readonly theme: Theme;
  readonly now: () => number;
}

const EnvironmentContext = createContext<AppEnvironment | null>(null);
export const EnvironmentProvider = EnvironmentContext.Provider;

export function useEnvironment(): AppEnvironment {
  const environment = useContext(EnvironmentContext);
  if (!environment) throw new Error('no AppEnvironment around this component');
  return environment;
}

export function useSize(): { readonly cols: number; readonly rows: number } {
  const { surface } = useEnvironment();
  return useSyncExternalStore(
    (listener) => surface.onSize(listener),
    () => surface.size(),
  );
}

/** Listens to keys while `active`. The handler may change with each render. */
export function useKeyHandler(active: boolean, handler: KeyHandler, fallback = false): void {
  const { surface } = useEnvironment();
  const latest = useRef(handler);
  latest.current = handler;
  // With the frame, not after it: whoever sees a screen can type on it.
  useLayoutEffect(() => {
    if (!active) return;
    const stable: KeyHandler = {
      key: (key) => latest.current.key(key),
      paste: (text) => latest.current.paste?.(text) ?? false,
      mouse: (event) => latest.current.mouse?.(event) ?? false,
      get takesText() {
        return latest.current.takesText ?? false;
      },
    };
    return surface.addKeyHandler(stable, fallback);
  }, [active, fallback, surface]);
}

export type ActionHandlers = { readonly [Name in ActionName]?: (key: string) => void };

/** The same handlers, each of which first takes away what was said about the one before. */
export function afterClearing(
  setNote: (note: string) => void,
  handlers: ActionHandlers,
): ActionHandlers {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, run]) => [
      name,
      (key: string) => {
        setNote('');
        run(key);
      },
    ]),
  );
}

/** Runs the actions of a context by the key table. */
export function useActions(
  active: boolean,
  context: KeyContext,
  handlers: ActionHandlers,
  mouse?: (event: MouseEvent) => boolean,
  fallback = false,
): void {
  const { keymap } = useEnvironment();
  useKeyHandler(
    active,
    {
      key: (key) => {
        const action = keymap.find(context, key.name);
        const run = action && handlers[action];
        if (!run) return false;
        run(key.name);
        return true;
      },
      ...(mouse ? { mouse } : {}),
    },
    fallback,
  );
}

/** Has rows painted at a place while the component is there. */
export function usePane(id: string, pane: PaintedPane): void {
  const { surface } = useEnvironment();
  useLayoutEffect(() => {
    surface.setPane(id, pane);
    return () => surface.removePane(id);
  }, [surface, id, pane]);
}
