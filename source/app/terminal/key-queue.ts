import type { FocusStack } from './focus-stack.js';
import {
  Input,
  type InputListener,
  type KeyPress,
  type MouseEvent,
  pasteEnd,
  pasteStart,
} from './input.js';

type InputEvent =
  | { readonly key: KeyPress }
  | { readonly paste: string }
  | { readonly mouse: MouseEvent };

/**
 * React renders, and runs its effects, each in a turn of the event loop of its own; an effect may set
 * a state and so ask for both once more.
 */
const turnsOfReact = 6;

/** How long other work waits for what a key leads to, milliseconds. */
const holdMs = 15;

/**
 * Bytes of the terminal as events, one at a time, each after React has drawn what the one before led to: a handler
 * sees the state that the key before it made, however fast they come.
 */
export class KeyQueue implements InputListener {
  private readonly input = new Input(this);
  private readonly events: InputEvent[] = [];
  private working = false;

  /** @param hold work that can wait does so for at most these milliseconds; 0 lets it go on */
  constructor(
    private readonly focus: FocusStack,
    private readonly hold: (ms: number) => void,
  ) {}

  feed(chunk: Buffer): void {
    this.hold(holdMs);
    this.input.feed(chunk);
  }

  /** Whether keys wait for their turn. */
  get busy(): boolean {
    return this.working;
  }

  get takesText(): boolean {
    return this.focus.takesText;
  }

  key(key: KeyPress): void {
    this.enqueue({ key });
  }

  paste(text: string): void {
    this.enqueue({ paste: text });
  }

  mouse(event: MouseEvent): void {
    this.enqueue({ mouse: event });
  }

  private enqueue(event: InputEvent): void {
    this.events.push(event);
    if (this.working) return;
    this.working = true;
    void this.work();
  }

  private async work(): Promise<void> {
    for (let event = this.events.shift(); event; event = this.events.shift()) {
      this.hold(holdMs);
      this.handle(event);
      for (let turn = 0; turn < turnsOfReact; turn++) await new Promise(setImmediate);
    }
    this.working = false;
    this.hold(0);
  }

  private handle(event: InputEvent): void {
    if ('paste' in event) this.focus.ask((handler) => handler.paste?.(event.paste) ?? false);
    else if ('mouse' in event) this.focus.ask((handler) => handler.mouse?.(event.mouse) ?? false);
    else {
      const key = this.joined(event.key);
      this.focus.ask((handler) => handler.key(key));
    }
  }

  /** For a field, the letters that wait already come with this one. */
  private joined(key: KeyPress): KeyPress {
    if (key.text === '' || !this.takesText) return key;
    let { text } = key;
    for (;;) {
      const next = this.events[0];
      if (!next || !('key' in next) || next.key.text === '') return { ...key, name: text, text };
      text += next.key.text;
      this.events.shift();
    }
  }

  /** All keys go to the listener as bytes, but for those that leave the mode, by their names. */
  setRaw(listener: ((bytes: string) => void) | null, leaveKeys: readonly string[]): void {
    this.input.setRaw(listener, leaveKeys);
    if (!listener) return;
    // What was typed right after the key that began the mode is the agent's too, up to the key that ends it.
    for (let event = this.events.shift(); event; event = this.events.shift()) {
      if ('key' in event && this.input.isLeaveKey(event.key)) {
        this.input.setRaw(null);
        this.events.unshift(event);
        return;
      }
      if ('key' in event) listener(event.key.sequence);
      else if ('paste' in event) listener(`${pasteStart}${event.paste}${pasteEnd}`);
    }
  }
}
