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
  viewer: 'Diff, events and other texts',
  summary: 'Summary',
} as const;

export type Context = keyof typeof contexts;

interface Row {
  readonly context: Context;
  readonly keys: readonly string[];
  readonly help: string;
}

const rows = {
  help: { context: 'everywhere', keys: ['?', 'f1'], help: 'this help' },
  quit: { context: 'everywhere', keys: ['ctrl+c'], help: 'leave (a second time: at once)' },
  suspend: { context: 'everywhere', keys: ['ctrl+z'], help: 'suspend; fg comes back' },

  'change.next': { context: 'change', keys: ['enter'], help: 'go on' },
  'change.newline': { context: 'change', keys: ['alt+enter', 'ctrl+j'], help: 'new line' },
  'change.editor': { context: 'change', keys: ['ctrl+e'], help: 'write it in your editor' },
  'change.leave': { context: 'change', keys: ['esc'], help: 'leave' },
  'change.key': { context: 'change', keys: ['ctrl+k'], help: 'give a key that is missing' },
  'change.install': { context: 'change', keys: ['ctrl+o'], help: 'install Aider' },
  'change.model': { context: 'change', keys: ['ctrl+g'], help: 'choose another Gemini model' },

  'prd.next': { context: 'prd', keys: ['enter'], help: 'go on' },
  'prd.back': { context: 'prd', keys: ['esc'], help: 'back (while it is written: cancel)' },
  'prd.edit': { context: 'prd', keys: ['e'], help: 'edit it in your editor' },
  'prd.again': { context: 'prd', keys: ['r'], help: 'write it again, with a remark' },
  'prd.own': { context: 'prd', keys: ['w'], help: 'write one of your own' },
  'prd.open': { context: 'prd', keys: ['o'], help: 'open a file' },
  'prd.undo': { context: 'prd', keys: ['u'], help: 'back to the PRD before this one' },

  'groups.next': { context: 'groups', keys: ['enter'], help: 'go on' },
  'groups.back': { context: 'groups', keys: ['esc'], help: 'back' },
  'groups.left': { context: 'groups', keys: ['left', 'h'], help: 'group to the left' },
  'groups.right': { context: 'groups', keys: ['right', 'l', 'tab'], help: 'group to the right' },
  'groups.up': { context: 'groups', keys: ['up', 'k'], help: 'file above' },
  'groups.down': { context: 'groups', keys: ['down', 'j'], help: 'file below' },
  'groups.moveRight': { context: 'groups', keys: ['>', 'L'], help: 'file to the next group' },
  'groups.moveLeft': { context: 'groups', keys: ['<', 'H'], help: 'file to the group before' },
  'groups.rename': { context: 'groups', keys: ['r'], help: 'rename the group' },
  'groups.add': { context: 'groups', keys: ['n'], help: 'new group' },
  'groups.split': { context: 'groups', keys: ['s'], help: 'split the group' },
  'groups.merge': { context: 'groups', keys: ['m'], help: 'merge it with the next one' },
  'groups.delete': { context: 'groups', keys: ['D'], help: 'delete the group' },
  'groups.files': { context: 'groups', keys: ['f', '/'], help: 'find files to add' },
  'groups.leaveOut': { context: 'groups', keys: ['x', 'delete'], help: 'leave the file out' },
  'groups.edit': { context: 'groups', keys: ['e'], help: "edit the task's text" },
  'groups.wait': { context: 'groups', keys: ['w'], help: 'let it wait for another group' },
  'groups.more': { context: 'groups', keys: ['+', '='], help: 'more agents at once' },
  'groups.fewer': { context: 'groups', keys: ['-'], help: 'fewer agents at once' },
  'groups.undo': { context: 'groups', keys: ['u'], help: 'undo' },

  'start.go': { context: 'start', keys: ['enter'], help: 'start the agents' },
  'start.test': { context: 'start', keys: ['t'], help: 'the command of the tests' },
  'start.redBase': {
    context: 'start',
    keys: ['b'],
    help: 'go on when the tests fail on the base, or not',
  },
  'start.review': { context: 'start', keys: ['v'], help: 'have the work reviewed, or not' },
  'start.back': { context: 'start', keys: ['esc'], help: 'back' },

  'run.left': { context: 'run', keys: ['left', 'h'], help: 'pane to the left' },
  'run.right': { context: 'run', keys: ['right', 'l'], help: 'pane to the right' },
  'run.up': { context: 'run', keys: ['up', 'k'], help: 'pane above' },
  'run.down': { context: 'run', keys: ['down', 'j'], help: 'pane below' },
  'run.next': { context: 'run', keys: ['tab'], help: 'next pane' },
  'run.previous': { context: 'run', keys: ['shift+tab'], help: 'pane before' },
  'run.focus': {
    context: 'run',
    keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
    help: 'pane of that number',
  },
  'run.open': {
    context: 'run',
    keys: ['enter'],
    help: 'zoom; when the run has ended: the summary',
  },
  'run.zoom': { context: 'run', keys: ['z'], help: 'zoom, and back' },
  'run.unzoom': { context: 'run', keys: ['esc'], help: 'back to all panes' },
  'run.pageUp': { context: 'run', keys: ['pageup'], help: 'scroll a page up' },
  'run.pageDown': { context: 'run', keys: ['pagedown'], help: 'scroll a page down' },
  'run.halfUp': { context: 'run', keys: ['ctrl+u'], help: 'scroll half a page up' },
  'run.halfDown': { context: 'run', keys: ['ctrl+d'], help: 'scroll half a page down' },
  'run.top': { context: 'run', keys: ['g', 'home'], help: 'to the first line' },
  'run.bottom': { context: 'run', keys: ['G', 'end'], help: 'to the last line, and follow' },
  'run.search': { context: 'run', keys: ['/'], help: 'search in the scrollback' },
  'run.found': { context: 'run', keys: ['n'], help: 'next match' },
  'run.foundBack': { context: 'run', keys: ['N'], help: 'match before' },
  'run.type': { context: 'run', keys: ['i'], help: 'type into the agent; ctrl+] ends' },
  'run.kill': { context: 'run', keys: ['x'], help: 'kill the agent' },
  'run.restart': { context: 'run', keys: ['r'], help: 'restart the agent' },
  'run.restartRemark': { context: 'run', keys: ['R'], help: 'restart it with a remark' },
  'run.killAll': { context: 'run', keys: ['K'], help: 'kill all agents' },
  'run.pause': {
    context: 'run',
    keys: ['p'],
    help: 'pause (what is under way ends, nothing new starts or lands); go on',
  },
  'run.more': { context: 'run', keys: ['+', '='], help: 'one more agent at once' },
  'run.fewer': { context: 'run', keys: ['-'], help: 'one agent fewer at once' },
  'run.budget': { context: 'run', keys: ['$'], help: 'change the budget' },
  'run.remark': { context: 'run', keys: ['m'], help: 'remark for its next iteration' },
  'run.takeOver': {
    context: 'run',
    keys: ['t'],
    help: 'take over: an interactive Aider in its place',
  },
  'run.shell': { context: 'run', keys: ['!'], help: "a shell in the agent's worktree" },
  'run.diff': { context: 'run', keys: ['d'], help: "the agent's diff so far" },
  'run.events': { context: 'run', keys: ['e'], help: "the agent's events" },
  'run.copy': { context: 'run', keys: ['y'], help: "copy the pane's text" },
  'run.attention': { context: 'run', keys: ['a'], help: 'next agent that asks or failed' },
  'run.redBase': {
    context: 'run',
    keys: ['b'],
    help: 'decide what to do when the tests fail on the base',
  },
  'run.quit': { context: 'run', keys: ['q'], help: 'leave' },

  'viewer.close': { context: 'viewer', keys: ['esc', 'q'], help: 'close' },
  'viewer.up': { context: 'viewer', keys: ['up', 'k'], help: 'line up' },
  'viewer.down': { context: 'viewer', keys: ['down', 'j'], help: 'line down' },
  'viewer.pageUp': { context: 'viewer', keys: ['pageup', 'ctrl+u'], help: 'page up' },
  'viewer.pageDown': {
    context: 'viewer',
    keys: ['pagedown', 'ctrl+d', 'space'],
    help: 'page down',
  },
  'viewer.top': { context: 'viewer', keys: ['g', 'home'], help: 'to the first line' },
  'viewer.bottom': { context: 'viewer', keys: ['G', 'end'], help: 'to the last line' },
  'viewer.search': { context: 'viewer', keys: ['/'], help: 'search' },
  'viewer.found': { context: 'viewer', keys: ['n'], help: 'next match' },
  'viewer.foundBack': { context: 'viewer', keys: ['N'], help: 'match before' },

  'summary.up': { context: 'summary', keys: ['up', 'k'], help: 'row above' },
  'summary.down': { context: 'summary', keys: ['down', 'j'], help: 'row below' },
  'summary.open': {
    context: 'summary',
    keys: ['enter'],
    help: "the agent's diff, log and last screen",
  },
  'summary.diff': { context: 'summary', keys: ['d'], help: "the agent's diff" },
  'summary.log': { context: 'summary', keys: ['e'], help: "the agent's log" },
  'summary.last': { context: 'summary', keys: ['v'], help: "the agent's last screen" },
  'summary.sort': { context: 'summary', keys: ['s'], help: 'sort by the next column' },
  'summary.land': { context: 'summary', keys: ['L'], help: 'land now' },
  'summary.leaveOut': {
    context: 'summary',
    keys: ['x'],
    help: "leave the agent's work out and merge again",
  },
  'summary.restart': {
    context: 'summary',
    keys: ['R'],
    help: 'restart the failed ones, on top of what is merged',
  },
  'summary.pager': {
    context: 'summary',
    keys: ['b'],
    help: "the merged branch's diff, in your pager",
  },
  'summary.back': { context: 'summary', keys: ['esc'], help: 'back to the panes' },
  'summary.quit': { context: 'summary', keys: ['q'], help: 'leave' },
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
      // A PRD is read with the keys of the other texts.
      const here = row.context === context || (context === 'prd' && row.context === 'viewer');
      const shared = context === 'prd' && (name === 'viewer.close' || row.context === 'everywhere');
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
    help: () =>
      names.map((action) => ({
        action,
        context: rows[action].context,
        keys: keys(action).map((key) => keyLabel(key, unicode)),
        help: rows[action].help,
      })),
  };
}
