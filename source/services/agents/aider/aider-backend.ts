import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { problemOfError } from '../../../core/policy/work-problem.js';
import type {
  AgentBackend,
  AttemptEvents,
  AttemptHandle,
  AttemptRequest,
  WorkProblem,
} from '../../../core/ports.js';
import { err, ok, type Result } from '../../../core/result.js';
import type { Identity } from '../../git/repository.js';
import type { OwnEvent } from '../../logs/agent-log.js';
import { environment } from '../../machine/environment.js';
import type { PtyProcess } from '../../pty/pty-process.js';
import { providerSecrets, withoutSecrets } from '../../pty/secret-mask.js';
import type { Terminals } from '../../pty/terminals.js';
import { promptOf } from '../prompt.js';
import type { AiderEvent } from './analytics-log.js';
import { type AttemptFilesOptions, attemptFiles } from './attempt-files.js';
import { begin, hasEnded, tellTurn } from './begun-attempt.js';
import { readChatSince, readLastReply } from './chat-tail.js';
import { agentEnvironment, exceptLoopback, identityVariables } from './environment.js';
import { wordsOf } from './event-words.js';
import type { AiderLauncher } from './launcher.js';
import { LogTail } from './log-tail.js';
import { maskFiles } from './mask-files.js';
import { aiderStyle } from './prompt-style.js';
import { watchAttempt } from './watch-attempt.js';

export interface AiderBackendOptions extends AttemptFilesOptions {
  readonly launcher: AiderLauncher;
  /** The command that is started, in whatever way. */
  readonly executable: string;
  readonly geminiKey: () => string | null;
  /** Who commits, where no configuration tells it; null where one does. */
  readonly identity: () => Identity | null;
  /** Where agents reach their provider, when that is not where it is; null when they do. */
  readonly provider: () => { readonly variable: string; readonly url: string } | null;
  readonly terminals: Terminals;
  /** Told of each event of Aider's own log, for the agent's log. */
  readonly onEvent: (agent: number, event: OwnEvent) => void;
  readonly onWarning: (warning: string) => void;
}

/** Starts agents as real Aider processes, each in a pseudo-terminal of its own. */
export class AiderBackend implements AgentBackend {
  constructor(private readonly options: AiderBackendOptions) {}

  async start(
    request: AttemptRequest,
    events: AttemptEvents,
    signal: AbortSignal,
  ): Promise<Result<AttemptHandle | null, WorkProblem>> {
    const { executable, launcher, terminals, paths, onWarning } = this.options;
    const { agent, attempt, brief, checkout, interactive } = request;
    // Its terminal would only tell that something could not be run.
    if (path.isAbsolute(executable) && !existsSync(executable)) {
      return err({ reason: 'start_failed', detail: `${executable} is gone` });
    }
    let tail: LogTail | null = null;
    const note = (event: AiderEvent) => {
      const said = wordsOf(event);
      this.options.onEvent(agent, said === null ? event : { ...event, said });
    };
    try {
      const log = paths.analytics(agent);
      const chat = paths.chatHistory(agent);
      const env = this.environment(request.model);
      // A provider may repeat the key that it refuses.
      const secrets = providerSecrets(env);
      const replies = paths.replies(agent, attempt);
      const mask = () => maskFiles([chat, log, replies], secrets, onWarning);
      const { told } = request;
      if (told !== null && (await hasEnded(request, told, events, paths, note, secrets))) {
        terminals.open(agent, brief.task.title);
        mask();
        return ok(null);
      }
      const message = interactive ? null : promptOf(brief, aiderStyle);
      const { args, fence } = attemptFiles(request, message, this.options);
      const terminal = terminals.open(agent, brief.task.title);
      const chatSize = existsSync(chat) ? statSync(chat).size : 0;
      // All that can fail comes before the process, so that none is left running unseen.
      begin(paths.begun(agent, attempt), { log: statSync(log).size, chat: chatSize, fence });
      const sending: { listener: () => void } = { listener: () => {} };
      // Before anything can tell of it: a quick process has told all before its start is told of.
      const hasTold = { send: false, exit: false };
      let format = '';
      const onEvent = (event: AiderEvent) => {
        if (typeof event.properties['edit_format'] === 'string')
          format = event.properties['edit_format'];
        note(event);
        if (event.event === 'message_send_starting') {
          hasTold.send = true;
          sending.listener();
        }
        if (event.event === 'exit') hasTold.exit = true;
        tellTurn(event, events);
      };
      tail = new LogTail(log, statSync(log).size, onEvent, secrets);
      const { cols, rows } = terminal.emulator;
      const started = await unlessAborted(
        launcher.start({ args, cwd: checkout.worktree, env, cols, rows }),
        signal,
      );
      const process = withoutSecrets(started, secrets);
      terminals.enter(terminal, process, { cols, rows }, attempt);
      return ok(
        watchAttempt(process, terminal, tail, events, {
          interactive,
          sending,
          chat,
          readChat: () => readChatSince(chat, chatSize),
          readReply: () =>
            readLastReply(replies, format, brief.task.files, checkout.worktree, fence),
          hasTold,
          onWarning,
          maskFiles: mask,
          onEnd: () => terminals.used(agent),
        }),
      );
    } catch (error) {
      tail?.close();
      return err(problemOfError(error, 'start_failed'));
    }
  }

  private environment(model: string): Record<string, string> {
    const { geminiKey, provider, identity } = this.options;
    const plain = agentEnvironment(environment(), model, geminiKey());
    const who = identity();
    const env = who ? { ...plain, ...identityVariables(plain, who) } : plain;
    const led = provider();
    if (!led) return env;
    // A proxy of the network's does not reach our loopback.
    return { ...env, ...exceptLoopback(env), [led.variable]: led.url };
  }
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
