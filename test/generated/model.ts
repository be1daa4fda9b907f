import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import type { FailReason } from '../../source/core/agent/agent.js';
import type { AttemptExit } from '../../source/core/agent/evidence.js';
import type { AgentBackend } from '../../source/core/ports.js';
import { ok } from '../../source/core/result.js';
import type { RunConfig } from '../../source/core/run/config.js';
import { journalHead, readJournal } from '../../source/core/run/journal.js';
import { pendingEffects } from '../../source/core/run/pending-effects.js';
import type { RunState } from '../../source/core/run/run.js';
import { summarise } from '../../source/core/run/summary.js';
import type { RunsTests } from '../../source/services/git/checkout-site.js';
import { logPaths } from '../../source/services/logs/log-paths.js';
import { createEffectRunner } from '../../source/store/effect-runner.js';
import { createRunStore, type EffectHandler, type Observer } from '../../source/store/run-store.js';
import { git, writeFiles } from '../rig.js';
import { spanProblems } from '../span-problems.js';
import { openTestWorkspace, testConfig } from '../test-config.js';

/**
 * Random agents against the real machinery: git, worktrees, fences, judge, merge. Each agent follows a
 * script of what it does to the disk and of how its process behaves; what must come of it is worked
 * out here from the script alone, and compared with git and the summary.
 */

/** What an agent does to the disk. `own` names are its files, others are not. */
export type Act =
  | { readonly do: 'write'; readonly own: 0 | 1 | 2; readonly text: string }
  | { readonly do: 'delete'; readonly own: 0 | 1 }
  | { readonly do: 'space'; readonly own: 0 | 1 }
  | { readonly do: 'other'; readonly how: 'write' | 'delete' | 'new' }
  | { readonly do: 'beside' }
  | { readonly do: 'link'; readonly to: 'out' | 'in' }
  | { readonly do: 'mode' }
  | { readonly do: 'large' }
  | { readonly do: 'runs'; readonly name: '.env' | '.aider.conf.yml' | '.husky/x' | '.git' };

/** How its process behaves. */
export interface Behaviour {
  readonly answers: 0 | 1 | 2;
  readonly sends: 'as many' | 'one more';
  readonly tokens: 0 | 7;
  readonly exitEvent: boolean;
  readonly code: 0 | 1;
  readonly signal: null | 'SIGKILL';
  readonly text: null | 'malformed' | 'gave_up' | 'token_limit' | 'edits_skipped';
}

export interface Script {
  readonly acts: readonly Act[];
  readonly behaviour: Behaviour;
}

const own = fc.constantFrom(0 as const, 1 as const);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      own: fc.constantFrom(0 as const, 1 as const, 2 as const),
      text: fc.constantFrom(
        'one\n',
        'two\nlines\n',
        'wide 日本\n',
        'crlf\r\n',
        'no end',
        '\0\x01\xff',
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), own }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('space' as const), own }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('other' as const),
      how: fc.constantFrom('write' as const, 'delete' as const, 'new' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'beside' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('link' as const),
      to: fc.constantFrom('out' as const, 'in' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'mode' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'large' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('runs' as const),
      name: fc.constantFrom('.env', '.aider.conf.yml', '.husky/x', '.git'),
    }),
  },
);

/** Mostly a clean process: a case with nothing but crashes tells little. */
const mostly = <T>(usual: T, ...rare: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    ...rare.map((value) => ({ weight: 1, arbitrary: fc.constant(value) })),
  );

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  answers: mostly<0 | 1 | 2>(1, 0, 2),
  sends: mostly<'as many' | 'one more'>('as many', 'one more'),
  tokens: mostly<0 | 7>(7, 0),
  exitEvent: mostly(true, false),
  code: mostly<0 | 1>(0, 1),
  signal: mostly<null | 'SIGKILL'>(null, 'SIGKILL'),
  text: mostly<Behaviour['text']>(null, 'malformed', 'gave_up', 'token_limit', 'edits_skipped'),
});

export const script: fc.Arbitrary<Script> = fc.record({
  acts: fc.array(act, { maxLength: 4 }),
  behaviour,
});

const large = 2000;
const base = (name: string) => `first of ${name}\nsecond line\n`;
const ownFiles = (agent: number) => [`a${agent}/0.txt`, `a${agent}/1.txt`, `a${agent}/new.txt`];

