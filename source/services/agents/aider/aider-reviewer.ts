import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addUsage, noUsage, type Usage } from '../../../core/agent/agent.js';
import type { Failure } from '../../../core/policy/failure.js';
import type { Reviewer, ReviewerAnswer } from '../../../core/ports.js';
import { err, ok, type Result } from '../../../core/result.js';
import { writePrivate } from '../../files/private-files.js';
import { environment } from '../../machine/environment.js';
import { readToEnd, unseenSize } from '../../pty/run-command.js';
import { type AiderEvent, parseAiderEvent, usageOf } from './analytics-log.js';
import { agentEnvironment, exceptLoopback } from './environment.js';
import { aiderArguments } from './invocation.js';
import type { AiderLauncher } from './launcher.js';

export interface AiderReviewerOptions {
  readonly launcher: AiderLauncher;
  readonly model: string;
  readonly geminiKey: string | null;
  readonly extra: readonly string[];
  /** Where the provider is reached; null for where it is. */
  readonly provider: () => { readonly variable: string; readonly url: string } | null;
}

/** A review that takes longer is given up, milliseconds. */
const longestMs = 10 * 60_000;

/**
 * Reviews with any model of Aider's: one question in `ask` mode, in an empty folder without a
 * repository, so that there is nothing it could see or change but the question.
 */
export class AiderReviewer implements Reviewer {
  constructor(private readonly options: AiderReviewerOptions) {}

  async review(prompt: string, signal: AbortSignal): Promise<Result<ReviewerAnswer, Failure>> {
    const { launcher, model, geminiKey, extra, provider } = this.options;
    const folder = mkdtempSync(path.join(tmpdir(), 'aider-orchestrator-review-'));
    const at = (name: string) => path.join(folder, name);
    try {
      // Begins with a word: Aider takes `/` and `!` for commands.
      writePrivate(at('question.md'), `Task: ${prompt}`);
      const args = aiderArguments({
        model,
        files: [],
        message: { file: at('question.md') },
        read: [],
        analyticsLog: at('log.jsonl'),
        chatHistory: at('chat.md'),
        llmHistory: at('replies.txt'),
        scope: null,
        crlf: false,
        extra: [...extra, '--chat-mode', 'ask', '--no-git', '--map-tokens', '0'],
      });
      const env = agentEnvironment(environment(), model, geminiKey);
      const led = provider();
      const running = await launcher.start({
        args,
        cwd: folder,
        env: led ? { ...env, ...exceptLoopback(env), [led.variable]: led.url } : env,
        ...unseenSize,
      });
      const { ended } = await readToEnd(running, { stop: signal, timeoutMs: longestMs });
      if (signal.aborted) return failed('it was told to end');
      if (ended === 'timeout') return failed('there was no answer in 10 minutes');
      if (!hasAnswered(at('log.jsonl'))) return failed(`${model} gave no whole answer`);
      return ok({ text: answerIn(at('chat.md')), model, usage: usageIn(at('log.jsonl')) });
    } catch (error) {
      return failed((error as Error).message);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function failed(message: string): Result<never, Failure> {
  return err({ kind: 'aider', message: `The reviewer failed: ${message}.`, hint: '' });
}

/** As with the agents: an answer to each call, and the last one not empty. */
function hasAnswered(log: string): boolean {
  const events = eventsIn(log);
  const sends = events.filter(({ event }) => event === 'message_send_starting');
  const answers = events.filter(({ event }) => event === 'message_send');
  const tokens = answers.at(-1)?.properties['completion_tokens'];
  return (
    sends.length > 0 && sends.length === answers.length && typeof tokens === 'number' && tokens > 0
  );
}

function eventsIn(log: string): AiderEvent[] {
  if (!existsSync(log)) return [];
  return readFileSync(log, 'utf8')
    .split('\n')
    .flatMap((line) => parseAiderEvent(line) ?? []);
}

function usageIn(log: string): Usage {
  return eventsIn(log)
    .filter(({ event }) => event === 'message_send')
    .map(usageOf)
    .reduce(addUsage, noUsage);
}

/** What the model said: neither our question (`####`) nor Aider's own words (`>`). */
function answerIn(chat: string): string {
  return readFileSync(chat, 'utf8')
    .split('\n')
    .filter((line) => !/^(####|>|# aider chat)/.test(line))
    .join('\n');
}
