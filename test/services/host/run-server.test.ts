import type { Server, Socket } from 'node:net';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ok } from '../../../source/core/result.js';
import type { MessageBody } from '../../../source/core/run/message.js';
import type { RunState } from '../../../source/core/run/run.js';
import { Channel } from '../../../source/services/host/channel.js';
import { contractVersion, mostFrameBytes } from '../../../source/services/host/contract.js';
import type { HostedRun } from '../../../source/services/host/hosted-run.js';
import { RunClient } from '../../../source/services/host/run-client.js';
import { RunServer } from '../../../source/services/host/run-server.js';
import { connectTo, listenAt } from '../../../source/services/host/socket.js';
import { Emulator } from '../../../source/services/pty/emulator.js';
import { createRunStore } from '../../../source/store/run-store.js';
import { eventually, until } from '../../eventually.js';
import { HandDriven, step, task } from '../../hand-driven.js';
import { tempFolder } from '../../rig.js';

/** A run that a test drives, with real emulators, as a host gives it to clients. */
class Hosted extends HandDriven {
  readonly emulators = new Map<number, Emulator>();
  readonly sizes: string[] = [];
  readonly typed: string[] = [];
  readonly keys: string[] = [];
  readonly dispatched: MessageBody[] = [];
  readonly server: RunServer;
  watchers = 0;
  private readonly openListeners = new Set<() => void>();
  private readonly run = createRunStore(
    () => {},
    [(after, before, message) => this.server.observe(after, before, message)],
    () => 1000,
  );

  constructor(tasks = 3) {
    super();
    const hosted: HostedRun = {
      state: () => this.now(),
      subscribe: (listener) => this.run.store.subscribe(listener),
      dispatch: (message) => {
        this.dispatched.push(message);
        this.give(message);
      },
      terminals: {
        emulator: (agent) => this.emulators.get(agent) ?? null,
        onOpen: (listener) => {
          this.openListeners.add(listener);
          return () => this.openListeners.delete(listener);
        },
        resize: (agent, { cols, rows }) => {
          this.sizes.push(`${agent} ${cols}x${rows}`);
          this.emulators.get(agent)?.resize(cols, rows);
        },
        type: (agent, data) => void this.typed.push(`${agent} ${data}`),
      },
      diff: async (agent) => ok(`diff of ${agent}`),
      events: async () => ['{}'],
      lastMessage: async () => 'told',
      prd: async () => null,
      keys: () => this.keys,
      setKey: (variable, key) => void this.keys.push(variable, key),
      summaryWritten: () => false,
    };
    this.server = new RunServer(hosted, {
      run: '20260102_030405',
      program: '1.2.3',
      onWatchers: (count) => {
        this.watchers = count;
      },
    });
    this.start(Array.from({ length: tasks }, (_, index) => task(`T${index}`)));
    onTestFinished(() => {
      this.server.close();
      for (const emulator of this.emulators.values()) emulator.dispose();
    });
  }

  give(message: MessageBody): void {
    this.run.dispatch(message);
  }

  now(): RunState | null {
    return this.run.store.getState().run;
  }

  private listening: Promise<string> | null = null;

  /** One more connection, by a real socket. */
  async socket(): Promise<Socket> {
    this.listening ??= this.listen();
    const socket = await connectTo(await this.listening);
    if (!socket.ok) throw new Error(socket.failure);
    return socket.value;
  }

  private async listen(): Promise<string> {
    const file = path.join(tempFolder(), 'run.sock');
    const server = await listenAt(file, (stream) => this.server.accept(stream));
    if (!server.ok) throw new Error(server.failure);
    onTestFinished(() => void (server.value as Server).close());
    return file;
  }

  open(agent: number, cols = 40, rows = 10): Emulator {
    const emulator = new Emulator(cols, rows, 100);
    this.emulators.set(agent, emulator);
    for (const listener of this.openListeners) listener();
    return emulator;
  }

