// Longer than 300 lines: a table of all options, and what is made of it.
import { redBases } from '../../core/policy/test-report.js';
import { landRules } from '../../core/run/config.js';

/** Under these headings `--help` lists the flags. */
export const sections = {
  change: 'The change',
  agents: 'Agents',
  tests: 'Tests',
  prd: 'PRD',
  result: 'Result',
  screen: 'The screen (settings files alone)',
} as const;

/** What a settings file holds for an option. */
type Kind = 'text' | 'texts' | 'globs' | 'whole' | 'positive' | 'switch' | 'keys';

interface Option {
  readonly section: keyof typeof sections;
  /** False for what settings files alone can say. */
  readonly flag?: false;
  /** What stands for the flag's value in `--help`; a flag without one is a switch. */
  readonly value?: string;
  /** The flag takes several values. */
  readonly many?: true;
  readonly short?: string;
  /** The value is a file's name, for completion. */
  readonly isFile?: true;
  readonly choices?: readonly string[];
  /** The key of the settings files, and what it holds. */
  readonly setting?: string;
  readonly kind?: Kind;
  /**
   * The setting makes a program run, chooses who is asked and so who gets a key, or shows more files to agents: from
   * a repository's file it needs the user's trust.
   */
  readonly needsTrust?: true;
  /** The environment variable that stands behind the flag. */
  readonly variable?: string;
  readonly default?: string;
  /** For `--help` and the docs. */
  readonly help: string;
  /** For the docs alone: Markdown. */
  readonly more?: string;
}

/**
 * Every option by the name of its flag: what reads the command line and the settings files, what `--help` and the
 * docs say, and what a shell completes, are made from it. It loads nothing, so that `--help` is there at once.
 */
