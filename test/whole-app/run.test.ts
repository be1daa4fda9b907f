import { describe, expect, test } from 'vitest';
import { cleanExit, unchanged } from '../attempt-facts.js';
import { eventually } from '../eventually.js';
import { Harness, keys, type PlayedRun } from './harness.js';

/** A run on the screen, with two agents at work and one queued. */
async function openRun(
  options: ConstructorParameters<typeof Harness>[0] = {},
): Promise<{ app: Harness; run: PlayedRun }> {
  const app = new Harness({ cols: 120, rows: 40, change: 'Dates', ...options });
  await app.shows(/Everything a run needs/);
  await app.press(keys.enter, /R1/);
  await app.press(keys.enter, /GROUPS/);
  await app.press(keys.enter, /This is what will happen/);
  await app.press(keys.enter, /▸ RUN[\s\S]*queued/);
  const { run } = app;
  if (!run) throw new Error('no run');
  await app.settle();
  await run.begin(0, Array.from({ length: 60 }, (_, line) => `zero ${line}\n`).join(''));
  await run.begin(1, 'one\n');
  await app.shows(/zero 59[\s\S]*2 working/);
  return { app, run };
}

const types = (run: PlayedRun) => run.effects.map((effect) => effect.type);
const gone = (text: string) => new RegExp(`^(?![\\s\\S]*${text})`);

