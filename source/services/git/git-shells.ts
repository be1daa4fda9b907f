import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';

/** What a command left; `code` as a shell tells it, above 128 for a signal. */
export interface ShellAnswer {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly code: number;
}

export interface ShellCommand {
  readonly cwd: string;
  readonly args: readonly string[];
  /** More variables. */
  readonly env: Readonly<Record<string, string>>;
  readonly input: string | Buffer | undefined;
}

/** As many commands run at once. */
const count = 8;

/** A longer input is no line of shell any more, bytes. */
const mostInput = 256 * 1024;

interface Order {
  readonly command: ShellCommand;
  resolve(answer: ShellAnswer): void;
  reject(error: Error): void;
}

/**
 * Starts commands from small processes. To start one takes a process as long as it is large: from this one,
 * with the screens of all agents, 3 to 20 milliseconds in which nothing is drawn. And what this one starts
 * would inherit the agents' terminals, which node-pty leaves open for it. So a few shells are started before
 * there is a terminal, and each runs one command after the other.
 */
export class Shells {
  private readonly all = new Set<Shell>();
  private readonly idle: Shell[] = [];
  private readonly orders: Order[] = [];
  private closed = false;

  /** @param env what the commands have in their environment */
  constructor(env: Readonly<Record<string, string | undefined>>) {
    for (let at = 0; at < count; at++) {
      const shell = new Shell(env, () => this.lose(shell));
      this.all.add(shell);
      this.idle.push(shell);
    }
  }

  /** Runs a command when there is a shell for it; null where it has to be started in another way. */
  run(command: ShellCommand): Promise<ShellAnswer> | null {
    if (this.closed || this.all.size === 0) return null;
    if (command.input !== undefined && command.input.length > mostInput) return null;
    if ([command.cwd, ...command.args].some((word) => word.includes('\0'))) return null;
    return new Promise((resolve, reject) => {
      this.orders.push({ command, resolve, reject });
      this.next();
    });
  }

  /** Ends them when what they are at is done. */
  close(): void {
    this.closed = true;
    this.next();
  }

  private next(): void {
    while (this.idle.length > 0 && this.orders.length > 0) {
      const shell = this.idle.pop() as Shell;
      const { command, resolve, reject } = this.orders.shift() as Order;
      void shell
        .run(command)
        .then(resolve, reject)
        .then(() => this.release(shell));
    }
    if (this.closed) for (const shell of this.idle.splice(0)) shell.end();
  }

  private release(shell: Shell): void {
    if (this.all.has(shell)) this.idle.push(shell);
    this.next();
  }

  /** It has been killed, or never began. */
  private lose(shell: Shell): void {
    this.all.delete(shell);
    const at = this.idle.indexOf(shell);
    if (at >= 0) this.idle.splice(at, 1);
    if (this.all.size > 0) return;
    for (const { reject } of this.orders.splice(0)) reject(new Error('the shells have ended'));
  }
}

/** One of them: takes a line of shell, and ends the answer on each of its two streams with a mark. */
class Shell {
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** No command can know it, and so none prints it. */
  private readonly mark = randomBytes(24).toString('hex');
  private waiting: { resolve(answer: ShellAnswer): void; reject(error: Error): void } | null = null;
  private out: Buffer[] = [];
  private errors: Buffer[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>, onEnd: () => void) {
    // A group of its own: Ctrl-C in the terminal is not for it.
    this.child = spawn('/bin/sh', [], { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const ended = (why: string) => {
      onEnd();
      this.waiting?.reject(new Error(why));
      this.waiting = null;
    };
    this.child.on('error', (error) => ended(error.message));
    this.child.on('close', () => ended('the shell that runs it has ended'));
    this.child.stdin.on('error', () => {});
    this.child.stdout.on('data', (chunk: Buffer) => this.take(this.out, chunk));
    this.child.stderr.on('data', (chunk: Buffer) => this.take(this.errors, chunk));
    this.hold(false);
  }

  run({ cwd, args, env, input }: ShellCommand): Promise<ShellAnswer> {
    const sets = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)} && `);
    const command = `cd ${quoted(cwd)} && ${sets.join('')}exec ${args.map(quoted).join(' ')}`;
    const script = `${input === undefined ? '' : `printf %b '${printed(input)}' | `}(${command})${input === undefined ? ' </dev/null' : ''}
code=$?; printf '%s %s.' ${this.mark} $code; printf '%s %s.' ${this.mark} $code >&2
`;
    this.hold(true);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.child.stdin.write(script);
    });
  }

  end(): void {
    this.child.stdin.end();
  }

  /** While it does nothing it keeps nobody from ending. */
  private hold(on: boolean): void {
    const { child } = this;
    for (const one of [child, child.stdin, child.stdout, child.stderr]) {
      const { ref, unref } = one as unknown as { ref(): void; unref(): void };
      (on ? ref : unref).call(one);
    }
  }

  private take(chunks: Buffer[], chunk: Buffer): void {
    chunks.push(chunk);
    const [out, errors] = [ended(this.out, this.mark), ended(this.errors, this.mark)];
    if (!out || !errors) return;
    this.out = [];
    this.errors = [];
    const { waiting } = this;
    this.waiting = null;
    this.hold(false);
    waiting?.resolve({ stdout: out.text, stderr: errors.text, code: out.code });
  }
}

/** What stands before the mark, and the exit code behind it; null while it has not come. */
function ended(chunks: Buffer[], mark: string): { text: Buffer; code: number } | null {
  const last = chunks.at(-1);
  // The mark's last byte; so a large output is not searched at each of its pieces.
  if (!last?.length || last[last.length - 1] !== 0x2e) return null;
  const all = chunks.length === 1 ? last : Buffer.concat(chunks);
  chunks.splice(0, chunks.length, all);
  // The mark, a blank, a code of at most three digits and a dot.
  const from = Math.max(0, all.length - mark.length - 5);
  const at = all.indexOf(mark, from);
  if (at < 0) return null;
  return {
    text: all.subarray(0, at),
    code: Number.parseInt(all.toString('latin1', at + mark.length), 10),
  };
}

/** What printf prints as these bytes, by its `%b`. */
function printed(input: string | Buffer): string {
  const bytes = Buffer.from(input as string).toString('latin1');
  return bytes.replaceAll(/[^\x20-\x7e]|['\\]/g, (char) => {
    return `\\0${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
}

/** A word of the shell's that is this text. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
