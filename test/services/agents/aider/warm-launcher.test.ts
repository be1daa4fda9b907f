import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import {
  type AiderLauncher,
  PlainLauncher,
} from '../../../../source/services/agents/aider/launcher.js';
import {
  unforkable,
  WarmLauncher,
} from '../../../../source/services/agents/aider/warm-launcher.js';
import type { PtyExit, PtyProcess } from '../../../../source/services/pty/pty-process.js';
import { until } from '../../../eventually.js';
import { isAlive, root, tempFolder } from '../../../rig.js';
import { writeStandIn } from '../../../write-stand-in.js';

const aider = inject('aider');
const forks = test.runIf(aider !== null && unforkable() === null);
/** The interpreter beneath Aider's, without its packages: importing them takes seconds. */
const python = aider
  ? execFileSync(
      path.join(path.dirname(aider), 'python'),
      ['-c', 'import sys; print(sys._base_executable)'],
      { encoding: 'utf8' },
    ).trim()
  : '';
const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', PYTHONUTF8: '1' };

/** Its `main` runs the Python that it is given. */
function fakeAider(atImport = ''): string {
  return writeStandIn(
    tempFolder(),
    python,
    `${atImport}
def main():
    import sys
    space = {"result": None}
    exec(sys.argv[1], space)
    return space["result"]
`,
  );
}

function warmOf(script: string, more: Record<string, string> = {}): WarmLauncher {
  const plain = new PlainLauncher([script]);
  const warm = new WarmLauncher({ script, python, env: { ...env, ...more }, plain });
  onTestFinished(() => warm.close());
  return warm;
}

interface Ran {
  readonly exit: PtyExit;
  readonly text: string;
}

async function begin(launcher: AiderLauncher, code: string, more: Record<string, string> = {}) {
  const process = await launcher.start({
    args: [code],
    cwd: root,
    env: { ...env, ...more },
    cols: 80,
    rows: 24,
  });
  let text = '';
  process.onData((bytes) => {
    text += bytes.toString('latin1');
  });
  const exited = new Promise<PtyExit>((resolve) => process.onExit(resolve));
  const ended: Promise<Ran> = exited.then((exit) => ({ exit, text }));
  const says = async (what: RegExp) => {
    await until(() => what.test(text));
    return what.exec(text) as RegExpExecArray;
  };
  return { process: process as PtyProcess, ended, says };
}

async function run(launcher: AiderLauncher, code: string, more: Record<string, string> = {}) {
  return (await begin(launcher, code, more)).ended;
}

/** What a process can see of how it was started. */
const selfPortrait = `
import fcntl, json, os, resource, signal, struct, sys, termios, threading
size = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, b"\\0" * 8))[:2]
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
modes = termios.tcgetattr(0)
print("<" + json.dumps({
  "argv": sys.argv[:1] + sys.argv[2:], "cwd": os.getcwd(), "env": dict(os.environ),
  "leads": os.getsid(0) == os.getpid() and os.getpgrp() == os.getpid(),
  "foreground": os.tcgetpgrp(0) == os.getpid(), "tty": os.ttyname(0) == os.ttyname(2),
  "controls": bool(os.open("/dev/tty", os.O_RDWR)), "size": size,
  "modes": modes[:6] + [[str(c) for c in modes[6]]],
  "signals": [str(signal.getsignal(s)).split(" at ")[0] for s in sorted(signal.valid_signals())],
  "masks": [status[n].strip() for n in ("SigBlk", "SigIgn", "SigCgt")],
  "nice": os.nice(0), "policy": os.sched_getscheduler(0), "umask": os.umask(0),
  "limits": resource.getrlimit(resource.RLIMIT_NOFILE), "threads": threading.active_count(),
  "streams": [[s.encoding, s.errors, s.line_buffering, s.isatty()] for s in (sys.stdin, sys.stdout, sys.stderr)],
  "path": sys.path, "executable": sys.executable, "flags": str(sys.flags),
}) + ">")
`;

