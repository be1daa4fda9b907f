import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Emulator } from '../../source/services/pty/emulator.js';
import { spawnPty } from '../../source/services/pty/pty-process.js';
import { toSvg } from './svg.js';

/**
 * Takes the README's picture of the run screen from a real run: the demo in a terminal, with real
 * Aider, until its agents are in the middle of their work. `npm run picture`.
 */

const [cols, rows] = [120, 36];
const root = fileURLToPath(new URL('../..', import.meta.url));
const target = path.join(root, '.github', 'run-screen.svg');

const home = mkdtempSync(path.join(tmpdir(), 'picture-'));
const pty = spawnPty({
  file: process.execPath,
  args: [path.join(root, 'dist', 'cli.js'), 'demo'],
  cwd: home,
  env: { ...(process.env as Record<string, string>), TERM: 'xterm-256color', LANG: 'C.UTF-8' },
  cols,
  rows,
});
const screen = new Emulator(cols, rows);
let look = () => {};
screen.attach(pty, () => look());

const visible = () => {
  const first = screen.length - screen.rows;
  return Array.from({ length: rows }, (_, row) => screen.rowText(first + row)).join('\n');
};
const shows = (pattern: RegExp) =>
  new Promise<void>((resolve) => {
    look = () => {
      if (pattern.test(visible())) resolve();
    };
    look();
  });

await shows(/Gemini model .*|Everything a run needs/);
pty.write('\r');
await shows(/PRD by/);
pty.write('\r');
await shows(/GROUPS/);
pty.write('\r');
await shows(/This is what will happen/);
pty.write('\r');
// An edit is being written in one pane while another agent waits for its turn.
await shows(/REPLACE[\s\S]*REPLACE[\s\S]*○ queued/);
const first = screen.length - screen.rows;
const lines = Array.from({ length: rows }, (_, row) => screen.row(first + row, 0, cols, 1, true));
writeFileSync(target, toSvg(lines, cols, 'The run screen: four agents, three of them at work'));
process.stdout.write(`${visible()}\n\n${target}\n`);
await shows(/4 done[\s\S]*landed/);
pty.write('q');
await new Promise<void>((resolve) => pty.onExit(() => resolve()));
rmSync(home, { recursive: true, force: true });
process.exit(0);
