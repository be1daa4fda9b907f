import { spawn } from 'node:child_process';

/** What is to be written to the terminal for a copy, and what can be said of it. */
export interface CopyWay {
  readonly sequence: string;
  readonly words: string;
}

/** Of a longer text many terminals take nothing at all; characters of base64 (xterm's own limit is about that). */
const longestCopy = 100_000;
/** GNU screen passes on only so much in one device control string. */
const screenChunk = 250;
/** tmux answers at once. */
const tmuxMs = 2000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * How a text gets to a clipboard here. tmux takes it into a buffer of its own and passes it on to the terminal
 * where its `set-clipboard` says so; GNU screen and terminals get OSC 52, of which nothing comes back: no
 * more is said than that it was sent.
 */
export async function copyWay(text: string, environment: Environment): Promise<CopyWay> {
  const count = text.split('\n').length;
  const lines = count === 1 ? '1 line' : `${count} lines`;
  if (environment['TMUX'] && (await loadBuffer(text, environment))) {
    return { sequence: '', words: `Copied ${lines} to tmux's buffer.` };
  }
  const base64 = Buffer.from(text).toString('base64');
  if (base64.length > longestCopy) {
    return {
      sequence: '',
      words: `${lines} are too much for the terminal's clipboard; nothing was copied.`,
    };
  }
  const osc = `\x1b]52;c;${base64}\x07`;
  const sequence = environment['STY'] ? throughScreen(osc) : osc;
  return {
    sequence,
    words: `Sent ${lines} to the terminal's clipboard, if it takes them (OSC 52).`,
  };
}

function loadBuffer(text: string, environment: Environment): Promise<boolean> {
  return new Promise((resolve) => {
    // -w, since tmux 3.2: on to the terminal's clipboard too.
    const child = spawn('tmux', ['load-buffer', '-w', '-'], {
      env: environment as NodeJS.ProcessEnv,
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: tmuxMs,
    });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
    // It may end before it has read all: its exit code tells.
    child.stdin.on('error', () => {});
    child.stdin.end(text);
  });
}

/** Device control strings, which GNU screen hands on to its terminal as they are. */
function throughScreen(sequence: string): string {
  let out = '';
  for (let at = 0; at < sequence.length; at += screenChunk) {
    out += `\x1bP${sequence.slice(at, at + screenChunk)}\x1b\\`;
  }
  return out;
}