  async connect(wants: 'screen' | 'messages' | 'nothing' = 'screen', program = '1.2.3') {
    const here = await this.socket();
    const messages: string[] = [];
    const client = new RunClient(here, {
      wants,
      program,
      onMessage: (after, before, message) => {
        messages.push(`${message.type} ${before === null ? 'none' : before.phase} ${after.phase}`);
      },
    });
    onTestFinished(() => client.close());
    const refused = await client.greeted;
    return { client, refused, messages, here };
  }
}

/** What a client would draw of a terminal: its window, row by row. */
function shown(client: RunClient, agent: number, height: number): string[] {
  const emulator = client.terminals.emulator(agent);
  if (!emulator) return [];
  const top = Math.max(0, emulator.length - height);
  return Array.from({ length: height }, (_, row) =>
    emulator.row(top + row, 0, emulator.cols, 1, false).trimEnd(),
  );
}

test('a client has the state at once, and each one that follows', async () => {
  const hosted = new Hosted();
  const { client } = await hosted.connect();
  await until(() => client.state() !== null);
  expect(client.state()).toEqual(hosted.now());
  expect(client.run).toBe('20260102_030405');
  hosted.send({ type: 'pause', paused: true }, { type: 'set_slots', slots: 7 });
  await until(() => client.state()?.slots === 7);
  expect(client.state()).toEqual(hosted.now());
  client.dispatch({ type: 'remark', agent: 1, text: 'mind the tests' });
  await until(() => hosted.now()?.agents[1]?.remarks.length === 1);
  await eventually(() => expect(client.state()).toEqual(hosted.now()));
});

test('what a person does counts at once for who reads the state, and is not taken back', async () => {
  const hosted = new Hosted();
  const { client } = await hosted.connect();
  await until(() => client.state() !== null);
  const seen: (number | undefined)[] = [];
  client.subscribe(() => seen.push(client.state()?.slots));
  for (const slots of [5, 6, 7]) {
    client.dispatch({ type: 'set_slots', slots });
    expect(client.state()?.slots).toBe(slots);
  }
  // Another one's counts in between, and one that changes nothing is heard all the same.
  hosted.send({ type: 'remark', agent: 0, text: 'from elsewhere' });
  client.dispatch({ type: 'set_slots', slots: 7 });
  await until(() => client.state()?.agents[0]?.remarks.length === 1);
  await client.diff(0);
  expect(seen.filter((slots, at) => at > 0 && (slots ?? 0) < (seen[at - 1] ?? 0))).toEqual([]);
  await eventually(() => expect(client.state()).toEqual(hosted.now()));
});

test('a client that wants messages gets each with the states around it', async () => {
  const hosted = new Hosted();
  const { client, messages } = await hosted.connect('messages');
  await until(() => client.state() !== null);
  hosted.send({ type: 'pause', paused: true }, { type: 'interrupt', signal: 'SIGTERM' });
  await until(() => messages.length === 2);
  expect(messages[0]).toMatch(/^pause (\w+) \1$/);
  expect(messages[1]).toMatch(/^interrupt /);
});

test('a terminal is drawn by its host: what a client draws is what the emulator shows', async () => {
  const hosted = new Hosted();
  const emulator = hosted.open(0);
  emulator.feed('\x1b[31mred\x1b[0m and 漢字\r\nsecond');
  await emulator.drawn();
  const { client } = await hosted.connect();
  await eventually(() => expect(shown(client, 0, 10)[1]).toBe('second'));
  const mirrored = client.terminals.emulator(0);
  for (let y = 0; y < emulator.length; y++) {
    expect(mirrored?.row(y, 1, 30, 5, true)).toBe(emulator.row(y, 1, 30, 5, true));
  }
  expect(mirrored?.cursor()).toEqual(emulator.cursor());
  emulator.feed(
    '\r\n'.concat(Array.from({ length: 50 }, (_, line) => `line ${line}`).join('\r\n')),
  );
  await eventually(() => expect(shown(client, 0, 10)).toContain('line 49'));
  // What was scrolled off the window comes when it is asked for.
  await eventually(() => {
    const row = [...Array(mirrored?.length ?? 0).keys()].map((y) =>
      mirrored?.row(y, 0, 40, 1, false),
    );
    expect(row.join('\n')).toContain('second');
    expect(row.join('\n')).toContain('line 7');
  });
});