describe('agents forked from one process that has imported Aider', () => {
  forks('what is forked can see no difference to what is started', async () => {
    const script = fakeAider();
    const read = ({ text }: Ran) => {
      const { masks, ...rest } = JSON.parse(/<(.*)>/s.exec(text)?.[1] ?? 'null');
      // Of SIGCHLD and SIGWINCH the interpreter may or may not have looked; what counts is what is ignored.
      return { ...rest, blocked: masks[0], ignored: masks[1] };
    };
    const more = { SECRET_OF_ONE: 'x', LONG: 'y'.repeat(50_000), ODD: "a='b'\n\tä" };
    const warm = warmOf(script);
    expect(await warm.warmedUp()).toMatchObject({ warm: true });
    const forked = read(await run(warm, selfPortrait, more));
    expect(forked).toEqual(read(await run(new PlainLauncher([script]), selfPortrait, more)));
    expect(forked.env).toMatchObject(more);
    expect(forked).toMatchObject({ leads: true, foreground: true, controls: true, size: [24, 80] });
  });

  forks.each<[string, string, PtyExit, RegExp]>([
    ['a value', 'result = 3', { code: 3, signal: null }, /^$/],
    ['nothing', 'print("x")', { code: 0, signal: null }, /x/],
    ['a text', 'import sys; sys.exit("why")', { code: 1, signal: null }, /why/],
    ['an exit from a depth', 'import sys; sys.exit(7)', { code: 7, signal: null }, /^$/],
    ['an exception', '1 / 0', { code: 1, signal: null }, /Traceback.*ZeroDivisionError/s],
    ['a signal', 'import os; os.kill(os.getpid(), 15)', { code: null, signal: 'SIGTERM' }, /^$/],
    ['an interrupt', 'raise KeyboardInterrupt', { code: null, signal: 'SIGINT' }, /Traceback/],
    [
      'what was left to be done at the exit',
      'import atexit, threading, time\natexit.register(lambda: print("last"))\nthreading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()',
      { code: 0, signal: null },
      /thread.*last/s,
    ],
  ])('its end is told as that of a started one: %s', async (_, code, exit, text) => {
    const script = fakeAider();
    for (const launcher of [warmOf(script), new PlainLauncher([script])]) {
      const ran = await run(launcher, code);
      expect(ran.exit, ran.text).toEqual(exit);
      expect(ran.text).toMatch(text);
    }
  });

  forks('Ctrl-C, a new size and typed text reach it, more than it reads at once', async () => {
    const warm = warmOf(fakeAider());
    const held = await begin(
      warm,
      'import signal, os\nsignal.signal(signal.SIGWINCH, lambda *_: print("size", os.get_terminal_size()))\nprint("ready")\ntry:\n  while True: signal.pause()\nexcept KeyboardInterrupt: print("interrupted")',
    );
    await held.says(/ready/);
    held.process.resize(100, 30);
    await held.says(/columns=100, lines=30/);
    held.process.write('\x03');
    expect((await held.ended).text).toContain('interrupted');
    const size = 300_000;
    const reader = await begin(
      warm,
      `import sys, tty, hashlib\ntty.setraw(0)\nprint("ready", flush=True)\ndata = sys.stdin.buffer.read(${size})\nprint("sum", len(data), data.count(b"x"))`,
    );
    await reader.says(/ready/);
    for (let at = 0; at < size; at += 10_000) reader.process.write('x'.repeat(10_000));
    expect((await reader.ended).text).toContain(`sum ${size} ${size}`);
  });

  forks('no byte is lost at the exit, in 200 bursts, also while the reader pauses', async () => {
    const warm = warmOf(fakeAider());
    for (let at = 0; at < 200; at++) {
      const size = 20_000 + ((at * 7919) % 300_000);
      const { process, ended } = await begin(
        warm,
        `import os\nleft = ${size}\nwhile left: left -= os.write(1, b"z" * min(left, 65536))`,
      );
      if (at % 4 === 0) {
        process.onData(() => {
          process.pause();
          setImmediate(() => process.resume());
        });
      }
      const { text, exit } = await ended;
      expect([text.length, exit.code], `run ${at}`).toEqual([size, 0]);
    }
  });

  forks("one sees nothing of another: environment, descriptors, the server's own", async () => {
    const warm = warmOf(fakeAider());
    const first = await begin(warm, 'print("ready"); input()', { MY_API_KEY: 'hidden-1' });
    await first.says(/ready/);
    const { text } = await run(
      warm,
      `
import os
print("fds", sorted(os.readlink("/proc/self/fd/" + f) for f in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + f)), os.ttyname(0))
print("own", open("/proc/self/environ").read())
print("all", os.environ)
`,
      { MY_API_KEY: 'hidden-2' },
    );
    expect(text).not.toContain('hidden-1');
    // As it was started, it holds no key at all.
    expect(/own(.*)all/s.exec(text)?.[1]).not.toContain('hidden');
    const own = /(\/dev\/pts\/\d+)\s+own/s.exec(text)?.[1];
    const terminals = text.match(/\/dev\/(pts\/\d+|ptmx)/g) ?? [];
    expect(new Set(terminals)).toEqual(new Set([own]));
    expect(text).not.toMatch(/socket:|pipe:/);
    first.process.signal('SIGKILL');
    expect((await first.ended).exit.signal).toBe('SIGKILL');
  });

  forks.each<[string, string, RegExp]>([
    ['an import that fails', 'import no_such_module', /cannot be imported.*no_such_module/],
    ['an import that ends the process', 'import os; os._exit(3)', /exit code 3/],
    [
      'a thread that is left',
      'import threading, time; threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()',
      /2 threads are left/,
    ],
    ['a socket that is left', 'import socket; left = socket.socketpair()', /a socket is left open/],
    [
      'a forked process that is broken',
      'import os; os.register_at_fork(after_in_child=lambda: os._exit(9))',
      /cannot do what Aider does/,
    ],
  ])('%s is found while warming up, and agents are started plainly', async (_, code, why) => {
    const good = fakeAider();
    const warm = new WarmLauncher({
      script: fakeAider(code),
      python,
      env,
      plain: new PlainLauncher([good]),
    });
    onTestFinished(() => warm.close());
    expect(await warm.warmedUp()).toEqual({ warm: false, why: expect.stringMatching(why) });
    expect((await run(warm, 'result = 4')).exit).toEqual({ code: 4, signal: null });
  });

  forks('when the server is killed its agents end, and the next are started plainly', async () => {
    const warm = warmOf(fakeAider());
    const agent = await begin(warm, 'import os; print("parent", os.getppid(), "end"); input()');
    const [, server] = await agent.says(/parent (\d+) end/);
    process.kill(Number(server), 'SIGKILL');
    expect((await agent.ended).exit).toEqual({ code: null, signal: 'SIGKILL' });
    await until(() => !isAlive(agent.process.pid));
    expect((await run(warm, 'import os; print("parent", os.getppid())')).text).toContain(
      `parent ${process.pid}`,
    );
  });

  forks('when this program is killed, the server and its agents go too', async () => {
    const script = fakeAider();
    const at = (file: string) =>
      JSON.stringify(path.join(root, 'source/services/agents/aider', file));
    const program = `
      const { WarmLauncher } = await import(${at('warm-launcher.ts')});
      const { PlainLauncher } = await import(${at('launcher.ts')});
      const script = ${JSON.stringify(script)};
      const env = ${JSON.stringify(env)};
      const warm = new WarmLauncher({ script, python: ${JSON.stringify(python)}, env, plain: new PlainLauncher([script]) });
      const code = 'import os, signal, subprocess; signal.signal(signal.SIGHUP, signal.SIG_IGN); own = subprocess.Popen(["sleep", "300"]); print("pids", os.getppid(), os.getpid(), "end", flush=True); signal.pause()';
      const agent = await warm.start({ args: [code], cwd: '/', env, cols: 80, rows: 24 });
      agent.onData((bytes) => process.stdout.write(bytes));
    `;
    const args = ['--import', 'tsx', '--input-type=module', '-e', program];
    const child = spawn(process.execPath, args, { cwd: root });
    const pids = await new Promise<number[]>((resolve) => {
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
        const match = /pids (\d+) (\d+) end/.exec(text);
        if (match) resolve([Number(match[1]), Number(match[2])]);
      });
    });
    expect(pids.every(isAlive)).toBe(true);
    child.kill('SIGKILL');
    await until(() => !pids.some(isAlive));
  });

  forks(
    'closed, it leaves nothing, and starts nothing more; also in the middle of an import',
    async () => {
      const mark = `mark-${process.pid}`;
      const slow = warmOf(fakeAider('import time; time.sleep(100)'), { MARK: mark });
      const waiting = run(slow, 'result = 0');
      waiting.catch(() => {});
      slow.close();
      await expect(waiting).rejects.toThrow('closed');
      const warm = warmOf(fakeAider());
      const agent = await begin(warm, 'import os; print("parent", os.getppid(), "end"); input()');
      const [, server] = await agent.says(/parent (\d+) end/);
      warm.close();
      await until(() => !isAlive(Number(server)) && !isAlive(agent.process.pid));
    },
  );

  test('the program is in the package', () => {
    const file = path.join(root, 'dist/source/services/agents/aider/fork_server.py');
    expect(readFileSync(file, 'utf8')).toContain('def serve(self)');
  });
});
