import {
  closeSync,
  existsSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { AttemptExit, StopSignal } from '../../core/agent.js';
import type { ChatFacts } from '../../core/chat-history.js';
import { blocksFence, fenceFor, withoutFences } from '../../core/edit-fence.js';
import { faultOfError } from '../../core/machine-fault.js';
import { escapeIgnorePattern } from '../../core/paths.js';
import type {
  AgentBackend,
  AttemptEvents,
  AttemptHandle,
  AttemptRequest,
  WorkProblem,
} from '../../core/ports.js';
import { err, ok, type Result } from '../../core/result.js';
import type { AiderEvent } from '../../core/run.js';
import { findCause, findQuestion, findTexts } from '../../core/screen-facts.js';
import { problemOfError } from '../../core/work-problem.js';
import {
  hasCode,
  makePrivateFolder,
  openPrivate,
  unless,
  unreadable,
  writePrivate,
} from '../files/private-files.js';
import type { Identity } from '../git/repository.js';
import type { LogPaths } from '../logs/log-paths.js';
import type { PtyProcess } from '../pty/pty-process.js';
import { Recording } from '../pty/recording.js';
import { RecordingWriter } from '../pty/recording-writer.js';
import { Screen, scrollback } from '../pty/screen.js';
import { maskBytes, providerSecrets, withoutSecrets } from '../pty/secret-mask.js';
import { readChatSince, readLastReply } from './chat-tail.js';
import { agentEnvironment, exceptLoopback, identityVariables } from './environment.js';
import { aiderArguments, longestArgument } from './invocation.js';
import type { AiderLauncher } from './launcher.js';
import { LogTail } from './log-tail.js';

export interface AiderBackendOptions {
  readonly launcher: AiderLauncher;
  /** The command that is started, in whatever way. */
  readonly executable: string;
  /** The model of the next attempt. */
  readonly model: () => string;
  readonly geminiKey: () => string | null;
  /** Who commits, where no configuration tells it; null where one does. */
  readonly identity: () => Identity | null;
  /** Where agents reach their provider, when that is not where it is; null when they do. */
  readonly provider: () => { readonly variable: string; readonly url: string } | null;
  readonly extra: readonly string[];
  /** Files that the repository's settings give to each agent to read, relative to the repository. */
  readonly read: readonly string[];
  readonly repo: string;
  readonly paths: LogPaths;
  /** The repository map to read, once it is made; null when there is none. */
  readonly repoMap: () => string | null;
  readonly onWarning: (warning: string) => void;
}

/** The size of a terminal that nobody looks at. */
const unseen = { cols: 120, rows: 40 } as const;

/** Output is quiet for this long before the cursor's line is taken for a question, milliseconds. */
const quietMs = 250;

/** Screens of agents that are not at work keep their memory, up to so many bytes, the latest ones first. */
const mostIdleBytes = 48e6;

/** One agent's screen and recording; they outlive its attempts. */
interface Terminal {
  readonly screen: Screen;
  readonly recording: Recording;
  /** Null between attempts. */
  process: PtyProcess | null;
}

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** Starts agents as real Aider processes, each in a pseudo-terminal of its own. */
export class AiderBackend implements AgentBackend {
  private readonly terminals = new Map<number, Terminal>();
  private readonly sizes = new Map<number, TerminalSize>();
  private readonly listeners = new Set<() => void>();
  /** Agents that were at work or looked at, the latest last. */
  private readonly recent = new Set<number>();
  /** One screen at a time gives its memory back. */
  private packing = Promise.resolve();
  /** From the first agent on. */
  private writer: RecordingWriter | null = null;

  constructor(private readonly options: AiderBackendOptions) {}

  /** Told when an agent's terminal comes into being. @returns ends it */
  onOpen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Gives an agent's terminal another size, now or when it starts. */
  resize(agent: number, size: TerminalSize): void {
    const { cols, rows } = size;
    const terminal = this.terminals.get(agent);
    this.sizes.set(agent, size);
    if (!terminal || (terminal.screen.cols === cols && terminal.screen.rows === rows)) return;
    terminal.screen.resize(cols, rows);
    terminal.recording.resize(cols, rows);
    terminal.process?.resize(cols, rows);
  }

  /** What a person types goes to the agent as it is. */
  type(agent: number, data: string): void {
    this.terminals.get(agent)?.process?.write(data);
  }

  /** The screen of an agent, for those who draw it. */
  screen(agent: number): Screen | null {
    return this.terminals.get(agent)?.screen ?? null;
  }

  async start(
    request: AttemptRequest,
    events: AttemptEvents,
    signal: AbortSignal,
  ): Promise<Result<AttemptHandle, WorkProblem>> {
    let tail: LogTail | null = null;
    let hasSent = false;
    // Before anything can tell of it: a quick process has told all before its start is told of.
    let format = '';
    const { executable, launcher } = this.options;
    // Its terminal would only tell that something could not be run.
    if (path.isAbsolute(executable) && !existsSync(executable)) {
      return err({ reason: 'start_failed', detail: `${executable} is gone` });
    }
    try {
      const { args, fence } = this.prepareFiles(request);
      const terminal = this.terminal(request);
      const log = this.options.paths.analytics(request.agent);
      const chat = this.options.paths.chatHistory(request.agent);
      const chatSize = existsSync(chat) ? statSync(chat).size : 0;
      // All that can fail comes before the process, so that none is left running unseen.
      const sending: { listener: () => void } = { listener: () => {} };
      const env = this.environment();
      // A provider may repeat the key that it refuses.
      const secrets = providerSecrets(env);
      const onEvent = (event: AiderEvent) => {
        if (event.event === 'message_send_starting') {
          hasSent = true;
          sending.listener();
        }
        if (typeof event.properties.edit_format === 'string') format = event.properties.edit_format;
        events.aiderEvent(event);
      };
      tail = new LogTail(log, statSync(log).size, onEvent, secrets);
      const { cols, rows } = terminal.screen;
      const started = await unlessAborted(
        launcher.start({ args, cwd: request.place.worktree, env, cols, rows }),
        signal,
      );
      const process = withoutSecrets(started, secrets);
      // Its pane may have got another size meanwhile.
      if (terminal.screen.cols !== cols || terminal.screen.rows !== rows)
        process.resize(terminal.screen.cols, terminal.screen.rows);
      terminal.recording.mark(`attempt ${request.attempt}`);
      terminal.process = process;
      const { onWarning } = this.options;
      const interactive = request.message === null;
      const replies = this.options.paths.replies(request.agent, request.attempt);
      const readChat = () => readChatSince(chat, chatSize);
      const readReply = () =>
        readLastReply(replies, format, request.task.files, request.place.worktree, fence);
      const maskFiles = () => {
        for (const file of [chat, log, replies]) {
          const problem = maskFile(file, secrets);
          if (problem !== null) onWarning(`a key may stand in ${file}: ${problem}`);
        }
      };
      return ok(
        watchAttempt(process, terminal, tail, events, {
          interactive,
          sending,
          readChat,
          readReply,
          hasSent: () => hasSent,
          onWarning,
          maskFiles,
          onEnd: () => this.used(request.agent),
        }),
      );
    } catch (error) {
      tail?.close();
      return err(problemOfError(error, 'start_failed'));
    }
  }

  close(): void {
    for (const { screen, recording } of this.terminals.values()) {
      recording.close();
      screen.dispose();
    }
    this.writer?.close();
  }

  /** An agent has ended an attempt, or is looked at: those that were not for long give memory back. */
  private used(agent: number): void {
    this.recent.delete(agent);
    this.recent.add(agent);
    let bytes = 0;
    for (const one of [...this.recent].reverse()) {
      const terminal = this.terminals.get(one) as Terminal;
      if (terminal.process) continue;
      bytes += terminal.screen.bytes;
      if (one === agent || bytes <= mostIdleBytes) continue;
      this.recent.delete(one);
      this.packing = this.packing.then(() => this.pack(one, terminal));
    }
  }

  private async pack(agent: number, { screen, process }: Terminal): Promise<void> {
    // Its next attempt has begun, at whose end it is asked again.
    if (process) return;
    // It was drawn on, or resized.
    if (!(await screen.pack()) && screen.bytes > 0) this.recent.add(agent);
  }

  private environment(): Record<string, string> {
    const { model, geminiKey, provider, identity } = this.options;
    const plain = agentEnvironment(process.env, model(), geminiKey());
    const who = identity();
    const env = who ? { ...plain, ...identityVariables(plain, who) } : plain;
    const led = provider();
    if (!led) return env;
    // A proxy of the network's does not reach our loopback.
    return { ...env, ...exceptLoopback(env), [led.variable]: led.url };
  }

  private terminal(request: AttemptRequest): Terminal {
    let terminal = this.terminals.get(request.agent);
    if (!terminal) {
      const file = this.options.paths.cast(request.agent);
      const title = `agent ${request.agent}: ${request.task.title}`;
      const { cols, rows } = this.sizes.get(request.agent) ?? unseen;
      this.writer ??= new RecordingWriter();
      terminal = {
        screen: new Screen(cols, rows, scrollback, () => this.used(request.agent)),
        recording: new Recording(file, cols, rows, title, this.writer),
        process: null,
      };
      this.terminals.set(request.agent, terminal);
      for (const listener of this.listeners) listener();
    }
    return terminal;
  }

  /** Writes what Aider is to find on disk, and gives its arguments and the fence that it will read. */
  private prepareFiles(request: AttemptRequest): { args: string[]; fence: number } {
    const { paths, model, extra, repo, read: always } = this.options;
    const { agent, attempt, task, message } = request;
    const { worktree } = request.place;
    makePrivateFolder(paths.agentFolder(agent));
    // Aider appends to these, and would make them for others to read; the tail needs the first to be there.
    for (const file of [
      paths.analytics(agent),
      paths.chatHistory(agent),
      paths.replies(agent, attempt),
    ]) {
      closeSync(openPrivate(file, 'append'));
    }
    const long = message !== null && Buffer.byteLength(message) > longestArgument;
    // Kept also when it goes by argument: what an agent was told belongs to the record.
    if (message !== null) writePrivate(paths.message(agent, attempt), message);
    const scope = task.files.length === 0 ? null : paths.scope(agent);
    const read = [...new Set([...task.read, ...request.alsoRead, ...always])].filter(
      (file) => !task.files.includes(file),
    );
    if (scope !== null) writePrivate(scope, scopeFile([...task.files, ...read]));
    const map = task.files.length === 0 ? null : this.options.repoMap();
    const inWorktree = (file: string) => path.join(worktree, file);
    const own = task.files.map(inWorktree).filter((file) => isWithin(worktree, file));
    const fence = fenceFor(own.flatMap((file) => textOf(file) ?? []));
    const hand = (file: string, name: string) => this.handOver(request, file, name, fence);
    const given = read.flatMap((name) => {
      // What the settings name may lie in the checkout alone, where git ignores it.
      const file = [inWorktree(name), path.join(repo, name)].find((one) => existsSync(one));
      if (file === undefined) return [];
      const from = file.startsWith(`${worktree}${path.sep}`) ? worktree : repo;
      return always.includes(name) || isWithin(from, file) ? [hand(file, name)] : [];
    });
    const prd = request.prdPath === null ? null : path.resolve(repo, request.prdPath);
    const args = aiderArguments({
      model: model(),
      // One that is to be new comes into being when the model writes it: Aider would make it empty.
      files: task.files.filter((file) => existsSync(inWorktree(file))),
      message:
        message === null
          ? null
          : long
            ? { file: paths.message(agent, attempt) }
            : { text: message },
      read: [
        ...(prd === null ? [] : [hand(prd, path.basename(prd))]),
        ...given,
        ...(map === null ? [] : [hand(map, path.basename(map))]),
      ],
      analyticsLog: paths.analytics(agent),
      chatHistory: paths.chatHistory(agent),
      llmHistory: paths.replies(agent, attempt),
      scope,
      crlf: usesCrlf(task.files.map(inWorktree)),
      extra,
    });
    return { args, fence };
  }

  /**
   * A file for an agent to read: itself or, where it would move the fence of Aider's away from what the agent's
   * own files need, a copy that does not.
   */
  private handOver({ agent }: AttemptRequest, file: string, name: string, fence: number): string {
    const text = textOf(file);
    if (text === null || !blocksFence(text, fence)) return file;
    const copy = path.join(this.options.paths.agentFolder(agent), 'read', name);
    writePrivate(copy, withoutFences(text));
    return copy;
  }
}

/** A file's text; null where it is none, or is not there. */
function textOf(file: string): string | null {
  return unless(unreadable, null, () => readFileSync(file, 'utf8'));
}

/**
 * Masks secrets in a file that Aider wrote; its length stays, so that what comes is still found behind it.
 * @returns why one may still be there; null when none is
 */
function maskFile(file: string, secrets: readonly string[]): string | null {
  const bytes = unless(unreadable, null, () => readFileSync(file));
  if (!bytes || !maskBytes(bytes, secrets)) return null;
  try {
    writeFileSync(file, bytes, { flag: 'r+' });
    return null;
  } catch (error) {
    if (faultOfError(error) === null && !hasCode(error, ...unreadable)) throw error;
    return (error as Error).message;
  }
}

/** Whether a file really lies in a folder: an agent may have made a link of it. */
function isWithin(folder: string, file: string): boolean {
  return unless(unreadable, false, () =>
    realpathSync(file).startsWith(`${realpathSync(folder)}${path.sep}`),
  );
}

/** A process that was waited for in vain is ended as soon as it is there. */
async function unlessAborted(
  started: Promise<PtyProcess>,
  signal: AbortSignal,
): Promise<PtyProcess> {
  const aborted = new Promise<never>((_, reject) => {
    const stop = () => reject(new Error('it was told to end'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([started, aborted]);
  } catch (error) {
    // One that fails as well has nothing to end.
    started.then(
      (late) => late.signal('SIGKILL'),
      () => {},
    );
    throw error;
  }
}

/** Whether the files of a group end their lines as on Windows; by the first that tells. */
function usesCrlf(files: readonly string[]): boolean {
  for (const file of files) {
    if (!existsSync(file) || !statSync(file).isFile()) continue;
    const text = readFileSync(file);
    const end = text.indexOf(0x0a);
    if (end >= 0) return text[end - 1] === 0x0d;
  }
  return false;
}

/** Hides everything but these files: Aider would add a file that a reply merely mentions. */
function scopeFile(files: readonly string[]): string {
  return `${['*', ...files.map((file) => `!${escapeIgnorePattern(file)}`)].join('\n')}\n`;
}

interface WatchOptions {
  readonly interactive: boolean;
  /** Called when Aider begins a call to the model. */
  readonly sending: { listener: () => void };
  readonly readChat: () => ChatFacts;
  /** What is to be said of the edits of the last reply. */
  readonly readReply: () => Pick<AttemptExit, 'edits' | 'flaw'>;
  /** Whether a message went to the model. */
  readonly hasSent: () => boolean;
  readonly onWarning: (warning: string) => void;
  /** Takes secrets out of what Aider wrote, once it is read. */
  readonly maskFiles: () => void;
  /** Called when all of it has been told. */
  readonly onEnd: () => void;
}

/** Turns what a process does into facts; the exit comes after all events and all output. */
function watchAttempt(
  process: PtyProcess,
  terminal: Terminal,
  tail: LogTail,
  events: AttemptEvents,
  { interactive, sending, readChat, readReply, hasSent, maskFiles, onWarning, onEnd }: WatchOptions,
): AttemptHandle {
  const { screen, recording } = terminal;
  // Only this attempt's lines: an earlier one's failure is no news.
  let firstRow = screen.mark();
  // The person is there already; and what they tried before is not what they are judged by.
  const questions = watchQuestions(screen, interactive ? { asks() {}, goesOn() {} } : events);
  if (interactive) {
    sending.listener = () => {
      firstRow = screen.mark();
    };
  }
  process.onData((bytes) => recording.output(bytes));
  screen.attach(process, questions.onDrawn);
  process.onExit(async ({ code, signal }) => {
    questions.stop();
    terminal.process = null;
    await screen.drawn();
    tail.read();
    tail.close();
    const problem = recording.problem();
    if (problem !== null) onWarning(`the recording stopped: ${problem}`);
    const shown = screen.runs(firstRow());
    const texts = findTexts(shown);
    const cause = findCause(shown, !hasSent());
    const exit: AttemptExit = { code, signal, texts, cause, ...readChat(), ...readReply() };
    maskFiles();
    events.exited(exit);
    onEnd();
  });
  return {
    pid: process.pid,
    signal: (signal: StopSignal) => process.signal(signal),
    type: (text) => process.write(text),
    edited: () => readChat().edited,
  };
}

/** Tells when a question waits for its answer: the output is quiet and the cursor stands behind one. */
function watchQuestions(screen: Screen, events: Pick<AttemptEvents, 'asks' | 'goesOn'>) {
  let timer: NodeJS.Timeout | null = null;
  let goneTimer: NodeJS.Timeout | null = null;
  let asked: string | null = null;
  let stopped = false;
  const look = () => {
    timer = null;
    const question = findQuestion(screen.cursorLines());
    if (question === asked) return;
    if (asked !== null) events.goesOn();
    asked = question;
    if (question !== null) events.asks(question);
  };
  const lookWhetherGone = () => {
    goneTimer = null;
    if (asked === null || findQuestion(screen.cursorLines()) !== null) return;
    asked = null;
    events.goesOn();
  };
  return {
    onDrawn: () => {
      if (stopped) return;
      // While a question is drawn anew, such as after a resize, its line is empty for a moment.
      if (asked !== null) goneTimer ??= setTimeout(lookWhetherGone, quietMs);
      if (timer) clearTimeout(timer);
      timer = setTimeout(look, quietMs);
    },
    stop: () => {
      stopped = true;
      if (timer) clearTimeout(timer);
      if (goneTimer) clearTimeout(goneTimer);
    },
  };
}