/** Does the acts in a worktree. */
function perform(acts: readonly Act[], agent: number, worktree: string): void {
  const at = (name: string) => path.join(worktree, name);
  const put = (name: string, text: string | Buffer) => {
    mkdirSync(path.dirname(at(name)), { recursive: true });
    rmSync(at(name), { recursive: true, force: true });
    writeFileSync(at(name), text);
  };
  const [first = '', , fresh = ''] = ownFiles(agent);
  for (const one of acts) {
    switch (one.do) {
      case 'write':
        put(ownFiles(agent)[one.own] as string, Buffer.from(one.text, 'latin1'));
        break;
      case 'delete':
        rmSync(at(ownFiles(agent)[one.own] as string), { force: true });
        break;
      case 'space': {
        const name = ownFiles(agent)[one.own] as string;
        put(name, base(name).replaceAll('\n', '  \n\n'));
        break;
      }
      case 'other':
        if (one.how === 'delete') rmSync(at('shared.txt'), { force: true });
        else put(one.how === 'new' ? 'made/up.txt' : 'shared.txt', 'mine now\n');
        break;
      case 'beside':
        writeFileSync(path.join(worktree, '../beside.txt'), 'x');
        break;
      case 'link':
        rmSync(at(fresh), { force: true });
        mkdirSync(path.dirname(at(fresh)), { recursive: true });
        symlinkSync(one.to === 'out' ? '/etc/hostname' : '../shared.txt', at(fresh));
        break;
      case 'mode':
        if (existsSync(at(first)) && !lstatSync(at(first)).isSymbolicLink()) {
          chmodSync(at(first), 0o755);
        }
        break;
      case 'large':
        put(fresh, 'x'.repeat(large));
        break;
      case 'runs':
        if (one.name === '.git') writeFileSync(at('.git'), 'gitdir: /nowhere\n');
        else put(one.name, 'evil\n');
        break;
    }
  }
}

/** What must come of a script: the files that may be merged, or why none. */
export interface Expected {
  readonly reason: FailReason | null;
  /** Own files as they must be on the branch; null for gone. */
  readonly files: ReadonlyMap<string, Buffer | null>;
}

/** Worked out from the script alone, by the rules as the docs have them. */
export function expectedOf({ acts, behaviour: how }: Script, agent: number): Expected {
  const names = ownFiles(agent);
  const [first = '', , fresh = ''] = names;
  type Entry = { text: Buffer; mode: 'file' | 'exec' | 'out' | 'in' } | null;
  const before = new Map<string, Entry>([
    [names[0] as string, { text: Buffer.from(base(names[0] as string)), mode: 'file' }],
    [names[1] as string, { text: Buffer.from(base(names[1] as string)), mode: 'file' }],
    [fresh, null],
  ]);
  const now = new Map(before);
  let outside = false;
  let dangerous = false;
  let others = { shared: false, made: false };
  for (const one of acts) {
    switch (one.do) {
      case 'write':
        now.set(names[one.own] as string, { text: Buffer.from(one.text, 'latin1'), mode: 'file' });
        break;
      case 'delete':
        now.set(names[one.own] as string, null);
        break;
      case 'space': {
        const name = names[one.own] as string;
        now.set(name, { text: Buffer.from(base(name).replaceAll('\n', '  \n\n')), mode: 'file' });
        break;
      }
      case 'other':
        others = {
          shared: others.shared || one.how !== 'new',
          made: others.made || one.how === 'new',
        };
        break;
      case 'beside':
        outside = true;
        break;
      case 'link':
        now.set(fresh, { text: Buffer.from(''), mode: one.to });
        break;
      case 'mode': {
        const entry = now.get(first);
        if (entry) now.set(first, { ...entry, mode: 'exec' });
        break;
      }
      case 'large':
        now.set(fresh, { text: Buffer.from('x'.repeat(large)), mode: 'file' });
        break;
      case 'runs':
        dangerous = true;
        break;
    }
  }
  outside ||= others.shared || others.made;
  // One iteration is allowed: a call for another one ends the agent, and takes nothing back.
  const capped = how.answers === 2 || (how.answers === 1 && how.sends === 'one more');
  const brokeOff = how.answers === 0 && how.sends === 'one more';
  let refused = false;
  const kept = new Map<string, Buffer | null>();
  let changed = false;
  let substantial = false;
  for (const name of names) {
    const was = before.get(name) ?? null;
    let is = now.get(name) ?? null;
    const isMode = was !== null && is?.mode === 'exec';
    if (is && (is.mode === 'out' || isMode || is.text.length > 1000)) {
      refused = true;
      is = was;
    }
    const same =
      was === null || is === null ? was === is : was.text.equals(is.text) && was.mode === is.mode;
    if (!same) {
      changed = true;
      const squeeze = (entry: Entry) => entry?.text.toString('latin1').replace(/\s+/g, '') ?? '';
      const isLink = is?.mode === 'in';
      substantial ||= is === null || isLink || squeeze(is) !== squeeze(was);
      kept.set(name, is === null ? null : isLink ? Buffer.from('../shared.txt') : is.text);
    }
  }
  // What was done in a reply that broke off is taken back as a whole.
  const files = brokeOff ? new Map<string, Buffer | null>() : kept;
  return { files, reason: reasonOf() };

  function reasonOf(): FailReason | null {
    if (dangerous) return 'dangerous_change';
    if (how.text === 'token_limit') return capped ? 'max_iterations' : 'token_limit';
    if (outside) return 'outside_scope';
    if (refused) return 'refused_change';
    // A malformed reply at the cap is named as what it is.
    if (capped) return how.text === 'malformed' ? 'malformed_edits' : 'max_iterations';
    if (how.signal) return 'killed_by_signal';
    if (how.code !== 0) return 'agent_crashed';
    if (how.answers === 0 && !brokeOff) return 'no_response';
    if (brokeOff) return 'stream_broken';
    if (!how.exitEvent) return 'agent_crashed';
    if (how.tokens === 0) return 'empty_reply';
    if (how.text === 'gave_up') return 'malformed_edits';
    if (how.text === 'edits_skipped') return 'edits_skipped';
    // Aider removes nothing, and nobody asked for it.
    const gone = names.slice(0, 2).some((name) => kept.has(name) && kept.get(name) === null);
    if (gone) return 'file_gone';
    if (!changed) return 'no_change';
    return substantial ? null : 'white_space_only';
  }
}

