// Longer than 300 lines: a table, a row for each key.
/**
 * Every key of the screen, in one table: what it does, where it is valid and how help names it. The
 * settings file can give an action other keys.
 */

/** Where a key is valid. Keys of `everywhere` are valid in each of the others. */
export const contexts = {
  everywhere: 'Everywhere',
  change: 'Change',
  prd: 'PRD',
  groups: 'Groups',
  start: 'Start',
  run: 'Run',
  typing: 'Typing into an agent',
  viewer: 'Diff, events and other texts',
  summary: 'Summary',
} as const;

export type Context = keyof typeof contexts;

interface Row {
  readonly context: Context;
  readonly keys: readonly string[];
  /** What it does, for help and the command palette. */
  readonly help: string;
  /** A word or two for the hint line; the help's words where there are none. */
  readonly hint?: string;
}

const rows = {
  help: { context: 'everywhere', keys: ['?', 'f1'], help: 'show this help', hint: 'help' },
  palette: {
    context: 'everywhere',
    keys: [':', 'ctrl+p'],
    help: 'find a command by its name',
    hint: 'commands',
  },
  quit: { context: 'everywhere', keys: ['ctrl+c'], help: 'quit (press twice to stop at once)' },
  suspend: { context: 'everywhere', keys: ['ctrl+z'], help: 'suspend (fg resumes)' },

  'change.next': { context: 'change', keys: ['enter'], help: 'continue', hint: 'continue' },
  'change.newline': {
    context: 'change',
    keys: ['alt+enter', 'ctrl+j', 'shift+enter'],
    help: 'insert a new line',
    hint: 'new line',
  },
  'change.editor': {
    context: 'change',
    keys: ['ctrl+e'],
    help: 'write the change in your editor',
    hint: 'editor',
  },
  'change.leave': { context: 'change', keys: ['esc'], help: 'quit', hint: 'quit' },
  'change.key': { context: 'change', keys: ['ctrl+k'], help: 'enter an API key', hint: 'API key' },
  'change.install': {
    context: 'change',
    keys: ['ctrl+o'],
    help: 'install Aider',
    hint: 'install Aider',
  },
  'change.model': {
    context: 'change',
    keys: ['ctrl+g'],
    help: 'choose the Gemini model that writes the PRD',
    hint: 'Gemini model',
  },
  'change.stash': {
    context: 'change',
    keys: ['ctrl+s'],
    help: 'put changes of tracked files away (git stash)',
    hint: 'git stash',
  },
  'change.problems': {
    context: 'change',
    keys: ['f2'],
    help: 'show what is missing, whole',
    hint: 'all of it',
  },
  'change.aiderModel': {
    context: 'change',
    keys: ['f3'],
    help: "choose Aider's model",
    hint: "Aider's model",
  },
  'change.identity': {
    context: 'change',
    keys: ['f5'],
    help: 'set who commits, for git in this repository',
    hint: 'who commits',
  },
  'change.withoutPrd': {
    context: 'change',
    keys: ['f4'],
    help: 'continue without a PRD: even groups of --files, or one for the whole repository',
    hint: 'without a PRD',
  },
  'change.history': {
    context: 'change',
    keys: ['ctrl+r'],
    help: 'choose from earlier changes',
    hint: 'earlier changes',
  },

  'prd.next': { context: 'prd', keys: ['enter'], help: 'continue', hint: 'continue' },
  'prd.back': {
    context: 'prd',
    keys: ['esc'],
    help: 'go back (cancel while the PRD is being written)',
    hint: 'back',
  },
  'prd.edit': { context: 'prd', keys: ['e'], help: 'edit the PRD in your editor', hint: 'edit' },
  'prd.again': {
    context: 'prd',
    keys: ['r'],
    help: 'write the PRD again, with a remark',
    hint: 'rewrite',
  },
  'prd.own': {
    context: 'prd',
    keys: ['w'],
    help: 'write a PRD of your own',
    hint: 'write your own',
  },
  'prd.open': { context: 'prd', keys: ['o'], help: 'open a PRD from a file', hint: 'open a file' },
  'prd.without': {
    context: 'prd',
    keys: ['s'],
    help: 'continue without a PRD: even groups of --files, or one for the whole repository',
    hint: 'skip the PRD',
  },
  'prd.undo': { context: 'prd', keys: ['u'], help: 'restore the previous PRD', hint: 'undo' },
  'prd.key': {
    context: 'prd',
    keys: ['ctrl+k'],
    help: 'enter an API key for Gemini',
    hint: 'API key',
  },
  'prd.model': {
    context: 'prd',
    keys: ['ctrl+g'],
    help: 'choose another Gemini model',
    hint: 'Gemini model',
  },

  'groups.next': { context: 'groups', keys: ['enter'], help: 'continue', hint: 'continue' },
  'groups.back': { context: 'groups', keys: ['esc'], help: 'go back', hint: 'back' },
  'groups.left': { context: 'groups', keys: ['left', 'h'], help: 'select the group to the left' },
  'groups.right': {
    context: 'groups',
    keys: ['right', 'l', 'tab'],
    help: 'select the group to the right',
  },
  'groups.up': { context: 'groups', keys: ['up', 'k'], help: 'select the file above' },
  'groups.down': { context: 'groups', keys: ['down', 'j'], help: 'select the file below' },
  'groups.show': {
    context: 'groups',
    keys: ['space'],
    help: 'show the whole group: title, text, all files, problems',
    hint: 'show',
  },
  'groups.moveRight': {
    context: 'groups',
    keys: ['>', 'L'],
    help: 'move the file to the next group',
    hint: 'move file',
  },
  'groups.moveLeft': {
    context: 'groups',
    keys: ['<', 'H'],
    help: 'move the file to the previous group',
    hint: 'move file',
  },
  'groups.rename': {
    context: 'groups',
    keys: ['r'],
    help: 'rename the group',
    hint: 'rename',
  },
  'groups.add': { context: 'groups', keys: ['n'], help: 'add a group', hint: 'new group' },
  'groups.split': { context: 'groups', keys: ['s'], help: 'split the group', hint: 'split' },
  'groups.merge': {
    context: 'groups',
    keys: ['m'],
    help: 'merge the group with the next one',
    hint: 'merge',
  },
  'groups.delete': { context: 'groups', keys: ['D'], help: 'delete the group', hint: 'delete' },
  'groups.files': {
    context: 'groups',
    keys: ['f', '/'],
    help: 'find files to add',
    hint: 'add files',
  },
  'groups.newFile': {
    context: 'groups',
    keys: ['a'],
    help: 'add a file that does not exist yet',
    hint: 'new file',
  },
  'groups.leaveOut': {
    context: 'groups',
    keys: ['x', 'delete'],
    help: 'leave the file out',
    hint: 'leave out',
  },
  'groups.edit': {
    context: 'groups',
    keys: ['e'],
    help: "edit the task's text in your editor",
    hint: 'text',
  },
  'groups.wait': {
    context: 'groups',
    keys: ['w'],
    help: 'make it wait for another group',
    hint: 'wait for',
  },
  'groups.more': { context: 'groups', keys: ['+', '='], help: 'allow one more agent at once' },
  'groups.fewer': { context: 'groups', keys: ['-'], help: 'allow one agent fewer at once' },
  'groups.undo': { context: 'groups', keys: ['u'], help: 'undo', hint: 'undo' },

  'start.go': {
    context: 'start',
    keys: ['enter'],
    help: 'start the agents',
    hint: 'start the agents',
  },
  'start.change': {
    context: 'start',
    keys: ['c'],
    help: 'change a setting of this run',
    hint: 'change settings',
  },
  'start.test': {
    context: 'start',
    keys: ['t'],
    help: 'set the test command',
    hint: 'tests',
  },
  'start.redBase': {
    context: 'start',
    keys: ['b'],
    help: 'choose what happens when the tests fail on the base',
    hint: 'red base',
  },
  'start.review': {
    context: 'start',
    keys: ['v'],
    help: 'turn the review on or off',
    hint: 'review',
  },
  'start.model': { context: 'start', keys: ['M'], help: "set Aider's model", hint: 'model' },
  'start.back': { context: 'start', keys: ['esc'], help: 'go back', hint: 'back' },

  'run.left': { context: 'run', keys: ['left', 'h'], help: 'focus the pane to the left' },
  'run.right': { context: 'run', keys: ['right', 'l'], help: 'focus the pane to the right' },
  'run.up': { context: 'run', keys: ['up', 'k'], help: 'focus the pane above' },
  'run.down': { context: 'run', keys: ['down', 'j'], help: 'focus the pane below' },
  'run.next': { context: 'run', keys: ['tab'], help: 'focus the next pane' },
  'run.previous': { context: 'run', keys: ['shift+tab'], help: 'focus the previous pane' },
  'run.focus': {
    context: 'run',
    keys: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    help: 'focus the agent with that number',
  },
  'run.open': {
    context: 'run',
    keys: ['enter'],
    help: 'show why the agent failed, or its state; when the run has ended: the summary',
    hint: 'details',
  },
  'run.overview': {
    context: 'run',
    keys: ['o'],
    help: 'show all agents in a table, and back',
    hint: 'overview',
  },
  'run.sort': {
    context: 'run',
    keys: ['s'],
    help: 'sort the overview by the next column',
    hint: 'sort',
  },
  'run.zoom': { context: 'run', keys: ['z'], help: 'zoom the pane, and back', hint: 'zoom' },
  'run.unzoom': { context: 'run', keys: ['esc'], help: 'show all panes again', hint: 'all panes' },
  'run.pageUp': { context: 'run', keys: ['pageup'], help: 'scroll a page up' },
  'run.pageDown': { context: 'run', keys: ['pagedown'], help: 'scroll a page down' },
  'run.halfUp': { context: 'run', keys: ['ctrl+u'], help: 'scroll half a page up' },
  'run.halfDown': { context: 'run', keys: ['ctrl+d'], help: 'scroll half a page down' },
  'run.top': { context: 'run', keys: ['g', 'home'], help: 'go to the first line' },
  'run.bottom': { context: 'run', keys: ['G', 'end'], help: 'go to the last line, and follow' },
  'run.search': {
    context: 'run',
    keys: ['/'],
    help: 'search the scrollback; filter the overview',
    hint: 'search',
  },
  'run.found': {
    context: 'run',
    keys: ['n'],
    help: 'go to the next match; where nothing is searched: the runs, and a new change',
  },
  'run.foundBack': { context: 'run', keys: ['N'], help: 'go to the previous match' },
  'run.type': { context: 'run', keys: ['i'], help: 'type into the agent', hint: 'type' },
  'run.kill': { context: 'run', keys: ['x'], help: 'kill the agent', hint: 'kill' },
  'run.restart': { context: 'run', keys: ['r'], help: 'restart the agent', hint: 'restart' },
  'run.restartRemark': {
    context: 'run',
    keys: ['R'],
    help: 'restart the agent with a remark',
    hint: 'restart with a remark',
  },
  'run.killAll': { context: 'run', keys: ['K'], help: 'kill all agents', hint: 'kill all' },
  'run.pause': {
    context: 'run',
    keys: ['p'],
    help: 'pause the run (what is under way ends, nothing new starts or lands), or resume it',
    hint: 'pause',
  },
  'run.more': { context: 'run', keys: ['+', '='], help: 'allow one more agent at once' },
  'run.fewer': { context: 'run', keys: ['-'], help: 'allow one agent fewer at once' },
  'run.budget': { context: 'run', keys: ['$'], help: 'change the budget', hint: 'budget' },
  'run.key': {
    context: 'run',
    keys: ['ctrl+k'],
    help: 'enter another API key',
    hint: 'API key',
  },
  'run.model': {
    context: 'run',
    keys: ['M'],
    help: 'choose another model for what starts from now on',
    hint: 'model',
  },
  'run.setup': {
    context: 'run',
    keys: ['S'],
    help: 'change the set-up command of what starts from now on',
    hint: 'set-up command',
  },
  'run.remark': {
    context: 'run',
    keys: ['m'],
    help: 'send a remark with its next message',
    hint: 'remark',
  },
  'run.takeOver': {
    context: 'run',
    keys: ['t'],
    help: 'take over: an interactive Aider in its worktree',
    hint: 'take over',
  },
  'run.shell': {
    context: 'run',
    keys: ['!'],
    help: "open a shell in the agent's worktree",
    hint: 'shell',
  },
  'run.diff': { context: 'run', keys: ['d'], help: "show the agent's diff", hint: 'diff' },
  'run.events': { context: 'run', keys: ['e'], help: "show the agent's events", hint: 'events' },
  'run.task': {
    context: 'run',
    keys: ['T'],
    help: "show the agent's task and its files",
    hint: 'task',
  },
  'run.prd': { context: 'run', keys: ['P'], help: 'show the PRD', hint: 'PRD' },
  'run.web': {
    context: 'run',
    keys: ['w'],
    help: 'show this run in a browser',
    hint: 'browser',
  },
  'run.warnings': {
    context: 'run',
    keys: ['W'],
    help: 'show the warnings of this run',
    hint: 'warnings',
  },
  'run.copy': {
    context: 'run',
    keys: ['y'],
    help: 'copy what is selected (drag the mouse), or what the pane shows',
    hint: 'copy',
  },
  'run.copyAll': {
    context: 'run',
    keys: ['Y'],
    help: "copy all of the agent's output",
    hint: 'copy all',
  },
  'run.attention': {
    context: 'run',
    keys: ['a'],
    help: 'focus the next agent that asks or failed',
    hint: 'next that asks or failed',
  },
  'run.redBase': {
    context: 'run',
    keys: ['b'],
    help: 'decide what happens as the tests fail on the base',
    hint: 'decide what to do',
  },
  'run.runs': {
    context: 'run',
    keys: ['ctrl+n'],
    help: 'show the runs of this repository, and begin a new change',
    hint: 'runs',
  },
  'run.quit': { context: 'run', keys: ['q'], help: 'quit', hint: 'quit' },

  'typing.leave': {
    context: 'typing',
    keys: ['ctrl+]', 'f12'],
    help: 'stop typing; every other key goes to the agent',
    hint: 'stop typing',
  },

  'viewer.close': { context: 'viewer', keys: ['esc', 'q'], help: 'close', hint: 'close' },
  'viewer.up': { context: 'viewer', keys: ['up', 'k'], help: 'scroll a line up' },
  'viewer.down': { context: 'viewer', keys: ['down', 'j'], help: 'scroll a line down' },
  'viewer.pageUp': { context: 'viewer', keys: ['pageup', 'ctrl+u'], help: 'scroll a page up' },
  'viewer.pageDown': {
    context: 'viewer',
    keys: ['pagedown', 'ctrl+d', 'space'],
    help: 'scroll a page down',
  },
  'viewer.top': { context: 'viewer', keys: ['g', 'home'], help: 'go to the first line' },
  'viewer.bottom': { context: 'viewer', keys: ['G', 'end'], help: 'go to the last line' },
  'viewer.search': { context: 'viewer', keys: ['/'], help: 'search', hint: 'search' },
  'viewer.found': { context: 'viewer', keys: ['n'], help: 'go to the next match' },
  'viewer.foundBack': { context: 'viewer', keys: ['N'], help: 'go to the previous match' },
  'viewer.copy': { context: 'viewer', keys: ['y'], help: 'copy the text', hint: 'copy' },

  'summary.up': { context: 'summary', keys: ['up', 'k'], help: 'select the row above' },
  'summary.down': { context: 'summary', keys: ['down', 'j'], help: 'select the row below' },
  'summary.pageUp': {
    context: 'summary',
    keys: ['pageup', 'ctrl+u'],
    help: 'scroll the text below up',
  },
  'summary.pageDown': {
    context: 'summary',
    keys: ['pagedown', 'ctrl+d', 'space'],
    help: 'scroll the text below down',
    hint: 'more',
  },
  'summary.open': {
    context: 'summary',
    keys: ['enter'],
    help: "show the agent's result, diff, log and last screen",
    hint: 'details',
  },
  'summary.diff': { context: 'summary', keys: ['d'], help: "show the agent's diff", hint: 'diff' },
  'summary.log': { context: 'summary', keys: ['e'], help: "show the agent's log", hint: 'log' },
  'summary.last': {
    context: 'summary',
    keys: ['v'],
    help: "show the agent's last screen",
    hint: 'last screen',
  },
  'summary.sort': {
    context: 'summary',
    keys: ['s'],
    help: 'sort by the next column',
    hint: 'sort',
  },
  'summary.land': { context: 'summary', keys: ['L'], help: 'land the merged work', hint: 'land' },
  'summary.undo': {
    context: 'summary',
    keys: ['u'],
    help: 'take the landing back',
    hint: 'undo the landing',
  },
  'summary.leaveOut': {
    context: 'summary',
    keys: ['x'],
    help: "leave the agent's work out, and merge again",
    hint: 'leave out',
  },
  'summary.restart': {
    context: 'summary',
    keys: ['R'],
    help: 'restart the agents that did not succeed, on top of what is merged',
    hint: 'restart them',
  },
  'summary.key': {
    context: 'summary',
    keys: ['ctrl+k'],
    help: 'enter another API key',
    hint: 'API key',
  },
  'summary.model': {
    context: 'summary',
    keys: ['M'],
    help: 'choose another model for a restart',
    hint: 'model',
  },
  'summary.setup': {
    context: 'summary',
    keys: ['S'],
    help: 'change the set-up command of what starts from now on',
    hint: 'set-up command',
  },
  'summary.web': {
    context: 'summary',
    keys: ['w'],
    help: 'show this run in a browser',
    hint: 'browser',
  },
  'summary.warnings': {
    context: 'summary',
    keys: ['W'],
    help: 'show the warnings of this run',
    hint: 'warnings',
  },
  'summary.pager': {
    context: 'summary',
    keys: ['b'],
    help: "show the merged branch's diff in your pager",
    hint: 'merged diff',
  },
  'summary.back': {
    context: 'summary',
    keys: ['esc'],
    help: 'go back to the panes',
    hint: 'panes',
  },
  'summary.runs': {
    context: 'summary',
    keys: ['n'],
    help: 'begin a new change, and show the runs of this repository',
    hint: 'next change',
  },
  'summary.quit': { context: 'summary', keys: ['q'], help: 'quit', hint: 'quit' },
} as const satisfies Record<string, Row>;