export const optionTable = {
  change: {
    section: 'change',
    value: 'TEXT',
    help: 'the change to implement; - reads it from standard input',
    more: 'On a terminal the screen opens with it.',
    default: 'asked for on a terminal, required without one',
  },
  files: {
    section: 'change',
    value: 'FILE',
    many: true,
    isFile: true,
    help: 'files, folders and globs to focus on',
    default: 'all files',
  },
  prd: {
    section: 'change',
    value: 'FILE',
    isFile: true,
    help: 'use this PRD',
    more: 'It needs no Gemini key.',
    default: 'Gemini writes one',
  },
  withoutPrd: { section: 'change', help: 'use no PRD', more: 'It needs no Gemini key.' },
  plan: {
    section: 'change',
    value: 'FILE',
    isFile: true,
    help: 'run this plan (JSON; --dry-run prints one)',
    more: 'See [Plans](#plans).',
  },
  dryRun: {
    section: 'change',
    help: 'make PRD and plan, save the PRD, print the plan, run no agent',
  },
  maxAgents: {
    section: 'agents',
    value: 'N',
    setting: 'max_agents',
    kind: 'whole',
    help: 'most agents at once',
    default: 'CPU count',
  },
  maxIterations: {
    section: 'agents',
    value: 'N',
    setting: 'max_iterations',
    kind: 'whole',
    variable: 'AIDER_MAX_ITERATIONS',
    help: 'most iterations per agent',
    default: '10',
  },
  timeout: {
    section: 'agents',
    value: 'MINUTES',
    setting: 'timeout_minutes',
    kind: 'positive',
    help: 'wall clock per agent; fractions are allowed',
    default: '30',
  },
  model: {
    section: 'agents',
    value: 'NAME',
    setting: 'model',
    kind: 'text',
    needsTrust: true,
    variable: 'DEFAULT_AIDER_MODEL',
    help: "Aider's model",
    default: 'gpt-4o',
  },
  claude: { section: 'agents', help: "a Claude model, by an alias of Aider's" },
  aider: {
    section: 'agents',
    value: 'PATH',
    isFile: true,
    setting: 'aider',
    kind: 'text',
    needsTrust: true,
    help: 'which Aider; what stands after -- goes to it',
    default: 'the one on the PATH, else the one of setup',
  },
  aiderArgs: {
    section: 'agents',
    flag: false,
    setting: 'aider_args',
    kind: 'texts',
    needsTrust: true,
    help: 'more arguments for Aider, before those that stand after --',
  },
  agentCmd: {
    section: 'agents',
    value: 'CMD',
    setting: 'agent_cmd',
    kind: 'text',
    needsTrust: true,
    help: 'run CMD for each agent instead of Aider: any program that edits files; it finds its prompt in $AGENT_PROMPT_FILE, its files in $AGENT_FILES',
    more: 'See [Another agent](#another-agent-than-aider).',
    default: 'Aider',
  },
  budget: {
    section: 'agents',
    value: 'USD',
    setting: 'budget_usd',
    kind: 'positive',
    help: 'what the agents may cost: a warning at 80 %, then no more messages',
    default: 'no limit',
  },
  direct: {
    section: 'agents',
    help: 'agents reach their provider by themselves: no common rate limit',
  },
  withoutWarm: {
    section: 'agents',
    help: 'start each Aider anew, instead of forking it from one that is loaded once',
  },
  warm: {
    section: 'agents',
    flag: false,
    setting: 'warm',
    kind: 'switch',
    help: 'false is --no-warm',
    default: 'true',
  },
  setupCmd: {
    section: 'agents',
    value: 'CMD',
    setting: 'setup_cmd',
    kind: 'text',
    needsTrust: true,
    help: 'run in each worktree before its agent, such as "npm ci"',
    more: "What it changes is not counted as the agent's work.",
  },
  copy: {
    section: 'agents',
    value: 'GLOB',
    many: true,
    setting: 'copy',
    kind: 'globs',
    needsTrust: true,
    help: 'ignored files to copy into each worktree, such as .env.test',
  },
  protect: {
    section: 'agents',
    flag: false,
    setting: 'protect',
    kind: 'globs',
    help: 'globs of files that stop an agent at once when it changes them',
  },
  maxFileMb: {
    section: 'agents',
    flag: false,
    setting: 'max_file_mb',
    kind: 'positive',
    help: 'the largest file an agent may leave, megabytes',
    default: '5',
  },
  testCmd: {
    section: 'tests',
    value: 'CMD',
    setting: 'test_cmd',
    kind: 'text',
    needsTrust: true,
    help: 'the project\'s tests, such as "npm test": run on the base, on each agent\'s work and on what is merged; red work goes back to its agent',
    more: 'They decide what is merged and lands.',
    default: 'test-cmd of .aider.conf.yml',
  },
  withoutTest: { section: 'tests', help: 'land untested' },
  testTimeout: {
    section: 'tests',
    value: 'MINUTES',
    setting: 'test_timeout_minutes',
    kind: 'positive',
    help: 'the longest one run of the tests may take',
    default: '10',
  },
  testReport: {
    section: 'tests',
    value: 'GLOB',
    setting: 'test_report',
    kind: 'text',
    help: 'JUnit XML reports that the tests write, relative to the root; known runners are asked for one',
  },
  redBase: {
    section: 'tests',
    value: 'HOW',
    choices: redBases,
    setting: 'red_base',
    help: 'when they fail on the base: stop, fix (what lands has to be green, and no test that passed may fail), report (they are only reported)',
    more: 'See [Tests](outcomes.md#tests-merge-landing).',
    default: 'on the screen you are asked, else stop',
  },
  allowRedBase: {
    section: 'tests',
    setting: 'allow_red_base',
    kind: 'switch',
    help: 'the same as --red-base report',
  },
  review: {
    section: 'tests',
    setting: 'review',
    kind: 'switch',
    help: "a reviewer reads each agent's diff against the PRD, a supervisor the whole in the end",
  },
  reviewModel: {
    section: 'tests',
    value: 'NAME',
    setting: 'review_model',
    kind: 'text',
    needsTrust: true,
    help: "review, by a model of Aider's instead of the Gemini model",
  },
  geminiModel: {
    section: 'prd',
    value: 'NAME',
    setting: 'gemini_model',
    kind: 'text',
    needsTrust: true,
    variable: 'DEFAULT_GEMINI_MODEL',
    help: 'model for the PRD',
    default: 'gemini-1.5-pro',
  },
  apiKey: {
    section: 'prd',
    value: 'KEY',
    help: 'Google API key; better set GEMINI_API_KEY, or give - and pipe it in',
    more: 'As a flag it is visible to all users of the machine.',
    default: 'from the environment',
  },
  land: {
    section: 'result',
    value: 'WHEN',
    choices: landRules,
    setting: 'land',
    help: 'bring the work onto the current branch when all agents succeeded, when any did, after your look at it (ask), or never (none)',
    default: 'all',
  },
  detach: {
    section: 'result',
    help: 'begin the run, print its name and leave it running; without a screen and without questions',
    more: 'See [Runs that go on](running.md).',
  },
  headless: {
    section: 'result',
    help: 'no screen, plain lines (as with -y, -q, -v and --dry-run)',
  },
  json: {
    section: 'result',
    help: 'NDJSON events on standard output, all else on standard error',
  },
  quiet: { section: 'result', short: 'q', help: 'fewer lines' },
  verbose: { section: 'result', short: 'v', help: 'more lines' },
  yes: { section: 'result', short: 'y', help: 'no questions' },
  repo: {
    section: 'result',
    value: 'DIR',
    isFile: true,
    help: 'the repository',
    default: 'the one around the working folder',
  },
  trust: {
    section: 'result',
    help: "trust what the repository's files set, without asking; once for each content",
    more: 'See [Trust](trust.md).',
  },
  all: { section: 'result', help: 'with runs: of all repositories' },
  follow: { section: 'result', short: 'f', help: 'with logs: what comes, too' },
  web: {
    section: 'result',
    help: 'show the run in a browser too, while this program is there: prints an address',
    more: 'On the screen `w` does it at any time. See [The page](web.md).',
  },
  readOnly: { section: 'result', help: 'with web and --web: a link that can only watch' },
  port: {
    section: 'result',
    value: 'N',
    help: 'with web: the port of this machine, such as for Prometheus',
    default: 'a free one',
  },
  dead: {
    section: 'result',
    value: 'RUN',
    help: 'with clean: this run, on another machine or in another container, is dead',
  },
  help: { section: 'result', short: 'h', help: 'this text' },
  version: { section: 'result', help: 'the version of this program' },
  mouse: {
    section: 'screen',
    flag: false,
    setting: 'mouse',
    kind: 'switch',
    help: 'false leaves the mouse to the terminal',
    default: 'true',
  },
  notify: {
    section: 'screen',
    flag: false,
    setting: 'notify',
    choices: ['bell', 'osc9', 'off'],
    help: 'how you are called when an agent asks and when the run ends; osc9 is a desktop notification too',
    default: 'bell',
  },
  keys: {
    section: 'screen',
    flag: false,
    setting: 'keys',
    kind: 'keys',
    help: 'other keys for its actions',
    more: 'See [Keys](keys.md).',
  },
} as const satisfies Readonly<Record<string, Option>>;

