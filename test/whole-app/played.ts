import { openSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { createElement } from 'react';
import { App } from '../../source/app/app.js';
import { type KeySettings, makeKeymap } from '../../source/app/keymap.js';
import type {
  Draft,
  KeptDraft,
  OpenedPage,
  PrerequisiteToMend,
  RunChoices,
  RunPort,
  RunRow,
  WizardPort,
} from '../../source/app/ports.js';
import { TerminalSurface } from '../../source/app/terminal/terminal-surface.js';
import type { Checkout } from '../../source/core/agent/agent.js';
import type { Symptom } from '../../source/core/agent/evidence.js';
import { chunkFiles } from '../../source/core/plan/groups.js';
import type { Task } from '../../source/core/plan/plan.js';
import { readTasks, renderPrd } from '../../source/core/plan/prd.js';
import type { Failure } from '../../source/core/policy/failure.js';
import type { TestRun } from '../../source/core/policy/test-run.js';
import { err, ok, type Result } from '../../source/core/result.js';
import type { RunConfig } from '../../source/core/run/config.js';
import type { Effect } from '../../source/core/run/effect.js';
import type { MessageBody } from '../../source/core/run/message.js';
import type { RunState } from '../../source/core/run/run.js';
import { Emulator } from '../../source/services/pty/emulator.js';
import { createRunStore, type Observer } from '../../source/store/run-store.js';
import { cleanExit, unchanged } from '../attempt-facts.js';
import { HandDriven } from '../hand-driven.js';
import { testConfig } from '../test-config.js';

/**
 * The whole application in this process: real Ink, real painter, real emulators; only the services are
 * played by hand. What the terminal shows is read back through an emulator.
 */

/** What one turn uses. */
export const usual = { promptTokens: 1000, completionTokens: 50, cost: 0.01, knownCost: 0.01 };

/** A fixed time, so that what is shown is the same each time. */
export const start = Date.UTC(2026, 0, 2, 3, 4, 5);

export const tasks: readonly Task[] = [
  task('T1', 'Parse dates in every form people write', ['src/date.ts', 'src/date-forms.ts']),
  task('T2', 'Show 日本語 and emoji 👩‍👩‍👧 as they are', ['src/show.ts']),
  task('T3', 'Document both', ['README.md'], ['T1', 'T2']),
];

export function task(id: string, title: string, files: string[], depends_on: string[] = []): Task {
  return { id, title, description: `Do ${title}.`, files, read: [], depends_on };
}

export const prd = `# Dates

## Requirements

- R1: dates are **read**, see \`src/date.ts\`.

| form | example |
|---|---|
| ISO | 2026-01-02 |
`;

const config: RunConfig = {
  ...testConfig,
  change: 'Dates',
  repo: '/work/dates',
  geminiModel: 'gemini-2.5-pro',
  maxIterations: 10,
  timeoutMs: 1_800_000,
  planSource: { kind: 'planner' },
  unattended: false,
};

function checkoutOf(agent: number): Checkout {
  return { worktree: `/w/${agent}`, branch: `b${agent}`, start: 'b'.repeat(40) };
}

/** A run whose facts the test says itself. */
export class PlayedRun extends HandDriven implements RunPort {
  readonly screens = new Map<number, Emulator>();
  readonly typed: string[] = [];
  readonly sizes = new Map<number, string>();
  readonly effects: Effect[] = [];
  /** What leaves it running; a test of that gives one. */
  leave: (() => void) | null = null;
  private readonly openListeners = new Set<() => void>();
  private readonly run: ReturnType<typeof createRunStore>;

  constructor(
    given: readonly Task[],
    slots: number,
    observers: readonly Observer[] = [],
    more: Partial<RunConfig> = {},
  ) {
    super();
    this.run = createRunStore(
      (effect) => void this.effects.push(effect),
      observers,
      () => start,
    );
    const plan = { prdPath: 'docs/prd/prd.md', geminiModelUsed: 'g' };
    this.start(given, { ...config, maxAgents: slots, ...more }, plan);
  }

  protected give(message: MessageBody): void {
    this.dispatch(message);
  }

  protected now(): RunState {
    return this.state();
  }

  state(): RunState {
    return this.run.store.getState().run as RunState;
  }

  subscribe(listener: () => void): () => void {
    return this.run.store.subscribe(listener);
  }

  dispatch(message: MessageBody): void {
    this.run.dispatch(message);
  }

  readonly terminals = {
    emulator: (agent: number) => this.screens.get(agent) ?? null,
    onOpen: (listener: () => void) => {
      this.openListeners.add(listener);
      return () => this.openListeners.delete(listener);
    },
    resize: (agent: number, { cols, rows }: { cols: number; rows: number }) => {
      this.sizes.set(agent, `${cols}x${rows}`);
      this.screens.get(agent)?.resize(cols, rows);
    },
    type: (_agent: number, data: string) => void this.typed.push(data),
  };

  /** The agent's process starts and prints. */
  async begin(agent: number, output: string): Promise<void> {
    this.prepared(agent, checkoutOf(agent));
    const [cols = 80, rows = 24] = (this.sizes.get(agent) ?? '80x24').split('x').map(Number);
    const screen = new Emulator(cols, rows);
    this.screens.set(agent, screen);
    for (const listener of this.openListeners) listener();
    await this.print(agent, output);
  }

  async print(agent: number, output: string): Promise<void> {
    const screen = this.screens.get(agent) as Emulator;
    screen.feed(output.replaceAll('\n', '\r\n'));
    await screen.drawn();
  }

  /** The agent succeeds with a change to one file. */
  finish(agent: number, path = `f${agent}`): void {
    const diff = { files: [{ path, status: 'M', added: 3, removed: 1 }] };
    const inspection = { ...unchanged, diff, changed: true };
    this.response(agent, usual)
      .exit(agent)
      .inspected(agent, inspection)
      .committed(agent, `c${agent}`, inspection);
  }

  /** The agent fails, for a reason that no message cures. */
  fail(agent: number, symptom: Symptom = 'auth', cause: string | null = null): void {
    this.send({ type: 'turn_started', agent })
      .exit(agent, { ...cleanExit, symptoms: [symptom], cause })
      .inspected(agent, unchanged)
      .committed(agent, null, unchanged);
  }

  /** All that is ready is merged; an agent that is named here conflicts until it is left out. */
  merge(conflicts: Readonly<Record<number, string>> = {}, testRun: TestRun | null = null): void {
    this.mergeAll({ testRun }, conflicts, (agent) => {
      this.prepared(agent, checkoutOf(agent));
      this.finish(agent);
    });
  }

  /** What the agent was told last, as the test says. */
  message = 'Do the task.';
  lastMessage = async () => this.message;
  prd = async (): Promise<string | null> => prd;
  diff = async () => ok('1 file changed\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\x1b[31m');
  events = async () => ['{"event":"prepared"}', '{"event":"started"}'];
}

export interface HarnessOptions {
  readonly cols?: number;
  readonly rows?: number;
  readonly change?: string;
  readonly keys?: KeySettings;
  readonly colour?: boolean;
  readonly unicode?: boolean;
  readonly trueColour?: boolean;
  /** Looked up anew each time, where it is a function. */
  readonly checks?: readonly PrerequisiteToMend[] | (() => readonly PrerequisiteToMend[]);
  readonly given?: WizardPort['given'];
  /** Called when the editor would be: what it leaves in the file. */
  readonly editor?: (text: string) => string;
  readonly tasks?: readonly Task[];
  readonly maxAgents?: number;
  /** Makes the PRD in the place of the one of all tests. */
  readonly plan?: WizardPort['plan'];
  /** What is wrong with groups. */
  readonly problems?: (tasks: readonly Task[]) => readonly string[];
  /** Variables of keys that are not set. */
  readonly missingKeys?: readonly string[];
  readonly keptDraft?: KeptDraft;
  /** What is otherwise about the run. */
  readonly config?: Partial<RunConfig>;
  /** Why no run can be started. */
  readonly startFails?: Failure;
  /** Whether a draft can be written. */
  readonly keeps?: boolean;
  /** Told of each message of the run. */
  readonly observers?: readonly Observer[];
}

/** The application, for whoever types its keys and looks at what it shows. */
export class PlayedApp {
  readonly stdin = Object.assign(new PassThrough(), { setRawMode: () => {} });
  readonly terminal: Emulator;
  readonly output: string[] = [];
  readonly host: TerminalSurface;
  exited = false;
  run: PlayedRun | null = null;
  plans = 0;
  stashed = 0;
  identity = '';
  /** The draft that was kept last. */
  kept: KeptDraft | null = null;
  readonly keysGiven = new Map<string, string>();
  private readonly stdout;

  constructor(options: HarnessOptions = {}) {
    const { cols = 80, rows = 24, colour = false, unicode = true } = options;
    this.terminal = new Emulator(cols, rows, 0);
    this.stdout = Object.assign(new PassThrough(), {
      columns: cols,
      rows,
      isTTY: true,
      fd: openSync('/dev/null', 'w'),
    });
    this.stdout.on('data', (bytes: Buffer) => {
      const text = bytes.toString('utf8');
      this.output.push(text);
      // A line that is too wide is to be seen here, although a real terminal would cut it.
      this.terminal.feed(text.replaceAll('\x1b[?7l', ''));
    });
    this.host = new TerminalSurface({
      stdin: this.stdin as never,
      stdout: this.stdout as never,
      mouse: true,
      notify: 'bell',
      ascii: !unicode,
      trueColour: options.trueColour ?? true,
      env: process.env,
    });
    // The editor of the test: no program is started.
    this.host.runProgram = async (_file, args) => {
      if (!options.editor) return null;
      const file = args.at(-1) as string;
      this.scratch.set(file, options.editor(this.scratch.get(file) ?? ''));
      return 0;
    };
    const environment = {
      surface: this.host,
      keymap: makeKeymap(options.keys, unicode),
      theme: { colour, unicode },
      now: () => start,
    };
    const wizard = this.port(options);
    const onExit = () => {
      this.exited = true;
    };
    this.host.open(createElement(App, { environment, wizard, onExit }));
  }

  /** What was decided on the last screen; null before. */
  choices: RunChoices | null = null;

  /** The runs of the repository, and the screens that were gone to. */
  rows: RunRow[] = [];
  readonly wentTo: (string | null)[] = [];
  /** What comes of opening the page. */
  page: Result<OpenedPage, Failure> = err({ kind: 'usage', message: 'There is no page.' });
  private readonly scratch = new Map<string, string>();

  private port(options: HarnessOptions): WizardPort {
    const given = options.tasks ?? tasks;
    const draft = (): Draft => ({
      prd: renderPrd(prd, given),
      tasks: given,
      model: 'gemini-2.5-pro',
      warnings: [],
      prdPath: 'docs/prd/prd.md',
    });
    const remembered: string[] = ['An earlier change'];
    return {
      run: null,
      facts: {
        repo: '/work/dates',
        branch: 'main',
        base: 'b'.repeat(40),
        baseTitle: 'Start',
        model: 'gpt-4o',
        geminiModel: 'gemini-2.5-pro',
        maxAgents: options.maxAgents ?? 2,
        maxIterations: 10,
        timeoutMs: 1_800_000,
        land: 'all',
        setupCmd: null,
        agentCmd: null,
        copy: [],
        testCommand: null,
        signs: false,
        proposal: { command: 'npm test', from: 'package.json' },
        redBase: 'ask',
        budgetUsd: null,
        review: false,
        reviewModel: null,
        simulated: false,
        focus: [],
        source: { kind: 'planner' },
      },
      change: options.change ?? '',
      given: options.given ?? null,
      prerequisites: async () => {
        const { checks = [] } = options;
        return typeof checks === 'function' ? checks() : checks;
      },
      setKey: (variable, key) => void this.keysGiven.set(variable, key),
      installAider: async () => ok(undefined),
      geminiModels: async () => ['gemini-2.5-pro', 'gemini-2.5-flash'],
      chooseGeminiModel: () => {},
      history: () => remembered,
      remember: (change) => void remembered.push(change),
      plan: async (request, progress, signal) => {
        this.plans += 1;
        if (options.plan) return options.plan(request, progress, signal);
        progress.onText(prd);
        return ok(draft());
      },
      problemsOf: async (list) => options.problems?.(list) ?? [],
      keys: (model) => [
        { variable: 'GEMINI_API_KEY', use: 'Gemini', isSet: true, isAider: false, isPlanner: true },
        {
          variable: model.startsWith('claude') ? 'ANTHROPIC_API_KEY' : 'OPENAI_API_KEY',
          use: `Aider's model ${model}`,
          isSet: !(options.missingKeys ?? []).some(
            (name) =>
              (model.startsWith('claude') ? 'ANTHROPIC_API_KEY' : 'OPENAI_API_KEY') === name,
          ),
          isAider: true,
          isPlanner: false,
        },
      ],
      stash: async () => {
        this.stashed += 1;
        return ok(true);
      },
      setIdentity: async (name, email) => {
        this.identity = `${name} <${email}>`;
        return ok(undefined);
      },
      keptDraft: () => options.keptDraft ?? null,
      keepDraft: (kept) => {
        this.kept = kept;
        return options.keeps ?? true;
      },
      readTasks: async (text) => ok(readTasks(text).tasks),
      withoutPrd: (change, maxAgents) => chunkFiles([], maxAgents, change),
      readText: async () => ok(prd),
      trackedFiles: () => ['README.md', 'src/date.ts', 'src/more.ts', 'src/show.ts'],
      fileSize: (file) => (file === 'src/date-forms.ts' ? null : 1234),
      editorCommand: () => ({ name: 'ed', file: 'ed', args: [] }),
      scratchFile: (name, text) => {
        this.scratch.set(name, text);
        return name;
      },
      readScratch: (file) => this.scratch.get(file) ?? '',
      runs: async () => this.rows,
      goTo: (run) => void this.wentTo.push(run),
      openPage: async () => this.page,
      wantsPage: false,
      giveUp: async () => {},
      start: async (_change, plan, maxAgents, choices) => {
        this.choices = choices;
        if (options.startFails) return err(options.startFails);
        this.run = new PlayedRun(plan.tasks, maxAgents, options.observers, options.config);
        return ok(this.run);
      },
    };
  }

  type(keys: string): void {
    this.stdin.write(keys);
  }

  resize(cols: number, rows: number): void {
    this.terminal.resize(cols, rows);
    Object.assign(this.stdout, { columns: cols, rows });
    this.stdout.emit('resize');
  }

  /** What the terminal shows, trailing blanks left out. */
  text(): string {
    const lines: string[] = [];
    for (let y = this.terminal.length - this.terminal.rows; y < this.terminal.length; y++) {
      lines.push(this.terminal.rowText(y).trimEnd());
    }
    return lines.join('\n').trimEnd();
  }

  /** Resolves when all that is under way has been drawn. */
  async settle(): Promise<void> {
    let before = -1;
    while (before !== this.output.length || this.host.busy) {
      before = this.output.length;
      // Effects of React, the next paint, and the emulator each have a turn of their own.
      for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
      await this.terminal.drawn();
    }
  }
}

export const keys = {
  enter: '\r',
  esc: '\x1b',
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  tab: '\t',
  pageUp: '\x1b[5~',
  /** From 1 to 5. */
  f: (number: number) => (number === 5 ? '\x1b[15~' : `\x1bO${'PQRS'[number - 1]}`),
  ctrl: (letter: string) => String.fromCharCode(letter.toUpperCase().charCodeAt(0) & 31),
} as const;
