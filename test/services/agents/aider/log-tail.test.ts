import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type AiderEvent,
  parseAiderEvent,
} from '../../../../source/services/agents/aider/analytics-log.js';
import { wordsOf } from '../../../../source/services/agents/aider/event-words.js';
import { LineSplitter, LogTail } from '../../../../source/services/agents/aider/log-tail.js';
import { until } from '../../../eventually.js';
import { appendTo, tempFolder } from '../../../rig.js';

describe("Aider's analytics log", () => {
  test.each([
    [
      'cli session',
      { main_model: 'gpt-4o', edit_format: 'diff' },
      'Aider uses gpt-4o, edit format diff',
    ],
    ['cli session', {}, 'Aider uses its model'],
    ['message_send_exception', { exception: 'x' }, 'the message failed: x'],
    ['exit', { reason: { a: 1 } }, 'Aider ends'],
    ['command_add', {}, null],
    ['constructor', {}, null],
  ])('%s is told in words', (event, properties, words) => {
    expect(wordsOf({ event, properties, time: null })).toBe(words);
  });

  test('lines that arrive in pieces are whole, in order, once', async () => {
    const file = path.join(tempFolder(), 'log');
    writeFileSync(file, '{"event":"old"}\n');
    const events: AiderEvent[] = [];
    const tail = new LogTail(file, 16, (event) => events.push(event));
    appendTo(file, '{"event":"a","properties":{"x":1},"time":5}\n{"eve');
    appendTo(file, 'nt":"b"}\nnot json\n{"event":"ü"');
    tail.read();
    expect(events.map(({ event }) => event)).toEqual(['a', 'b']);
    appendTo(file, '}\n');
    await until(() => events.length >= 3);
    tail.close();
    expect(events[2]).toEqual({ event: 'ü', properties: {}, time: null });
  });

  test('a character that is split between two reads is whole', () => {
    const splitter = new LineSplitter();
    const bytes = Buffer.from('{"event":"ü"}\n');
    const lines = [...bytes].flatMap((byte) => splitter.push(Buffer.from([byte])));
    expect(lines.map((line) => parseAiderEvent(line)?.event)).toEqual(['ü']);
  });
});