test('a client that draws nothing is sent no more pictures, and then the latest one', async () => {
  const hosted = new Hosted();
  const emulator = hosted.open(0);
  const { client } = await hosted.connect();
  await until(() => client.terminals.emulator(0) !== null);
  const mirrored = client.terminals.emulator(0);
  let pictures = 0;
  mirrored?.onChange(() => {
    pictures += 1;
  });
  for (let line = 0; line < 200; line++) {
    emulator.feed(`line ${line}\r\n`);
    await emulator.drawn();
  }
  await client.diff(0);
  expect(pictures).toBeLessThan(5);
  await eventually(() => expect(shown(client, 0, 10)).toContain('line 199'));
});

test('a client that is only looked at is sent 10 pictures a second, however quickly it draws', async () => {
  const hosted = new Hosted();
  const emulator = hosted.open(0);
  const looking = await hosted.connect();
  const used = await hosted.connect();
  await until(() => looking.client.terminals.emulator(0) !== null && used.client.state() !== null);
  used.client.used();
  const at: number[] = [];
  looking.client.terminals.emulator(0)?.onChange(() => {
    at.push(performance.now());
    // It draws at once.
    shown(looking.client, 0, 10);
  });
  shown(looking.client, 0, 10);
  while (at.length < 12) {
    emulator.feed(`line ${at.length}\r\n`);
    await emulator.drawn();
    await setImmediate();
  }
  // The first may come as soon as it has said what it looks at.
  expect((at.at(-1) ?? 0) - (at[1] ?? 0)).toBeGreaterThan(900);
});

test('rows that are held stay the same lines, also when the width changes', async () => {
  const hosted = new Hosted();
  const emulator = hosted.open(0, 40, 5);
  emulator.feed(`${'x'.repeat(60)}\r\nwanted\r\nafter`);
  await emulator.drawn();
  const { client } = await hosted.connect();
  await eventually(() => expect(shown(client, 0, 5)).toContain('wanted'));
  const mirrored = client.terminals.emulator(0);
  const row = [...Array(5).keys()].find((y) => mirrored?.row(y, 0, 6, 1, false) === 'wanted') ?? -1;
  const held = mirrored?.anchor(row);
  expect(held?.line()).toBe(row);
  client.terminals.resize(0, { cols: 20, rows: 5 });
  await until(() => mirrored?.cols === 20);
  await eventually(() => {
    const at = held?.line() ?? -1;
    expect(mirrored?.row(at, 0, 6, 1, false)).toBe('wanted');
  });
  emulator.feed('\r\nmore'.repeat(300));
  await eventually(() => {
    shown(client, 0, 5);
    expect(held?.line()).toBeNull();
  });
});

test('rows that stay where they are come again when the width has changed', async () => {
  const hosted = new Hosted();
  const emulator = hosted.open(0, 40, 5);
  emulator.feed('still here');
  await emulator.drawn();
  const { client } = await hosted.connect();
  await eventually(() => expect(shown(client, 0, 5)[0]).toBe('still here'));
  for (const cols of [20, 60]) {
    hosted.emulators.get(0)?.resize(cols, 5);
    await until(() => client.terminals.emulator(0)?.cols === cols);
    await eventually(() => expect(shown(client, 0, 5)[0]).toBe('still here'));
  }
  emulator.feed('\x1b[?1049hother screen');
  await eventually(() => expect(shown(client, 0, 5).join('')).toContain('other screen'));
  emulator.feed('\x1b[?1049l');
  await eventually(() => expect(shown(client, 0, 5)[0]).toBe('still here'));
});

