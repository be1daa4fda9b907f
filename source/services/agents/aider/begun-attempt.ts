import * as z from 'zod';
import type { AttemptExit } from '../../../core/agent/evidence.js';
import type { AttemptEvents, AttemptRequest } from '../../../core/ports.js';
import type { Told } from '../../../core/run/effect.js';
import { parseJson } from '../../../core/text/parse-json.js';
import { writePrivate } from '../../files/private-files.js';
import { readEnd, readStart } from '../../files/read-part.js';
import type { LogPaths } from '../../logs/log-paths.js';
import { Emulator } from '../../pty/emulator.js';
import { recordedOutput } from '../../pty/recorded-output.js';
import { maskText } from '../../pty/secret-mask.js';
import { type AiderEvent, parseAiderEvent, usageOf } from './analytics-log.js';
import { readChatSince, readLastReply } from './chat-tail.js';
import { findCause, findSymptoms } from './screen-facts.js';

/** Where an attempt began in Aider's own logs, sizes in bytes; and the fence that it was told to read. */
const begunSchema = z.object({
  log: z.number().int().min(0),
  chat: z.number().int().min(0),
  fence: z.number().int().min(0),
});
export type Begun = z.infer<typeof begunSchema>;

/** What is noted of a beginning is no longer, bytes. */
const mostBegun = 1024;

/** The log of one attempt is no longer, bytes. */
const mostLog = 16 * 1024 * 1024;

/** The size of the terminal in which what was recorded is read again. */
const wide = { cols: 400, rows: 50 };

/** Takes note of where an attempt begins, for a program that goes on with it. Throws like `fs`. */
export function begin(file: string, begun: Begun): void {
  writePrivate(file, JSON.stringify(begun));
}

/** What an event of Aider's log means to those who run any agent. */
export function tellTurn(event: AiderEvent, events: AttemptEvents): void {
  switch (event.event) {
    case 'message_send_starting':
      events.turnStarted();
      return;
    case 'message_send':
      events.turnEnded(usageOf(event));
      return;
    case 'message_send_exception': {
      const { exception } = event.properties;
      events.turnFailed(typeof exception === 'string' ? exception : null);
      return;
    }
  }
}

/**
 * An attempt that a program before this one has begun, whose Aider ended with that: tells of it what has not been
 * told. One that had done all it was to do, its answers whole and its edits made, has ended as if nothing had been;
 * any other one is lost.
 * @param note told of each event of its log
 * @param secrets values that no event may hold
 * @returns false where no message had gone to the model, so that it can simply be begun
 */
export async function hasEnded(
  request: AttemptRequest,
  told: Told,
  events: AttemptEvents,
  paths: LogPaths,
  note: (event: AiderEvent) => void,
  secrets: readonly string[],
): Promise<boolean> {
  const { agent, attempt, checkout, brief, interactive } = request;
  const noted = readStart(paths.begun(agent, attempt), mostBegun)?.toString('utf8') ?? '';
  const begun = begunSchema.safeParse(parseJson(noted));
  if (!begun.success) {
    // It was told of, and what it has written is gone.
    if (told.sends > 0) events.lost();
    return told.sends > 0;
  }
  const { log, chat, fence } = begun.data;
  const seen = eventsSince(paths.analytics(agent), log, secrets);
  const count = (name: string) => seen.filter(({ event }) => event === name).length;
  const sends = count('message_send_starting');
  if (sends === 0 && told.sends === 0) return false;
  for (const event of untold(seen, told)) {
    note(event);
    tellTurn(event, events);
  }
  const format = seen.findLast(({ properties }) => typeof properties['edit_format'] === 'string');
  const said = readChatSince(paths.chatHistory(agent), chat);
  const reply = readLastReply(
    paths.replies(agent, attempt),
    String(format?.properties['edit_format'] ?? ''),
    brief.task.files,
    checkout.worktree,
    fence,
  );
  const hasExited = count('exit') > 0;
  const isWhole = sends > 0 && count('message_send') >= sends;
  // Aider says that it has applied edits when all of a reply are on the disk; then it has only to end.
  const isApplied = reply.edits && reply.flaw === null && said.edited.length > 0;
  if (interactive || !isWhole || !(hasExited || isApplied)) {
    events.lost();
    return true;
  }
  const shown = await shownIn(paths.cast(agent), attempt);
  const exit: AttemptExit = {
    code: 0,
    signal: null,
    orderly: true,
    symptoms: findSymptoms(shown),
    cause: findCause(shown, false),
    ...said,
    ...reply,
  };
  events.exited(exit);
  return true;
}

/** The events that have not been told: what comes behind those that have. */
function untold(seen: readonly AiderEvent[], told: Told): AiderEvent[] {
  const left = new Map([
    ['message_send_starting', told.sends],
    ['message_send', told.responses],
    ['message_send_exception', told.exceptions],
  ]);
  const isTold = seen.map(({ event }) => {
    const more = left.get(event) ?? 0;
    left.set(event, more - 1);
    return more > 0;
  });
  return seen.slice(isTold.lastIndexOf(true) + 1);
}

function eventsSince(file: string, from: number, secrets: readonly string[]): AiderEvent[] {
  const text = readEnd(file, mostLog, from)?.toString('utf8') ?? '';
  // Its last line may be half a one.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.flatMap((line) => parseAiderEvent(maskText(line, secrets)) ?? []);
}

/** What the attempt showed on its terminal, as far as it was recorded. */
async function shownIn(cast: string, attempt: number) {
  const screen = new Emulator(wide.cols, wide.rows);
  screen.feed(recordedOutput(cast, attempt));
  await screen.drawn();
  const runs = screen.runs();
  screen.dispose();
  return runs;
}
