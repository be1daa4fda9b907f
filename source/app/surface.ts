import {
  createContext,
  useContext,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { Keymap } from './keymap.js';
import { type FocusStack, type KeyHandler, type Layer, makeLayer } from './terminal/focus-stack.js';
import type { PaintedPane, Rect } from './terminal/painter.js';
import type { TextStyle } from './text/text-style.js';

/** What components can do to the terminal; none writes to it itself. */
export interface Surface {
  size(): { readonly cols: number; readonly rows: number };
  onSize(listener: () => void): () => void;
  /** Who gets the input. */
  readonly focus: FocusStack;
  /** All keys go to the listener as bytes, but for those that leave the mode, by their names. */
  setRaw(listener: ((bytes: string) => void) | null, leaveKeys?: readonly string[]): void;
  /** Keys for Ink's own text field. */
  typeIntoInk(bytes: string): void;
  setPane(id: string, pane: PaintedPane): void;
  removePane(id: string): void;
  /** Panes are not painted in it. @param hole null takes it away again */
  setHole(id: string, hole: Rect | null): void;
  /** Rows of a pane have changed. */
  paneChanged(focused: boolean): void;
  setTitle(title: string): void;
  ring(text: string): void;
  /** Puts a text on a clipboard. @returns what is known of it, a sentence */
  copy(text: string): Promise<string>;
  suspend(): void;
  /** Shows the difference between two commits in the person's pager. */
  showDiff(repo: string, from: string, to: string): Promise<number | null>;
  /** The person's shell. */
  shell(): string;
  runProgram(
    file: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly env?: Readonly<Record<string, string | undefined>> },
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

const LayerContext = createContext<Layer | null>(null);

/** The layer that components within it listen in. */
export const LayerProvider = LayerContext.Provider;

/** The layer that this component is in. */
export function useLayer(): Layer {
  const { surface } = useEnvironment();
  return useContext(LayerContext) ?? surface.focus.base;
}

/** A layer that takes the input from those below it while `isOn`. */
export function useNewLayer(isOn: boolean): Layer {
  const { surface } = useEnvironment();
  const [layer] = useState(makeLayer);
  // With the frame, not after it: whoever sees a screen can type on it.
  useLayoutEffect(() => (isOn ? surface.focus.push(layer) : undefined), [isOn, layer, surface]);
  return layer;
}

/** Whether a layer has the input now. */
export function useIsTop(layer: Layer): boolean {
  const { focus } = useEnvironment().surface;
  return useSyncExternalStore(
    (listener) => focus.onChange(listener),
    () => focus.top === layer,
  );
}

/**
 * Listens to keys, pastes and the mouse while its layer is on top. The handler may change with each render.
 * @param place where it stands; without it among those of the layer that the component is in
 */
export function useInput(
  handler: KeyHandler,
  place: { readonly layer?: Layer; readonly isLast?: boolean } | 'everywhere' = {},
): void {
  const { surface } = useEnvironment();
  const own = useLayer();
  const isEverywhere = place === 'everywhere';
  const { layer = own, isLast = false } = isEverywhere ? {} : place;
  const latest = useRef(handler);
  latest.current = handler;
  useLayoutEffect(() => {
    const stable: KeyHandler = {
      key: (key) => latest.current.key(key),
      paste: (text) => latest.current.paste?.(text) ?? false,
      mouse: (event) => latest.current.mouse?.(event) ?? false,
      get takesText() {
        return latest.current.takesText ?? false;
      },
    };
    return surface.focus.add(stable, isEverywhere ? 'everywhere' : { layer, isLast });
  }, [surface, layer, isLast, isEverywhere]);
}

/** Has rows painted at a place while the component is there. */
export function usePane(id: string, pane: PaintedPane): void {
  const { surface } = useEnvironment();
  useLayoutEffect(() => {
    surface.setPane(id, pane);
    return () => surface.removePane(id);
  }, [surface, id, pane]);
}
