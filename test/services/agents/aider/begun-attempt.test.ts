import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AttemptExit } from '../../../../source/core/agent/evidence.js';
import type { AttemptEvents, AttemptRequest } from '../../../../source/core/ports.js';
import type { Told } from '../../../../source/core/run/effect.js';
import type { AiderEvent } from '../../../../source/services/agents/aider/analytics-log.js';
import { begin, hasEnded } from '../../../../source/services/agents/aider/begun-attempt.js';
import { logPaths } from '../../../../source/services/logs/log-paths.js';
import { brief, checkout } from '../../../hand-driven.js';
import { makeRepo } from '../../../rig.js';

const nothing: Told = { sends: 0, responses: 0, exceptions: 0 };

/** An attempt of agent 0 that an earlier program has begun, after another one. */
function begun() {
  const paths = logPaths(makeRepo({ 'T1.ts': '1\n' }), '20260102_030405');
  mkdirSync(paths.agentFolder(0), { recursive: true });
  const log = paths.analytics(0);
  const event = (name: string, properties = {}) =>
    `${JSON.stringify({ event: name, properties, time: 1 })}\n`;
  const before = event('message_send_starting') + event('message_send') + event('exit');
  writeFileSync(log, before);
  writeFileSync(paths.chatHistory(0), '> Applied edit to old.ts\n');
  begin(paths.begun(0, 2), { log: before.length, chat: 25, fence: 0 });
  const request: AttemptRequest = {
    agent: 0,
    attempt: 2,
    checkout,
    brief,
    interactive: false,
    model: 'gpt-4o',
    told: nothing,
  };
  const look = async (told = nothing, more: Partial<AttemptRequest> = {}) => {
    const said: string[] = [];
    let exit: AttemptExit | null = null;
    const events: AttemptEvents = {
      turnStarted: () => said.push('started'),
      turnEnded: (usage) => said.push(`ended ${usage?.completionTokens}`),
      turnFailed: () => said.push('failed'),
      edited() {},
      asks() {},
      goesOn() {},
      exited: (one) => {
        exit = one;
        said.push('exited');
      },
      lost: () => said.push('lost'),
    };
    const noted: string[] = [];
    const texts: string[] = [];
    const note = ({ event: name, properties }: AiderEvent) => {
      noted.push(name);
      texts.push(JSON.stringify(properties));
    };
    const ended = await hasEnded({ ...request, ...more }, told, events, paths, note, ['sk-secret']);
    return { ended, said, noted, exit, texts: texts.join() };
  };
  const write = (...events: string[]) => appendFileSync(log, events.join(''));
  const chat = (text: string) => appendFileSync(paths.chatHistory(0), text);
  return { paths, event, write, chat, look };
}

test('one that has sent nothing can simply be begun', async () => {
  const { event, write, look, paths } = begun();
  write(event('launched'));
  expect(await look()).toMatchObject({ ended: false, said: [] });
  rmSync(paths.begun(0, 2));
  expect(await look()).toMatchObject({ ended: false, said: [] });
  // Told of, and its log is gone.
  expect(await look({ ...nothing, sends: 1 })).toMatchObject({ ended: true, said: ['lost'] });
});

test('one whose answer had not come is lost, and so is one whose edits were not made', async () => {
  const { event, write, look } = begun();
  write(event('launched'), event('message_send_starting'));
  expect((await look()).said).toEqual(['started', 'lost']);
  // What was told is not told again.
  expect((await look({ ...nothing, sends: 1 })).said).toEqual(['lost']);
  write(event('message_send', { completion_tokens: 7 }));
  expect((await look({ ...nothing, sends: 1 })).said).toEqual(['ended 7', 'lost']);
  // Half a line is no event.
  write('{"event":"exit"');
  expect((await look({ ...nothing, sends: 1, responses: 1 })).said).toEqual(['lost']);
});

test('one whose answer was applied, or that told of its end, has ended as any other', async () => {
  const applied = begun();
  const { event } = applied;
  const answered = [event('message_send_starting'), event('message_send')];
  applied.write(...answered);
  applied.chat('> Applied edit to T1.ts\n');
  const seen = await applied.look({ ...nothing, sends: 1 });
  expect(seen.said).toEqual(['ended 0', 'exited']);
  expect(seen.exit).toMatchObject({ code: 0, orderly: true, edited: ['T1.ts'], flaw: null });
  const told = begun();
  told.write(...answered, event('exit'));
  const end = await told.look();
  expect(end.said).toEqual(['started', 'ended 0', 'exited']);
  expect(end.noted).toEqual(['message_send_starting', 'message_send', 'exit']);
  // A person's own cannot be taken up where they left it.
  expect((await told.look(nothing, { interactive: true })).said.at(-1)).toBe('lost');
  // A further message went to the model, and nobody knows what came of it.
  told.write(event('message_send_starting'));
  expect((await told.look()).said.at(-1)).toBe('lost');
});

test('what an attempt showed on its terminal counts, as far as it was recorded', async () => {
  const { event, write, look, paths } = begun();
  write(event('message_send_starting'), event('message_send'), event('exit'));
  const red = '\\u001b[38;2;255;34;34mOnly 3 reflections allowed, stopping.\\u001b[0m\\r\\n';
  writeFileSync(
    paths.cast(0),
    `{"version":2,"timestamp":1}\n[0,"m","attempt 2"]\n[1,"o","${red}"]\n`,
  );
  expect((await look()).exit).toMatchObject({ symptoms: ['gave_up'] });
});

test('a key that a provider repeats is told to nobody; a log without an end is read from its end', async () => {
  const { event, write, look, paths } = begun();
  write(event('message_send_starting'));
  write(event('message_send_exception', { exception: 'no sk-secret' }));
  const seen = await look();
  expect(seen.said).toEqual(['started', 'failed', 'lost']);
  expect(seen.texts).toContain('no ');
  expect(seen.texts).not.toContain('sk-secret');
  write(`${'x'.repeat(17 * 1024 * 1024)}\n`, event('exit'));
  expect((await look({ sends: 1, responses: 0, exceptions: 1 })).said).toEqual(['lost']);
  // A pipe in its place is not waited for.
  rmSync(paths.analytics(0));
  execFileSync('mkfifo', [paths.analytics(0)]);
  expect((await look({ sends: 1, responses: 0, exceptions: 1 })).said).toEqual(['lost']);
});
