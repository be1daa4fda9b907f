import { type FSWatcher, watch } from 'node:fs';
import type { StopSignal } from '../../../core/agent/agent.js';
import type { AttemptExit } from '../../../core/agent/evidence.js';
import type { AttemptEvents, AttemptHandle } from '../../../core/ports.js';
import type { PtyProcess } from '../../pty/pty-process.js';
import type { AgentTerminal } from '../../pty/terminals.js';
import { watchQuestions } from '../questions.js';
import type { ChatFacts } from './chat-history.js';
import type { LogTail } from './log-tail.js';
import { crashQuestion, findAiderQuestion, findCause, findSymptoms } from './screen-facts.js';

/** The chat history is read at most once in so many milliseconds. */
const chatMs = 100;

export interface WatchOptions {
  readonly interactive: boolean;
  /** Called when Aider begins a call to the model. */
  readonly sending: { listener: () => void };
  /** The chat history, which tells what was edited. */
  readonly chat: string;
  readonly readChat: () => ChatFacts;
  /** What is to be said of the edits of the last reply. */
  readonly readReply: () => Pick<AttemptExit, 'edits' | 'flaw'>;
  /** What its log has told: that a message went to the model, that it has come to its end. */
  readonly hasTold: { readonly send: boolean; readonly exit: boolean };
  readonly onWarning: (warning: string) => void;
  /** Takes secrets out of what Aider wrote, once it is read. */
  readonly maskFiles: () => void;
  /** Called when all of it has been told. */
  readonly onEnd: () => void;
}

/** Turns what a process does into facts; the exit comes after all events and all output. */
export function watchAttempt(
  process: PtyProcess,
  terminal: AgentTerminal,
  tail: LogTail,
  events: AttemptEvents,
  {
    interactive,
    sending,
    chat,
    readChat,
    readReply,
    hasTold,
    maskFiles,
    onWarning,
    onEnd,
  }: WatchOptions,
): AttemptHandle {
  const { emulator: screen, recording } = terminal;
  // Only this attempt's lines: an earlier one's failure is no news.
  let firstRow = screen.mark();
  // The person is there already; and what they tried before is not what they are judged by.
  const questions = watchQuestions(
    screen,
    findAiderQuestion,
    interactive
      ? { asks() {}, goesOn() {} }
      : {
          asks: (question) => {
            events.asks(question);
            if (crashQuestion.test(question)) process.write('n\r');
          },
          goesOn: events.goesOn,
        },
  );
  if (interactive) {
    sending.listener = () => {
      firstRow = screen.mark();
    };
  }
  const edits = watchEdits(chat, () => readChat().edited, events.edited);
  process.onData((bytes) => recording.output(bytes));
  screen.attach(process, questions.onDrawn);
  process.onExit(async ({ code, signal }) => {
    questions.stop();
    terminal.process = null;
    await screen.drawn();
    edits.close();
    tail.read();
    tail.close();
    const problem = recording.problem();
    if (problem !== null) onWarning(`the recording stopped: ${problem}`);
    const shown = screen.runs(firstRow());
    const cause = findCause(shown, !hasTold.send);
    const exit: AttemptExit = {
      code,
      signal,
      orderly: hasTold.exit,
      symptoms: findSymptoms(shown),
      cause,
      ...readChat(),
      ...readReply(),
    };
    maskFiles();
    events.exited(exit);
    onEnd();
  });
  return {
    pid: process.pid,
    signal: (signal: StopSignal) => process.signal(signal),
  };
}

/** Tells of files that Aider says it has edited, each once, soon after it has said so. */
function watchEdits(
  chat: string,
  read: () => readonly string[],
  tell: (files: readonly string[]) => void,
): { close(): void } {
  const told = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  const look = () => {
    timer = null;
    const fresh = read().filter((file) => !told.has(file));
    for (const file of fresh) told.add(file);
    if (fresh.length > 0) tell(fresh);
  };
  const watcher: FSWatcher = watch(chat, () => {
    timer ??= setTimeout(look, chatMs);
  });
  watcher.on('error', () => {});
  return {
    close: () => {
      if (timer) clearTimeout(timer);
      watcher.close();
    },
  };
}
