import type { Task } from '../core/plan/plan.js';
import type { Failure } from '../core/policy/failure.js';
import type { Prerequisite } from '../core/policy/prerequisite.js';
import type { RedBase } from '../core/policy/test-report.js';
import type { TestCommand } from '../core/policy/test-run.js';
import type { PlanWait } from '../core/ports.js';
import type { Result } from '../core/result.js';
import type { LandRule, PlanSource } from '../core/run/config.js';
import type { PersonMessage } from '../core/run/message.js';
import type { RunState } from '../core/run/run.js';

/**
 * What the screen needs of the rest of the program. Between the two stand only JSON messages, texts
 * and, per agent, a terminal.
 */

/** A terminal that a pane draws, fed from wherever. */
export interface AgentEmulator {
  readonly cols: number;
  readonly rows: number;
  /** Rows there are, scrollback included. */
  readonly length: number;
  readonly version: number;
  readonly modes: { readonly bracketedPaste: boolean; readonly applicationCursor: boolean };
  onChange(listener: () => void): () => void;
  cursor(): { readonly row: number; readonly column: number; readonly shown: boolean };
  row(y: number, from: number, to: number, column: number, colour: boolean): string;
  /** All of its text, lines that were wrapped as one; it may lie with another process. */
  lines(): string[] | Promise<string[]>;
  anchor(y: number): { readonly line: () => number | null; dispose(): void } | null;
  search(text: string): TextPlace[] | Promise<TextPlace[]>;
}

/** Where a text stands in a terminal: its row, scrollback counted, and its columns. */
export interface TextPlace {
  readonly row: number;
  readonly column: number;
  readonly length: number;
}

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** The agents' terminals; one is there from the first attempt on, and stays. */
export interface Terminals {
  emulator(agent: number): AgentEmulator | null;
  /** Told when an agent's terminal comes into being. */
  onOpen(listener: () => void): () => void;
  resize(agent: number, size: TerminalSize): void;
  type(agent: number, data: string): void;
}

/** A run that goes or has finished. */
export interface RunPort {
  state(): RunState;
  subscribe(listener: () => void): () => void;
  dispatch(message: PersonMessage): void;
  readonly terminals: Terminals;
  /** The agent's change so far: stat and patch. */
  diff(agent: number): Promise<Result<string, Failure>>;
  /** The agent's log, a line each. */
  events(agent: number): Promise<string[]>;
  /** What the agent was told last; '' before it was told anything. */
  lastMessage(agent: number): Promise<string>;
  /** The PRD that the agents refer to, as it is on the disk; null where there is none. */
  prd(): Promise<string | null>;
  /** A person leaves it running; null where it ends with this program. */
  readonly leave: (() => void) | null;
}

/** An API key that something here needs. */
export interface NeededKey {
  readonly variable: string;
  /** What it is for, such as `Aider's model gpt-4o`. */
  readonly use: string;
  readonly isSet: boolean;
  /** Aider's model needs it. */
  readonly isAider: boolean;
  /** Gemini needs it to write the PRD. */
  readonly isPlanner: boolean;
}

/** What is kept of the steps before a run, for the next start. */
export interface KeptDraft {
  readonly change: string;
  /** '' without one. */
  readonly prd: string;
  readonly tasks: readonly Task[];
  /** The model that wrote the PRD; null for a person's own. */
  readonly model: string | null;
  /** The change that PRD and tasks were made for. */
  readonly draftChange: string;
  readonly maxAgents: number;
}

/** What a run needs, and what mends it from the screen; null where nothing does. */
export interface PrerequisiteToMend extends Prerequisite {
  readonly action: MendAction | null;
}

export type MendAction =
  | { readonly kind: 'key'; readonly variable: string }
  | { readonly kind: 'install' }
  | { readonly kind: 'gemini_model' }
  /** Git does not know who commits. */
  | { readonly kind: 'identity' }
  /** Tracked files have changes, which can be put away. */
  | { readonly kind: 'stash' };

/** A plan as the wizard has it: the PRD with its tasks in it, and the same tasks apart. */
export interface Draft {
  /** '' without a PRD. */
  readonly prd: string;
  readonly tasks: readonly Task[];
  readonly model: string | null;
  readonly warnings: readonly string[];
  /** The PRD's file, relative to the repository, once it is saved. */
  readonly prdPath: string | null;
}

export type { PlanWait };

export interface PlanWish {
  readonly change: string;
  readonly maxAgents: number;
  /** The PRD that does not do, and what is to be different. */
  readonly again: { readonly prd: string; readonly remark: string } | null;
}

/** What will happen, for the last screen before it does. */
export interface RunFacts {
  readonly repo: string;
  readonly branch: string | null;
  readonly base: string;
  readonly baseTitle: string;
  readonly model: string;
  readonly geminiModel: string;
  readonly maxAgents: number;
  readonly maxIterations: number;
  readonly timeoutMs: number;
  readonly land: LandRule;
  readonly setupCmd: string | null;
  /** Run for each agent instead of Aider; null for Aider. */
  readonly agentCmd: string | null;
  readonly copy: readonly string[];
  /** The project's tests that were asked for; null when none were. */
  readonly testCommand: TestCommand | null;
  /** How the tests are probably run; for a person to confirm. */
  readonly proposal: { readonly command: string; readonly from: string } | null;
  readonly redBase: RedBase | 'ask';
  readonly budgetUsd: number | null;
  readonly review: boolean;
  /** A model of Aider's that reviews; null for the Gemini model. */
  readonly reviewModel: string | null;
  readonly simulated: boolean;
  /** The person's commits are signed; ours are not. */
  readonly signs: boolean;
  readonly focus: readonly string[];
  readonly source: PlanSource;
}

