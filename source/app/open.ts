import { createElement } from 'react';
import { App } from './app.js';
import { type KeySettings, makeKeymap } from './keymap.js';
import type { WizardPort } from './ports.js';
import { type SurfaceOptions, TerminalSurface } from './terminal/terminal-surface.js';

export interface ScreenOptions extends SurfaceOptions {
  readonly keys: KeySettings;
  readonly colour: boolean;
}

/** Makes the screen of the application, which takes the terminal when it is shown. */
export function makeScreen(options: ScreenOptions) {
  const { keys, colour, ascii } = options;
  const surface = new TerminalSurface(options);
  const environment = {
    surface,
    keymap: makeKeymap(keys, !ascii),
    theme: { colour, unicode: !ascii },
    now: Date.now,
  };
  const show = (wizard: WizardPort, onExit: () => void) =>
    surface.open(createElement(App, { environment, wizard, onExit }));
  return { surface, show };
}
