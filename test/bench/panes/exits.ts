/**
 * Benchmark: 1,000 agents that print a burst of random length and end at once, 8 at a time, started alone
 * and forked. Whether each byte is in the recording, the last line on the screen, and whether one of them
 * holds the terminal of another.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AiderBackend } from '../../../source/services/agents/aider/aider-backend.js';
import {
  type AiderLauncher,
  PlainLauncher,
} from '../../../source/services/agents/aider/launcher.js';
import { WarmLauncher } from '../../../source/services/agents/aider/warm-launcher.js';
import { logPaths } from '../../../source/services/logs/log-paths.js';
import { Terminals } from '../../../source/services/pty/terminals.js';
import { writeStandIn } from '../../write-stand-in.js';
import { row } from '../kit.js';
import { interpreter } from '../setting.js';
import { random, writeFlood } from './flood.js';

const exits = Number(process.env['BENCH_EXITS'] ?? 1000);
const agents = 8;
const mostBytes = 300_000;

const folder = mkdtempSync(path.join(tmpdir(), 'ao-exits-'));
const flood = path.join(folder, 'flood');
writeFlood(flood, 0, 2e6);
const bytes = readFileSync(flood);
if (!interpreter) throw new Error('the benchmark needs the interpreter of Aider');
const python = interpreter;

/** Prints the part of the flood that its message names, and what it holds of others' terminals. */
const bursting = `
def main():
    import os, sys
    text = next(one for one in sys.argv if one.startswith("--message="))
    number, at, size = (int(one) for one in text.split("burst ")[1].split()[:3])
    with open("${flood}", "rb") as file:
        data = file.read()[at:at + size]
    held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
    foreign = sum(1 for one in held if ("/pts/" in one or "ptmx" in one) and one != os.ttyname(0))
    data += f"\\x18\\r\\nEND-{number} foreign={foreign}".encode()
    while data: data = data[os.write(1, data):]
`;

interface Seen {
  lost: number;
  foreign: number;
  unseen: number;
}

async function run(launcher: AiderLauncher, stamp: string, many: number): Promise<Seen> {
  const paths = logPaths(folder, stamp);
  mkdirSync(paths.raw, { recursive: true });
  const terminals = new Terminals((agent) => paths.cast(agent));
  const backend = new AiderBackend({
    launcher,
    executable: 'aider',
    terminals,
    onEvent: () => {},
    geminiKey: () => null,
    provider: () => null,
    identity: () => null,
    extra: [],
    read: [],
    repo: folder,
    paths,
    repoMap: () => null,
    onWarning: (warning) => console.log(warning),
  });
  const seen: Seen = { lost: 0, foreign: 0, unseen: 0 };
  const next = random(11);
  const wanted = Array.from({ length: agents }, () => '');
  let number = 0;
  const exit = (agent: number, attempt: number) =>
    new Promise<void>((resolve, reject) => {
      number += 1;
      const own = number;
      const at = Math.floor(next() * (bytes.length - mostBytes));
      const size = 1 + Math.floor(next() * mostBytes);
      // The burst may end within an escape sequence.
      const end = `\x18\r\nEND-${own} foreign=0`;
      // As the terminal's line discipline passes it on.
      wanted[agent] += `${bytes.toString('latin1', at, at + size)}${end}`.replaceAll('\n', '\r\n');
      const exited = () => {
        const screen = terminals.emulator(agent);
        const last = screen?.lines().findLast((line) => line !== '') ?? '';
        const found = /END-(\d+) foreign=(\d+)$/.exec(last);
        if (Number(found?.[1]) !== own) seen.unseen += 1;
        seen.foreign += Number(found?.[2] ?? 0);
        resolve();
      };
      const started = backend.start(
        {
          agent,
          attempt,
          checkout: { worktree: folder, branch: 'b', start: '' },
          brief: {
            // Begins with a word; the stand-in looks for what it has to print.
            task: {
              id: 'T',
              title: `burst ${own} ${at} ${size}`,
              description: '',
              files: [],
              read: [],
              depends_on: [],
            },
            change: '',
            prdPath: null,
            alsoRead: [],
            remarks: [],
            feedback: null,
          },
          interactive: false,
          model: 'gpt-4o',
          told: null,
        },
        {
          turnStarted() {},
          turnEnded() {},
          turnFailed() {},
          edited() {},
          asks() {},
          goesOn() {},
          lost() {},
          exited,
        },
        new AbortController().signal,
      );
      started.then((one) => {
        if (!one.ok) reject(new Error(one.failure.detail));
      }, reject);
    });
  await Promise.all(
    wanted.map(async (_, agent) => {
      for (let attempt = 1; attempt <= many / agents; attempt++) await exit(agent, attempt);
    }),
  );
  terminals.close();
  for (const [agent, text] of wanted.entries()) {
    const lines = readFileSync(paths.cast(agent), 'utf8').trimEnd().split('\n').slice(1);
    const events = lines.map((line) => JSON.parse(line) as [number, string, string]);
    const recorded = events.flatMap(([, kind, data]) => (kind === 'o' ? [data] : [])).join('');
    if (!same(recorded, text)) seen.lost += 1;
  }
  return seen;
}

/** Whether a recording holds these bytes, up to characters that were cut. */
function same(recorded: string, printed: string): boolean {
  const plain = (text: string) => text.replaceAll(/[^\x00-\x7f]/g, '');
  return plain(recorded) === plain(Buffer.from(printed, 'latin1').toString());
}

const script = writeStandIn(folder, python, bursting);
const plain = new PlainLauncher([script]);
const env = { PATH: process.env['PATH'] ?? '' };
const warm = new WarmLauncher({ script, python, env, plain });
for (const [name, launcher] of [
  ['alone', plain],
  ['forked', warm],
] as const) {
  const { lost, foreign, unseen } = await run(launcher, `20260101_00000${name.length}`, exits);
  row({
    part: 'Panes',
    what: `${exits} exits after bursts of up to 300 KB, ${name}`,
    ours: `${lost} recordings of ${agents} with a loss, ${unseen} last lines not on the screen, ${foreign} terminals of others held`,
    target: 'none',
  });
}
warm.close();
rmSync(folder, { recursive: true, force: true });