/** What a person decides on the last screen before the run. */
export interface RunChoices {
  /** Aider's model. */
  readonly model: string;
  readonly maxIterations: number;
  readonly timeoutMs: number;
  readonly budgetUsd: number | null;
  readonly land: LandRule;
  /** The command that prepares each worktree; '' goes without. */
  readonly setupCmd: string;
  /** Ignored files that each worktree gets, as globs. */
  readonly copy: readonly string[];
  /** The project's tests; '' goes without. */
  readonly testCmd: string;
  readonly redBase: RedBase | 'ask';
  readonly review: boolean;
}

/** Told while a PRD is made. */
export interface PlanProgress {
  /** The PRD as far as it has come. */
  readonly onText: (prd: string) => void;
  readonly onWait: (wait: PlanWait) => void;
}

/** A run in this repository, as a line of a list. */
export interface RunRow {
  /** Its stamp. */
  readonly run: string;
  /** What is known of it: state, agents, cost, age, change. */
  readonly words: string;
  readonly isAlive: boolean;
  /** It is the one on this screen. */
  readonly isThis: boolean;
  /** Its result, lines for a width; null while there is none. */
  readonly report: ((width: number) => readonly string[]) | null;
}

/** The page of a run. */
export interface OpenedPage {
  /** Good for one browser of this machine. */
  readonly address: string;
  /** Who opens it may act on the run; else only watch. */
  readonly acts: boolean;
  /** The user's browser was asked to open it. */
  readonly isAsked: boolean;
  /** The port, where the person sits at another machine; else null. */
  readonly port: number | null;
}

/** What the wizard can do before there is a run. */
export interface WizardPort {
  readonly facts: RunFacts;
  /** The run to begin with, where one is gone on with; null for the steps before a new one. */
  readonly run: RunPort | null;
  /** All runs of this repository, the latest first. */
  runs(): Promise<readonly RunRow[]>;
  /** The screen that comes after this one: a run that lives, or a new change (null). The screen is to be left then. */
  goTo(run: string | null): void;
  /** Serves the run of this screen to a browser, until the screen is left; a new address each time. */
  openPage(): Promise<Result<OpenedPage, Failure>>;
  /** The page is wanted as soon as there is a run. */
  readonly wantsPage: boolean;
  /** The change given on the command line; '' when none was. */
  readonly change: string;
  /** Tasks or PRD that came from a file. */
  readonly given: { readonly tasks: readonly Task[] } | { readonly prd: string } | null;
  /** @param model Aider's, as it is chosen now */
  prerequisites(model: string): Promise<readonly PrerequisiteToMend[]>;
  /** The keys that Gemini and Aider's model need, whether they are there or not. */
  keys(model: string): readonly NeededKey[];
  /** Kept for this run only; replaces one that is there. */
  setKey(variable: string, key: string): void;
  /** Puts changes of tracked files away (`git stash`); false when there were none. */
  stash(): Promise<Result<boolean, Failure>>;
  /** Sets who commits, in this repository's own configuration. */
  setIdentity(name: string, email: string): Promise<Result<void, Failure>>;
  /** The draft that was left here the last time; null when there is none. */
  keptDraft(): KeptDraft | null;
  /** @param draft null forgets it. @returns false where it could not be written */
  keepDraft(draft: KeptDraft | null): boolean;
  installAider(onLine: (line: string) => void): Promise<Result<void, Failure>>;
  geminiModels(): Promise<readonly string[]>;
  chooseGeminiModel(name: string): void;
  /** Earlier changes, the latest last. */
  history(): readonly string[];
  remember(change: string): void;
  plan(
    wish: PlanWish,
    progress: PlanProgress,
    signal: AbortSignal,
  ): Promise<Result<Draft, Failure>>;
  /** Reads the tasks of a PRD that a person wrote; fails where one of its headings cannot be understood. */
  readTasks(
    prd: string,
    change: string,
    maxAgents: number,
  ): Promise<Result<readonly Task[], Failure>>;
  /** What keeps tasks from being started, a sentence each: of their files, and of all of them together. */
  problemsOf(tasks: readonly Task[]): Promise<readonly string[]>;
  /** Tasks without a PRD: the files in even parts. */
  withoutPrd(change: string, maxAgents: number): readonly Task[];
  readText(file: string): Promise<Result<string, Failure>>;
  /** All tracked files, relative to the repository. */
  trackedFiles(): readonly string[];
  /** Bytes; null for a file that is not there. */
  fileSize(file: string): number | null;
  /** The person's editor for a text; null when it could not be run or failed. */
  editorCommand(): {
    readonly name: string;
    readonly file: string;
    readonly args: readonly string[];
  };
  /** A file of ours for an editor to write to. */
  scratchFile(name: string, text: string): string;
  readScratch(file: string): string;
  /** Gives a run up in which no agent has begun, so that another one can be started. */
  giveUp(): Promise<void>;
  start(
    change: string,
    draft: Draft,
    maxAgents: number,
    choices: RunChoices,
  ): Promise<Result<RunPort, Failure>>;
}
