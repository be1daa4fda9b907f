import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { providerKeys } from '../../core/policy/providers.js';
import { absent, unless, writePrivate } from '../files/private-files.js';
import { isCollectorSecret } from '../telemetry/signals.js';
import { type Environment, environment } from './environment.js';
import { lookingElsewhere } from './own-environment.js';
import { which } from './programs.js';

/** So long is waited for the program that opens browsers to fail, milliseconds. */
const failsWithinMs = 1500;

/** A browser that was asked to open an address. */
export interface AskedBrowser {
  /** Takes the file away that it was given. */
  readonly forget: () => void;
}

/**
 * Asks the desktop to open an address of ours in the user's browser. The address holds a secret, and what a program
 * is started with can be read by everybody (`ps`): the browser is given a file of the user's that leads there.
 * Throws like `fs` where that cannot be written.
 * @param folder where the file is put
 * @returns null where there is no desktop or no program for it, or where that has failed
 */
export async function openBrowser(address: string, folder: string): Promise<AskedBrowser | null> {
  const opener = await openerHere();
  if (opener === null) return null;
  forgetOld(folder);
  const file = path.join(folder, `open-${randomBytes(6).toString('hex')}.html`);
  writePrivate(
    file,
    `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${address}"><title>Aider Orchestrator</title>\n`,
  );
  const forget = () => unless(unremovable, undefined, () => rmSync(file, { force: true }));
  if (await asks(opener, file)) return { forget };
  forget();
  return null;
}

/** Why a file of ours may stay where it is: nobody is let in by it twice. */
const unremovable = ['EACCES', 'EPERM', 'EROFS', 'EIO'];

/** What a program that was killed has left is of no use after so long, milliseconds: the address in it is good for less. */
const oldMs = 3_600_000;

function forgetOld(folder: string): void {
  const names = unless([...absent, ...unremovable], [], () => readdirSync(folder));
  for (const name of names) {
    if (!/^open-[0-9a-f]{12}\.html$/.test(name)) continue;
    const file = path.join(folder, name);
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (!stats || Date.now() - stats.mtimeMs < oldMs) continue;
    unless(unremovable, undefined, () => rmSync(file, { force: true }));
  }
}

/** The program that opens what it is given in the browser of this desktop; null where nobody sits before one. */
function openerHere(): Promise<string | null> {
  const { SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY } = environment();
  if (SSH_CONNECTION) return Promise.resolve(null);
  if (process.platform === 'darwin') return which('open');
  return DISPLAY || WAYLAND_DISPLAY ? which('xdg-open') : Promise.resolve(null);
}

/** The environment of a browser: it outlives us, and needs none of the keys that a person has given us. */
function browserEnvironment(): Environment {
  const isSecret = (name: string) => providerKeys.has(name) || isCollectorSecret(name);
  const pairs = Object.entries(environment()).filter(([name]) => !isSecret(name));
  return lookingElsewhere(Object.fromEntries(pairs));
}

/** Whether it was started, and has not failed: it may stay as long as the browser does. */
function asks(opener: string, file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(opener, [file], {
      cwd: '/',
      env: browserEnvironment(),
      detached: true,
      stdio: 'ignore',
    });
    const timer = setTimeout(() => resolve(true), failsWithinMs);
    const answer = (opened: boolean) => {
      clearTimeout(timer);
      resolve(opened);
    };
    child.once('error', () => answer(false));
    child.once('exit', (code) => answer(code === 0));
    child.unref();
  });
}