export type ActionName = keyof typeof rows;
export type KeySettings = Readonly<Record<string, string | readonly string[]>>;

export interface HelpLine {
  readonly context: Context;
  readonly action: ActionName;
  readonly keys: readonly string[];
  readonly help: string;
}

export interface Keymap {
  /** The action of a key, in a context or everywhere. */
  find(context: Context, key: string): ActionName | null;
  keys(action: ActionName): readonly string[];
  /** The first key of an action, as it is shown to a person. */
  label(action: ActionName): string;
  /** A word or two for an action. */
  hint(action: ActionName): string;
  /** What an action does. */
  words(action: ActionName): string;
  help(): readonly HelpLine[];
}

const names = Object.keys(rows) as ActionName[];
const keyPattern = /^(?:(?:ctrl\+)?(?:alt\+)?(?:shift\+)?[a-z0-9]+|(?:ctrl\+|alt\+)?[^\s\p{Cc}])$/u;

/** Mistakes in the `keys` of a settings file; empty when it is right. */
export function keyProblems(settings: KeySettings): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(settings)) {
    if (!(name in rows)) problems.push(`keys: there is no action ${name}`);
    for (const key of keysOf(value)) {
      if (!keyPattern.test(key)) problems.push(`keys.${name}: ${JSON.stringify(key)} is no key`);
    }
  }
  return problems.length > 0 ? problems : clashes(settings);
}

function keysOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value;
}

function clashes(settings: KeySettings): string[] {
  const problems: string[] = [];
  for (const context of Object.keys(contexts) as Context[]) {
    const taken = new Map<string, ActionName>();
    for (const name of names) {
      const row: Row = rows[name];
      // The PRD and the start screen are read with the keys of the other texts.
      const here =
        row.context === context ||
        ((context === 'prd' || context === 'start') && row.context === 'viewer');
      const shared =
        (context === 'prd' || context === 'start') &&
        (name === 'viewer.close' || row.context === 'everywhere');
      if (!here && row.context !== 'everywhere') continue;
      if (shared && row.context === 'viewer') continue;
      for (const key of settings[name] === undefined ? row.keys : keysOf(settings[name])) {
        const other = taken.get(key);
        const both =
          other && !(rows[other].context === 'everywhere' && row.context === 'everywhere');
        if (both && context !== 'everywhere') {
          problems.push(`keys: ${key} is for ${other} and for ${name}`);
        }
        taken.set(key, name);
      }
    }
  }
  return [...new Set(problems)];
}

/** Special keys of a person's words; letters stay as they are. */
const labels: Record<string, string> = {
  enter: 'Enter',
  esc: 'Esc',
  tab: 'Tab',
  'shift+tab': 'Shift-Tab',
  'alt+enter': 'Alt-Enter',
  'shift+enter': 'Shift-Enter',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  pageup: 'PgUp',
  pagedown: 'PgDn',
  space: 'Space',
  home: 'Home',
  end: 'End',
  delete: 'Del',
};
const asciiLabels: Record<string, string> = {
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
};