test('text is searched, and lines are read, where they are', async () => {
  const hosted = new Hosted();
  const emulator = hosted.open(0);
  emulator.feed(Array.from({ length: 200 }, (_, line) => `line ${line}`).join('\r\n'));
  await emulator.drawn();
  const { client } = await hosted.connect();
  await eventually(() => expect(shown(client, 0, 10)).toContain('line 199'));
  const mirrored = client.terminals.emulator(0);
  expect((await mirrored?.lines())?.at(-1)).toBe('line 199');
  const [found] = (await mirrored?.search('LINE 150')) ?? [];
  await eventually(() => expect(mirrored?.row(found?.row ?? 0, 0, 8, 1, false)).toBe('line 150'));
});

test('what is typed reaches its agent, and the client used last decides the sizes', async () => {
  const hosted = new Hosted();
  hosted.open(0);
  hosted.open(1);
  const one = await hosted.connect();
  const other = await hosted.connect();
  one.client.terminals.resize(0, { cols: 100, rows: 30 });
  await until(() => hosted.sizes.at(-1) === '0 100x30');
  other.client.terminals.resize(0, { cols: 60, rows: 20 });
  await until(() => hosted.sizes.at(-1) === '0 60x20');
  one.client.terminals.type(0, 'für dich');
  await until(() => hosted.sizes.at(-1) === '0 100x30');
  other.client.terminals.type(1, 'y\r');
  await until(() => hosted.sizes.at(-1) === '0 60x20');
  expect(hosted.typed).toEqual(['0 für dich', '1 y\r']);
  expect(hosted.watchers).toBe(2);
  await until(() => one.client.watchers === 2);
  one.client.used();
  await until(() => hosted.sizes.at(-1) === '0 100x30');
  other.client.used();
  await until(() => hosted.sizes.at(-1) === '0 60x20');
  other.client.close();
  await until(() => hosted.sizes.at(-1) === '0 100x30');
  expect(hosted.watchers).toBe(1);
});

test('a client of another version is told so, but can still stop the run', async () => {
  const hosted = new Hosted();
  const { refused } = await hosted.connect('screen', '9.9.9');
  expect(refused).toEqual({ because: 'program', program: '1.2.3' });
  const { client, refused: none } = await hosted.connect('nothing', '9.9.9');
  expect(none).toBeNull();
  client.dispatch({ type: 'interrupt', signal: 'SIGTERM' });
  await until(() => hosted.now()?.interruptedBy === 'SIGTERM');
});

test('a key that a person gives reaches the host, which tells all of its name', async () => {
  const hosted = new Hosted();
  const one = await hosted.connect();
  const other = await hosted.connect();
  hosted.keys.push('OPENAI_API_KEY');
  one.client.setKey('GEMINI_API_KEY', 'secret');
  await until(() => other.client.keys.includes('GEMINI_API_KEY'));
  expect(one.client.keys).toContain('OPENAI_API_KEY');
});

/** A client that says what it likes. */
async function rawClient(hosted: Hosted) {
  const here = await hosted.socket();
  const heard: { type: string; because?: string }[] = [];
  let isClosed = false;
  const channel = new Channel(here, mostFrameBytes.fromHost, {
    json: (value) => void heard.push(value as { type: string }),
    bytes: () => {},
    drain: () => {},
    close: () => {
      isClosed = true;
    },
  });
  return { channel, here, heard, isClosed: () => isClosed };
}

const hello = { type: 'hello', contract: contractVersion, program: '1.2.3', wants: 'screen' };

test.each([
  ['another contract', { ...hello, contract: 99 }, 'contract'],
  ['no greeting', { type: 'dispatch', message: { type: 'kill_all' } }, 'form'],
  ['no object', 7, 'form'],
])('%s is refused', async (_, first, because) => {
  const { channel, heard, isClosed } = await rawClient(new Hosted());
  channel.send(first as object);
  await until(() => isClosed());
  expect(heard.at(-1)).toMatchObject({ type: 'refused', because });
});

