import { createElement } from 'react';
import { App } from './app.js';
import { type KeySettings, makeKeymap } from './keymap.js';
import type { WizardPort } from './ports.js';
import { Host, type HostOptions } from './terminal/host.js';

export interface ScreenOptions extends HostOptions {
  readonly keys: KeySettings;
  readonly colour: boolean;
}

/** Makes the screen of the application, which takes the terminal when it is shown. */
export function makeScreen(options: ScreenOptions) {
  const { keys, colour, ascii } = options;
  const host = new Host(options);
  const environment = {
    surface: host,
    keymap: makeKeymap(keys, !ascii),
    theme: { colour, unicode: !ascii },
    now: Date.now,
  };
  const show = (wizard: WizardPort, onExit: () => void) =>
    host.open(createElement(App, { environment, wizard, onExit }));
  return { host, show };
}