/** How a run of scripts goes. */
export interface Course {
  readonly land: 'any' | 'none';
  /** The program ends after so many messages, and is begun anew; each time from where it was. */
  readonly stops: readonly number[];
  /** Whether what is begun by the last message before a stop is carried out; its answer is lost in any case. */
  readonly carriedOut: boolean;
  /** Tasks build on others, the tests of the project decide, and each agent has a second try. */
  readonly rich: boolean;
}

/** What a run came to. */
export interface Ended {
  /** What is not as it must be by the scripts alone; not asked of a rich run. */
  readonly problems: readonly string[];
  /** The summary without times and names of commits. */
  readonly summary: unknown;
  /** What each branch holds, and what is checked out. */
  readonly trees: Readonly<Record<string, string>>;
  readonly messages: number;
}

/** Agents that follow their scripts. What they have done stays done, whatever becomes of the program. */
function worldOf(scripts: readonly Script[]): AgentBackend {
  const done = new Set<string>();
  return {
    start: async ({ agent, attempt, checkout, told }, events) => {
      // A second try does what another one did first.
      const { acts, behaviour: how } = scripts[(agent + attempt - 1) % scripts.length] as Script;
      let sends = told?.sends ?? 0;
      let answers = told?.responses ?? 0;
      const usage = { promptTokens: 0, completionTokens: how.tokens, cost: 1, knownCost: 1 };
      setImmediate(() => {
        for (let answer = 1; answer <= how.answers; answer++) {
          if (sends < answer) {
            sends += 1;
            events.turnStarted();
          }
          if (answers < answer) {
            answers += 1;
            events.turnEnded(usage);
          }
        }
        if (how.sends === 'one more' && sends <= how.answers) events.turnStarted();
        const name = `${agent}-${attempt}`;
        if (!done.has(name)) perform(acts, agent, checkout.worktree);
        done.add(name);
        const exit: AttemptExit = {
          code: how.signal ? null : how.code,
          signal: how.signal,
          orderly: how.exitEvent,
          symptoms: how.text === null ? [] : [how.text],
          edited: [],
          named: [],
          edits: true,
          flaw: null,
          cause: null,
        };
        events.exited(exit);
      });
      return ok({ pid: 1, signal: () => {} });
    },
  };
}