export function keyLabel(key: string, unicode = true): string {
  const special = (unicode ? undefined : asciiLabels[key]) ?? labels[key];
  if (special) return special;
  return key
    .replace(/^ctrl\+(.)$/, (_, letter: string) => `Ctrl-${letter.toUpperCase()}`)
    .replace(/^f(\d+)$/, 'F$1');
}

/** The table with a person's own keys; their mistakes are found by `keyProblems` before. */
export function makeKeymap(settings: KeySettings = {}, unicode = true): Keymap {
  const keys = (name: ActionName): readonly string[] =>
    settings[name] === undefined ? rows[name].keys : keysOf(settings[name]);
  const byContext = new Map<string, ActionName>();
  for (const name of names) {
    for (const key of keys(name)) byContext.set(`${rows[name].context} ${key}`, name);
  }
  return {
    find: (context, key) =>
      byContext.get(`${context} ${key}`) ?? byContext.get(`everywhere ${key}`) ?? null,
    keys,
    label: (action) => keyLabel(keys(action)[0] ?? '', unicode),
    words: (action) => rows[action].help,
    hint: (action) => (rows[action] as Row).hint ?? rows[action].help,
    help: () =>
      names.map((action) => ({
        action,
        context: rows[action].context,
        keys: keys(action).map((key) => keyLabel(key, unicode)),
        help: rows[action].help,
      })),
  };
}
