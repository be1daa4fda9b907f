/**
 * The least that a program in Node has to do: reads and parses the output of agents in pseudo-terminals,
 * in one process, and shows nothing. Says `ready`, and `done` when all have ended and all is parsed.
 * Arguments: the agents' script, their number, columns and rows of each.
 */
import xterm from '@xterm/headless';
import * as nodePty from 'node-pty';

const [script = '', count, cols, rows] = process.argv.slice(2);
const ends = Array.from({ length: Number(count) }, (_, agent) => {
  const size = { cols: Number(cols), rows: Number(rows) };
  const terminal = new xterm.Terminal({ ...size, scrollback: 5000, logLevel: 'off' });
  const env = { ...process.env, AGENT: String(agent) };
  const pty = nodePty.spawn(script, [], { ...size, env, encoding: null });
  let pending = 0;
  pty.onData((data) => {
    const bytes = data as unknown as Buffer;
    pending += bytes.length;
    if (pending > 128 * 1024) pty.pause();
    terminal.write(bytes, () => {
      pending -= bytes.length;
      if (pending < 32 * 1024) pty.resume();
    });
  });
  return new Promise<void>((resolve) => {
    pty.onExit(() => terminal.write('', resolve));
  });
});
console.log('ready');
await Promise.all(ends);
console.log('done');