const usual: Course = { land: 'any', stops: [], carriedOut: true, rich: false };

/** Runs agents by their scripts. */
export async function runScripts(
  scripts: readonly Script[],
  course: Partial<Course>,
): Promise<Ended> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'ao-generated-')));
  try {
    return await runIn(folder, scripts, { ...usual, ...course });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Tests that fail with a certain text, wherever it stands. */
const tests: RunsTests = {
  run: async (_, cwd) => {
    const found = grep(cwd, 'lines');
    const rest = { output: '', ms: 0, flaky: false };
    return found
      ? { state: 'failed', words: 'exit code 1', ...rest }
      : { state: 'passed', words: '', ...rest };
  },
};

function grep(folder: string, text: string): boolean {
  const done = spawnSync('grep', ['-rqx', '--exclude-dir=.git', text, folder]);
  return done.status === 0;
}

async function runIn(folder: string, scripts: readonly Script[], course: Course): Promise<Ended> {
  const repo = path.join(folder, 'repo');
  mkdirSync(repo);
  git(repo, 'init', '-q', '-b', 'main');
  git(repo, 'config', 'user.name', 'Test');
  git(repo, 'config', 'user.email', 'test@example.com');
  const names = scripts.flatMap((_, agent) => ownFiles(agent).slice(0, 2));
  writeFiles(repo, Object.fromEntries(names.map((name) => [name, base(name)])));
  writeFiles(repo, { 'shared.txt': 'shared\n', '.aider_logs/.gitignore': '*\n' });
  git(repo, 'add', '-A');
  git(repo, 'commit', '-q', '-m', 'start');
  const head = git(repo, 'rev-parse', 'HEAD');
  const { stamp } = testConfig;
  const paths = logPaths(repo, stamp);
  for (const [agent] of scripts.entries()) mkdirSync(paths.agentFolder(agent), { recursive: true });
  const config: RunConfig = {
    ...testConfig,
    repo,
    base: head,
    maxAgents: 4,
    maxIterations: course.rich ? 2 : 1,
    maxFileBytes: 1000,
    land: course.land,
    testCommand: course.rich
      ? { command: 'make test', from: '--test-cmd', timeoutMs: 1000, report: null }
      : null,
  };
  const world = worldOf(scripts);
  const journal = [`${JSON.stringify(journalHead(stamp))}\n`];
  for (const stop of [...course.stops, Number.POSITIVE_INFINITY]) {
    await engine(folder, config, scripts, world, journal, stop, course);
  }
  const state = stateIn(journal, stamp) as RunState;
  return {
    problems: [
      ...(course.rich ? [] : check(state, scripts, repo, head)),
      ...spanProblems(journal.join(''), stamp),
    ],
    summary: plain(state),
    trees: treesIn(repo),
    messages: journal.length - 1,
  };
}

/** The program, from what the journal tells to its end, or until it is ended after so many messages. */
async function engine(
  folder: string,
  config: RunConfig,
  scripts: readonly Script[],
  world: AgentBackend,
  journal: string[],
  stop: number,
  { carriedOut, rich }: Course,
): Promise<void> {
  const { stamp } = config;
  const workspace = openTestWorkspace(config, path.join(folder, 'worktrees'), { tests });
  const tasks = scripts.map((_, agent) => ({
    id: `T${agent}`,
    title: `Work ${agent}`,
    description: '',
    files: ownFiles(agent),
    read: [],
    depends_on: rich && agent % 4 === 3 ? [`T${agent - 1}`] : [],
  }));
  const plan = { tasks, prdPath: null, geminiModelUsed: null, warnings: [], criteria: [] };
  let onEnd = () => {};
  const ended = new Promise<void>((resolve) => {
    onEnd = resolve;
  });
  let seen = 0;
  const isOver = () => seen >= stop;
  const runner = createEffectRunner(
    {
      workspace,
      backend: world,
      reviewer: null,
      plan: async () => ok(plan),
      confirm: async () => true,
    },
    () => onEnd(),
  );
  const handle: EffectHandler = (effect, dispatch) => {
    if (isOver() && !carriedOut) return;
    runner.handle(effect, (message) => {
      if (!isOver()) dispatch(message);
    });
  };
  const write: Observer = (_, __, message) => {
    // Another one of the same turn: the program is not there any more.
    if (isOver()) return;
    journal.push(`${JSON.stringify(message)}\n`);
    seen += 1;
    if (isOver()) setImmediate(onEnd);
  };
  const before = stateIn(journal, stamp);
  const { dispatch } = createRunStore(handle, [write], Date.now, before);
  if (before === null) dispatch({ type: 'run_started', config });
  else if (before.phase !== 'finished') {
    dispatch({ type: 'resumed', idleMs: 0, unattended: true });
  } else for (const effect of pendingEffects(before, Date.now())) handle(effect, dispatch);
  await ended;
  await runner.settled();
  await workspace.settled();
  // Its timers go with it.
  runner.handle({ type: 'finish' }, () => {});
}

function stateIn(journal: readonly string[], stamp: string): RunState | null {
  const read = readJournal(journal.join(''), stamp);
  if (read.state === 'unreadable') throw new Error(read.why);
  return read.state === 'empty' ? null : read.run;
}

/** A summary without what differs between two runs of the same. */
function plain(state: RunState): unknown {
  const volatile =
    /commit|base|_s$|seconds|time|started|ended|stamp|repo|worktree|log|recording|land_later|path/;
  return JSON.parse(
    JSON.stringify(summarise(state), (name, value: unknown) => {
      // A worktree's name is drawn.
      if (name === 'left_in') return value !== null;
      return volatile.test(name) ? undefined : value;
    }),
  );
}

function treesIn(repo: string): Readonly<Record<string, string>> {
  const refs = git(repo, 'for-each-ref', '--format=%(refname) %(tree)', 'refs/heads').split('\n');
  return Object.fromEntries(refs.map((line) => line.split(' ') as [string, string]));
}

/** The invariants, asked from git itself. */
function check(state: RunState, scripts: readonly Script[], repo: string, head: string): string[] {
  const problems: string[] = [];
  const wants = (fine: boolean, problem: string) => {
    if (!fine) problems.push(problem);
  };
  const show = (commit: string, file: string): Buffer | null =>
    git(repo, 'ls-tree', commit, '--', file) === ''
      ? null
      : execFileSync('git', ['cat-file', 'blob', `${commit}:${file}`], { cwd: repo });
  const tip = state.integration?.commit ?? head;
  const merged = new Map<string, Buffer | null>();
  for (const [agent, script] of scripts.entries()) {
    const expected = expectedOf(script, agent);
    const { state: now } = state.agents[agent] as RunState['agents'][number];
    const was = now.name === 'succeeded' ? null : now.name === 'failed' ? now.reason : now.name;
    wants(was === expected.reason, `agent${agent}: ${was}, not ${expected.reason}`);
    const work = 'work' in now ? now.work : null;
    const onBranch = work?.commit ?? head;
    const changed = git(repo, 'diff', '-z', '--name-only', '--no-renames', head, onBranch);
    const files = changed.split('\0').filter(Boolean).sort();
    wants(
      files.join() === [...expected.files.keys()].sort().join(),
      `agent${agent}: its branch changes ${files.join()}, not ${[...expected.files.keys()].join()}`,
    );
    for (const [file, content] of expected.files) {
      const is = show(onBranch, file);
      const same = content === null ? is === null : is?.equals(content) === true;
      wants(same, `agent${agent}: ${file} on its branch is ${is?.toString('latin1')}`);
      if (expected.reason === null) merged.set(file, content);
    }
  }
  // What is merged is the sum of the successful agents' allowed changes.
  const inTip = git(repo, 'diff', '-z', '--name-only', '--no-renames', head, tip);
  const files = inTip.split('\0').filter(Boolean).sort();
  wants(files.join() === [...merged.keys()].sort().join(), `merged: ${files.join()}`);
  for (const [file, content] of merged) {
    const is = show(tip, file);
    wants(content === null ? is === null : is?.equals(content) === true, `merged ${file} is wrong`);
  }
  // The checkout is untouched unless landed.
  const landed = state.config.land === 'any' && merged.size > 0;
  wants(git(repo, 'rev-parse', 'HEAD') === (landed ? tip : head), 'HEAD is elsewhere');
  wants(git(repo, 'status', '--porcelain') === '', 'the checkout is changed');
  wants(git(repo, 'worktree', 'list').split('\n').length === 1, 'a worktree is left');
  return problems;
}