type Table = typeof optionTable;
export type OptionName = keyof Table;

/** Names of the options that have a flag. */
export type FlagName = {
  [Name in OptionName]: Table[Name] extends { readonly flag: false } ? never : Name;
}[OptionName];

export type FlagValues = {
  readonly [Name in FlagName]?: Table[Name] extends { readonly many: true }
    ? string[]
    : Table[Name] extends { readonly value: string }
      ? string
      : boolean;
};

type ValueOf<Row> = Row extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : Row extends { readonly kind: 'text' }
    ? string
    : Row extends { readonly kind: 'texts' | 'globs' }
      ? string[]
      : Row extends { readonly kind: 'whole' | 'positive' }
        ? number
        : Row extends { readonly kind: 'switch' }
          ? boolean
          : Record<string, string | string[]>;

/** What a settings file may say, by its keys. */
export type SettingValues = {
  [Name in OptionName as Table[Name] extends { readonly setting: infer Key extends string }
    ? Key
    : never]: ValueOf<Table[Name]>;
};

export type SettingKey = keyof SettingValues;

interface Subcommand {
  readonly usage: string;
  readonly help: string;
  readonly more?: string;
}

/** The subcommands beside `run`, which is what is done without one. A new one is a row here and in `cli.tsx`. */
export const subcommandTable = {
  demo: { usage: 'demo', help: 'the whole job in a sample repository, with a scripted model' },
  doctor: {
    usage: 'doctor [--json]',
    help: 'check what a run needs, and say how to mend what is missing',
    more: 'Exit 1 when a prerequisite is missing.',
  },
  setup: { usage: 'setup', help: 'install Aider into a folder of its own, never into your Python' },
  runs: {
    usage: 'runs [--all] [--json]',
    help: 'runs in this repository, with those that go on; --all: in all repositories',
  },
  attach: {
    usage: 'attach [RUN]',
    help: 'show a run that goes on, on the screen; without a terminal, or with --headless or --json, as lines',
    more: 'The latest of this repository by default. Any number of terminals can show one run.',
  },
  web: {
    usage: 'web [RUN] [--read-only] [--port N]',
    help: 'show runs in a browser of this machine, until Ctrl-C; --read-only: a link that can only watch',
    more: 'All your runs, or one. Each address is good for one browser; Enter gives another one. See [The page](web.md).',
  },
  stop: {
    usage: 'stop RUN',
    help: 'stop a run that goes on, or end one that was cut off, and keep its work on branches',
  },
  wait: {
    usage: 'wait RUN',
    help: "wait for a run's end",
    more: "Its exit code is the run's.",
  },
  logs: {
    usage: 'logs RUN [AGENT] [-f] [--json]',
    help: 'what happened in a run, or to one of its agents; -f goes on as it happens',
  },
  send: {
    usage: 'send RUN AGENT TEXT',
    help: "answer an agent's question or, where it asks none, give it a remark for its next message",
  },
  show: {
    usage: 'show [RUN] [AGENT]',
    help: "one run's table; with an agent (0, 1, ...) its diff and log",
  },
  resume: {
    usage: 'resume [RUN]',
    help: 'go on with a run that was cut off, interrupted or halted',
    more: 'What is done stays done; agents go on from where they were, and what a model has answered is not asked again.',
  },
  land: {
    usage: 'land [RUN]',
    help: "bring a finished run's work onto the current branch, by the same rules",
  },
  undo: {
    usage: 'undo [RUN]',
    help: 'take a landing back, exactly',
    more: 'It refuses when somebody has built on it, and says how to go on.',
  },
  clean: {
    usage: 'clean [--dead RUN]',
    help: 'remove the worktrees and branches that old runs left; --dead takes a run on another machine or in another container for dead',
    more: 'What is merged at once, the rest after asking; never those of a run that lives, nor what our own records do not name.',
  },
  completion: { usage: 'completion SHELL', help: 'completion for bash, zsh or fish' },
} as const satisfies Readonly<Record<string, Subcommand>>;

export type CommandName = 'run' | keyof typeof subcommandTable;

export const subcommandRows: readonly (Subcommand & { readonly name: CommandName })[] = (
  Object.entries(subcommandTable) as [CommandName, Subcommand][]
).map(([name, row]) => ({ name, ...row }));

export const commandNames: readonly CommandName[] = [
  'run',
  ...subcommandRows.map(({ name }) => name),
];

/** The table as rows, each with its name. */
export const optionRows: readonly (Option & { readonly name: OptionName })[] = (
  Object.entries(optionTable) as [OptionName, Option][]
).map(([name, row]) => ({ name, ...row }));

/** The flag of an option as it is typed. */
export function flagOption(name: string): string {
  const shown = name.replace(/^without/, 'no');
  return `--${shown.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The flags, as rows of the table. */
export const flagRows = optionRows.filter(({ flag }) => flag !== false);
