import type { KeyPress, MouseEvent } from './input.js';

/** Each answers whether the event was for it. */
export interface KeyHandler {
  key(key: KeyPress): boolean;
  paste?(text: string): boolean;
  mouse?(event: MouseEvent): boolean;
  /** A field: letters that come together may be given as one text. */
  readonly takesText?: boolean;
}

/** A place that takes the input from those below it: a dialog, a field, an agent that is typed into. */
export interface Layer {
  readonly handlers: KeyHandler[];
  /** Asked after the others of the layer. */
  readonly last: KeyHandler[];
}

export function makeLayer(): Layer {
  return { handlers: [], last: [] };
}

/** Where a handler stands: in a layer, last in a layer, or asked after the top layer, whichever that is. */
export type Place = { readonly layer: Layer; readonly isLast?: boolean } | 'everywhere';

/**
 * Who gets the input: the layer on top alone, of it the handler that was added last first; then what counts
 * everywhere. Nobody needs to know what lies above.
 */
export class FocusStack {
  /** What is there from the beginning: the screen. */
  readonly base = makeLayer();
  private readonly layers: Layer[] = [this.base];
  private readonly everywhere: KeyHandler[] = [];
  private readonly listeners = new Set<() => void>();

  get top(): Layer {
    return this.layers.at(-1) ?? this.base;
  }

  /** Puts a layer on top. @returns takes it away, wherever it lies by then */
  push(layer: Layer): () => void {
    this.layers.push(layer);
    this.tell();
    return () => {
      const at = this.layers.lastIndexOf(layer);
      if (at < 0) return;
      this.layers.splice(at, 1);
      this.tell();
    };
  }

  /** @returns takes it away */
  add(handler: KeyHandler, place: Place): () => void {
    const list = this.listOf(place);
    list.push(handler);
    return () => {
      const at = list.indexOf(handler);
      if (at >= 0) list.splice(at, 1);
    };
  }

  /** Told when another layer is on top. @returns ends it */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Asks until one says that it was for it. */
  ask(wanted: (handler: KeyHandler) => boolean): boolean {
    const { handlers, last } = this.top;
    return [...[...handlers].reverse(), ...last, ...this.everywhere].some(wanted);
  }

  /** Whether text is being typed. */
  get takesText(): boolean {
    return this.top.handlers.some((handler) => handler.takesText);
  }

  private listOf(place: Place): KeyHandler[] {
    if (place === 'everywhere') return this.everywhere;
    return place.isLast ? place.layer.last : place.layer.handlers;
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