test('only what a person can say is taken from a client, and only in its form', async () => {
  const hosted = new Hosted();
  for (const message of [
    { type: 'integrated', step: step(0) },
    { type: 'run_started' },
    { type: 'remark', agent: 'all', text: 7 },
    { type: 'kill_agent', agent: -1 },
  ]) {
    const { channel, heard, isClosed } = await rawClient(hosted);
    channel.send(hello);
    channel.send({ type: 'dispatch', seq: 1, message });
    await until(() => isClosed());
    expect(heard.at(-1)).toMatchObject({ type: 'refused', because: 'form' });
  }
  expect(hosted.dispatched).toEqual([]);
  // An agent that is not there is nobody's.
  const { client } = await hosted.connect();
  client.dispatch({ type: 'kill_agent', agent: 99 });
  expect(await client.diff(99)).toEqual(ok(''));
});

test('a kind of message that is not known is passed over', async () => {
  const hosted = new Hosted();
  const { channel, isClosed } = await rawClient(hosted);
  channel.send(hello);
  channel.send({ type: 'of_a_later_version', more: 1 });
  channel.send({ type: 'dispatch', seq: 1, message: { type: 'set_slots', slots: 5 } });
  await until(() => hosted.now()?.slots === 5);
  expect(isClosed()).toBe(false);
});

test.each([
  ['a frame that is too large', Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 0])],
  ['no JSON', Buffer.from([0, 0, 0, 2, 1, 0x7b, 0x7b])],
  ['a kind of frame that there is not', Buffer.from([0, 0, 0, 1, 9, 0])],
])('%s closes the connection', async (_, bytes) => {
  const { here, isClosed } = await rawClient(new Hosted());
  here.write(bytes);
  await until(() => isClosed());
});

test('a client that goes in the middle of a frame harms nobody', async () => {
  const hosted = new Hosted();
  const { client } = await hosted.connect();
  const { channel, here } = await rawClient(hosted);
  channel.send(hello);
  here.write(Buffer.from([0, 0, 1, 0, 1, 0x7b]));
  here.destroy();
  client.dispatch({ type: 'set_slots', slots: 9 });
  await until(() => client.state()?.slots === 9);
  await until(() => hosted.watchers === 1);
});

test('a client that wants all messages and lets them pile up is let go, and told why', async () => {
  const hosted = new Hosted();
  const { client, here } = await hosted.connect('messages');
  here.pause();
  // It changes nothing, and is told all the same.
  for (let count = 0; count < 20; count++) {
    hosted.send({ type: 'tests_named', command: 'x'.repeat(4e6) });
  }
  here.resume();
  await client.ended;
  expect(client.refused).toMatchObject({ because: 'too_slow' });
});

test('a client that does not read is not waited for: it is told how things are when it reads again', async () => {
  const hosted = new Hosted();
  const emulator = hosted.open(0, 200, 50);
  const slow = await rawClient(hosted);
  slow.channel.send(hello);
  slow.here.pause();
  const { client } = await hosted.connect();
  for (let round = 0; round < 300; round++) {
    emulator.feed(`${String(round).repeat(50)}\r\n`.repeat(50));
    await emulator.drawn();
    hosted.send({ type: 'set_slots', slots: (round % 50) + 1 });
    shown(client, 0, 50);
  }
  await eventually(() => expect(client.state()?.slots).toBe(50));
  slow.here.resume();
  await eventually(() => {
    const states = slow.heard.filter(({ type }) => type === 'state');
    const last = states.at(-1) as unknown as { patch: { fields: { slots: number } } };
    expect(last.patch.fields.slots).toBe(50);
    // It was sent no picture that it had not asked for.
    expect(slow.heard.filter(({ type }) => type === 'picture').length).toBeLessThan(3);
  });
});