describe('the run screen', () => {
  test('agents get the size of their panes, follow a resize, and a zoom', async () => {
    const { app, run } = await openRun();
    expect(run.sizes.get(0)).toBe('58x17');
    await app.press('z', gone('1 T2'));
    await eventually(() => expect(run.sizes.get(0)).toBe('118x35'));
    expect(run.sizes.get(1)).toBe('58x17');
    await app.press(keys.esc, /1 T2/);
    app.resize(200, 60);
    await eventually(() => expect(run.sizes.get(0)).toBe('98x27'));
    app.resize(59, 30);
    await app.shows(/\[0●\]/);
    await eventually(() => expect(run.sizes.get(0)).toBe('57x24'));
    app.resize(29, 30);
    await app.shows(/^Too small/);
    app.resize(120, 40);
    await app.shows(/1 T2/);
  });

  test('w shows the address of its page, which y copies, or why there is none', async () => {
    const { app } = await openRun();
    await app.press('w', /There is no page\./);
    const address = 'http://127.0.0.1:40123/enter/0123456789abcdef012345';
    app.page = { ok: true, value: { address, acts: true, isAsked: false, port: 40123 } };
    await app.press('w', /This run in a browser[\s\S]*enter\/0123456789abcdef012345/);
    await app.shows(/Open it in a browser of this machine/);
    await app.shows(/ssh -L 40123:127\.0\.0\.1:40123/);
    app.type('y');
    const sent = `\x1b]52;c;${Buffer.from(address).toString('base64')}\x07`;
    await eventually(() => expect(app.output.join('')).toContain(sent));
    app.page = { ok: true, value: { address, acts: false, isAsked: true, port: null } };
    await app.press('w', /Your browser was asked to open it[\s\S]*can only watch/);
    await app.press('x', gone('asked to open'));
    expect(app.text()).not.toMatch(/Kill/);
  });

  test('focus by arrows, letters, Tab and numbers', async () => {
    const { app } = await openRun();
    await app.shows(/▸0 T1/);
    await app.press(keys.right, /▸1 T2/);
    await app.press('j', /▸2 T3/);
    await app.press(keys.tab, /▸0 T1/);
    await app.press('2', /▸2 T3/);
    await app.press('9', /▸2 T3[\s\S]*There is no agent9/);
    await app.press('\x1b[Z', /▸1 T2/);
  });

  test('scrolls with the position shown, and keeps its place while the agent prints', async () => {
    const { app, run } = await openRun();
    await app.press(keys.pageUp, /lines 28-44 of 61/);
    expect(app.text()).toContain('zero 27');
    await run.print(0, 'more\nand more\n');
    await app.shows(/lines 28-44 of 63/);
    expect(app.text()).toContain('zero 27');
    await app.press('g', /zero 0[\s\S]*lines 1-17 of 63/);
    await app.press(keys.ctrl('d'), /lines 10-26 of 63/);
    await app.press('G', /and more/);
    expect(app.text()).not.toContain('lines ');
  });

  test('search goes from the last match up, n and N on and back, and marks it', async () => {
    const { app } = await openRun();
    await app.press('/', /^\/ *$/m);
    await app.press(`ZERO 1${keys.enter}`, /\/ZERO 1 11 of 11/);
    expect(app.text()).toContain('zero 19');
    await app.press('N', /\/ZERO 1 10 of 11/);
    await app.press('n', /\/ZERO 1 11 of 11/);
    await app.press('n', /\/ZERO 1 1 of 11/);
    expect(app.output.join('')).toContain('\x1b[7mzero 1\x1b[0m');
    await app.press('/', /^\/ *$/m);
    await app.press(`nowhere${keys.enter}`, /\/nowhere: not found/);
  });

  test('typing: everything goes to the agent until Ctrl-]', async () => {
    const { app, run } = await openRun();
    await app.press(
      'i',
      /TYPING[\s\S]*Ctrl-\] or F12 stops typing; every other key goes to agent0/,
    );
    app.type('q\x03\x1b[A');
    await eventually(() => expect(run.typed.join('')).toBe('q\x03\x1b[A'));
    app.type('\x1b[200~a\nb\x1b[201~');
    await eventually(() => expect(run.typed.join('')).toBe('q\x03\x1b[Aa\rb'));
    await run.print(0, '\x1b[?2004h');
    app.type('\x1b[200~c\nd\x1b[201~');
    await eventually(() => expect(run.typed.at(-1)).toBe('\x1b[200~c\nd\x1b[201~'));
    await app.press('\x1d', gone('TYPING'));
    const before = run.typed.length;
    await app.press('?', /type to filter/);
    expect(run.typed.length).toBe(before);
    expect(app.exited).toBe(false);
  });

  test('what comes right after i in the same breath is the agent’s too; after its end they go nowhere', async () => {
    const { app, run } = await openRun();
    app.type('iyes\r');
    await eventually(() => expect(run.typed.join('')).toBe('yes\r'));
    run.finish(0);
    // What is typed on goes nowhere, and above all does nothing here, until the key that ends it.
    await app.shows(/HAS ENDED[\s\S]*agent0 has ended, and keys go nowhere/);
    const before = run.typed.length;
    app.type('Kq!y\r');
    await app.settle();
    expect(run.typed.length).toBe(before);
    await app.press('\x1b[24~', gone('HAS ENDED'));
    await app.press('i', /Agent0 has no process to type into/);
  });

  test('kill and restart ask when work is under way, and only then', async () => {
    const { app, run } = await openRun();
    await app.press('x', /Kill agent0 \(T1\)\?/);
    await app.press('n', gone('Kill agent0'));
    expect(types(run)).not.toContain('signal_agent');
    await app.press('x', /Kill agent0 \(T1\)\?/);
    await app.press('y', /stopping/);
    expect(run.effects).toContainEqual({ type: 'signal_agent', agent: 0, signal: 'SIGINT' });
    // Of a queued one it says what comes of it.
    await app.press('2x', /Kill agent2 \(T3\)\?[\s\S]*It does not start\./);
    await app.press('!', /! does nothing here\.[\s\S]*y kill/);
    await app.press('y', /■ killed/);
    await app.press('r', /queued again/);
  });

  test('restart with a remark, a remark for the next message, pause, slots, kill all', async () => {
    const { app, run } = await openRun();
    await app.press('1R', /Restart agent1 \(T2\) with a remark/);
    await app.press(`Mind 日本${keys.enter}`, /stopping/);
    expect(run.state().agents[1]).toMatchObject({
      pendingRequest: 'restart',
      remarks: ['Mind 日本'],
    });
    await app.press('0m', /Remark to agent0/);
    await app.press(`smaller steps${keys.enter}`, /a remark waits for the next message/);
    await app.press('p', /pausing/);
    await app.press('+', /3 at once/);
    await app.press('p', /running ·/);
    await app.press('--', /1 at once/);
    await app.press('-', /At least one agent works/);
    await app.press('K', /Kill all agents\?/);
    await app.press('y', /1 killed/);
  });

  test('take-over says what it does, then it is yours', async () => {
    const { app, run } = await openRun();
    await app.press('t', /Take over agent0 \(T1\)\?/);
    await app.press('y', /stopping/);
    run.dispatch({ type: 'attempt_exited', agent: 0, exit: cleanExit });
    run.dispatch({ type: 'attempt_inspected', agent: 0, inspection: unchanged });
    await app.shows(/◆ taken over/);
    expect(run.effects.at(-1)).toMatchObject({ type: 'start_attempt', interactive: true });
  });

  test('an agent that asks rings and is found by a; files two agents touch are marked in both', async () => {
    const { app, run } = await openRun();
    const bells = () => app.output.join('').split('\x07').length;
    const before = bells();
    run.dispatch({ type: 'agent_asks', agent: 1, question: 'Sure? (Y/n)' });
    await app.shows(/\? asks/);
    expect(bells()).toBeGreaterThan(before);
    await app.press('a', /▸1 T2/);
    const files = [{ path: 'src/date.ts', status: 'M', added: 1, removed: 1 }];
    run.dispatch({ type: 'agent_touched', agent: 0, files, dangers: [], conflicts: [] });
    run.dispatch({ type: 'agent_touched', agent: 1, files, dangers: [], conflicts: [] });
    await app.shows(
      /⚠ src\/date\.ts also changed by agent1[\s\S]*|⚠ src\/date\.ts also changed by agent0/,
    );
    expect(app.text().match(/⚠ src\/date\.ts also changed by/g)?.length).toBe(2);
  });

  test('diff, events, copy, title', async () => {
    const { app, run } = await openRun();
    await app.press('d', /Diff of agent0[\s\S]*\+new␛\[31m/);
    await app.press(keys.esc, gone('Diff of'));
    await app.press('e', /Events of agent0[\s\S]*started/);
    await app.press('q', gone('Events of'));
    const copied = () => {
      const sent = [...app.output.join('').matchAll(/\x1b\]52;c;([^\x07]*)\x07/g)].at(-1)?.[1];
      return Buffer.from(sent ?? '', 'base64').toString();
    };
    // What the pane shows, or all of it; no more is said than what is known.
    await app.press('y', /Sent 16 lines to the terminal's clipboard, if it takes them/);
    expect(copied()).toMatch(/^zero 44\n/);
    await app.press('Y', /Sent 60 lines/);
    expect(copied()).toContain('zero 0\nzero 1\n');
    run.finish(0);
    run.finish(1);
    run.merge();
    await run.begin(2, '');
    run.finish(2);
    run.merge();
    run.dispatch({
      type: 'landing_done',
      landing: { state: 'landed', commit: 'd', branch: 'main' },
    });
    await app.shows(/landed on main/);
    expect(app.output.join('')).toContain('\x1b]2;aider-orchestrator 3/3 - finished\x07');
    app.type('q');
    await eventually(() => expect(app.exited).toBe(true));
  });

  test('the mouse: a click focuses, a double click zooms, the wheel scrolls', async () => {
    const { app } = await openRun();
    const click = '\x1b[<0;90;10M\x1b[<0;90;10m';
    await app.press(click, /▸1 T2/);
    await app.press(click, gone('0 T1'));
    await app.press(keys.esc, /0 T1/);
    // The wheel scrolls what is under it, and leaves the focus where it is.
    await app.press('\x1b[<64;10;10M', /▸1 T2[\s\S]*scrolled up/);
    expect(app.text()).toContain('zero 41');
    await app.press('\x1b[<65;10;10M', gone('scrolled up'));
  });

  test('what is dragged over is selected, and copied by y', async () => {
    const { app, run } = await openRun();
    const copied = () => {
      const all = [...app.output.join('').matchAll(/\x1b\]52;c;([^\x07]*)\x07/g)];
      return Buffer.from(all.at(-1)?.[1] ?? '', 'base64').toString();
    };
    // From the second row of agent0's terminal, third column, to the next row's first one; upwards as well.
    await app.press(
      '\x1b[<0;4;4M\x1b[<32;2;5M\x1b[<0;2;5m',
      /Selected\. y copies it, Esc clears it/,
    );
    await app.press('y', /Sent 2 lines/);
    expect(copied()).toBe('ro 45\nz');
    // Further output does not move it.
    await run.print(0, 'more\nand more\n');
    await app.press('y', /Sent 2 lines/);
    expect(copied()).toBe('ro 45\nz');
    await app.press(keys.esc, gone('Sent 2'));
    await app.press('y', /Sent 1\d lines/);
    expect(copied()).toMatch(/and more$/);
    await app.press('\x1b[<0;3;6M\x1b[<32;9;4M\x1b[<0;9;4m', /Selected/);
    // A click takes it back.
    await app.press('\x1b[<0;3;6M\x1b[<0;3;6m', /0 T1/);
    await app.press(keys.esc, /All panes are shown already/);
  });

  test('q asks while agents run; Ctrl-C again stops at once', async () => {
    const { app, run } = await openRun();
    await app.press('q', /Stop the run and quit\?[\s\S]*3 agents have not finished/);
    await app.press('n', gone('Stop the run'));
    await app.press('\x03', /Stop the run and quit\?/);
    app.type('\x03');
    await eventually(() =>
      expect(run.effects).toContainEqual({ type: 'signal_agent', agent: 0, signal: 'SIGKILL' }),
    );
  });

  test('a run that can go on without its screen is left running by Enter, or stopped', async () => {
    const { app, run } = await openRun();
    let left = 0;
    run.leave = () => {
      left += 1;
    };
    await app.press('q', /Quit[\s\S]*aider-orchestrator attach \d+_\d+[\s\S]*▸ Leave it running/);
    await app.press(keys.esc, gone('Leave it running'));
    expect([app.exited, left]).toEqual([false, 0]);
    await app.press('q', /Leave it running/);
    app.type(keys.enter);
    await eventually(() => expect([app.exited, left]).toEqual([true, 1]));
    expect(run.state().interruptedBy).toBeNull();
    await app.press('q', /Leave it running/);
    app.type(`${keys.down}${keys.enter}`);
    await eventually(() => expect(run.state().interruptedBy).toBe('SIGINT'));
    expect(left).toBe(1);
  });

  test('n lists the runs, and leads to another one or a new change; the run goes on', async () => {
    const { app, run } = await openRun();
    let left = 0;
    run.leave = () => {
      left += 1;
    };
    // What can be had is looked up with each change of the run.
    run.send({ type: 'set_slots', slots: 7 });
    await app.shows(/7 at once/);
    const row = { isAlive: false, isThis: false, report: null };
    app.rows = [
      { ...row, run: '3', words: '3  running', isAlive: true, isThis: true },
      { ...row, run: '2', words: '2  running, too', isAlive: true },
      { ...row, run: '1', words: '1  ended', report: () => ['What came of it'] },
      { ...row, run: '0', words: '0  died' },
    ];
    const down = (count: number) => keys.down.repeat(count) + keys.enter;
    await app.press('n', /▸ Begin a new change[\s\S]*3 +running \(on this screen\)[\s\S]*0 +died/);
    await app.press(down(1), /That is the run on this screen/);
    await app.press('n', /Begin a new change/);
    await app.press(down(4), /Run 0 has no result/);
    await app.press('n', /Begin a new change/);
    await app.press(down(3), /Run 1[\s\S]*What came of it/);
    await app.press(keys.esc, gone('What came of it'));
    expect([app.exited, left, app.wentTo]).toEqual([false, 0, []]);
    await app.press('n', /Begin a new change/);
    app.type(down(2));
    await eventually(() => expect([app.exited, left, app.wentTo]).toEqual([true, 1, ['2']]));
    await app.press('n', /Begin a new change/);
    app.type(keys.enter);
    await eventually(() => expect(app.wentTo).toEqual(['2', null]));
    expect(run.state().interruptedBy).toBeNull();
  });

  test('a run that ends with its screen is not left for another one', async () => {
    const { app } = await openRun();
    await app.press('n', /This run ends with this program, so it cannot be left/);
  });

  test('while something is searched, n goes to the next match', async () => {
    const { app, run } = await openRun();
    run.leave = () => {};
    await app.press('/', /^\/ ?$/m);
    await app.press(`zero 4${keys.enter}`, /\/zero 4 \d+ of 11/);
    await app.press('n', /\/zero 4 1 of 11/);
    await app.press(keys.esc, gone('/zero 4'));
    await app.press('n', /Runs in this repository/);
  });

  test.each([
    [true, '38;2;10;200;30m'],
    [false, '38;5;41m'],
  ])(
    '24-bit colours only where the terminal says that it knows them: %s',
    async (trueColour, style) => {
      const { app, run } = await openRun({ colour: true, trueColour });
      await run.print(0, '\x1b[38;2;10;200;30mgreen enough\x1b[0m\n');
      await app.shows(/green enough/);
      expect(app.output.join('')).toContain(style);
      expect(app.output.join('').includes('38;2;10;200;30')).toBe(trueColour);
    },
  );

  test('own keys are valid and shown', async () => {
    const { app } = await openRun({ keys: { 'run.kill': 'X', help: 'f1' } });
    expect(app.text()).toContain('X kill');
    await app.press('X', /Kill agent0/);
    await app.press('n', gone('Kill agent0'));
    await app.press('\x1bOP', /type to filter/);
    await app.press('kill all', /K +kill all agents/);
  });
});
