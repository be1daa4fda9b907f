import { execFileSync } from 'node:child_process';
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
import type { RunState } from '../../source/core/run/run.js';
import { GitWorkspace } from '../../source/services/git/workspace.js';
import { logPaths } from '../../source/services/logs/log-paths.js';
import { createEffectRunner } from '../../source/store/effect-runner.js';
import { createRunStore } from '../../source/store/run-store.js';
import { git, writeFiles } from '../rig.js';
import { noRecord, testConfig } from '../test-config.js';

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

/** Worked out from the script alone, by the rules as the README has them. */
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

/** An agent that follows its script. */
function backendOf(scripts: readonly Script[]): AgentBackend {
  return {
    start: async ({ agent, checkout }, events) => {
      const { acts, behaviour: how } = scripts[agent] as Script;
      setImmediate(() => {
        for (let answer = 0; answer < how.answers; answer++) {
          events.turnStarted();
          events.turnEnded({
            promptTokens: 0,
            completionTokens: how.tokens,
            cost: 1,
            knownCost: 1,
          });
        }
        if (how.sends === 'one more') events.turnStarted();
        perform(acts, agent, checkout.worktree);
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

/** Runs agents by their scripts, and gives what is not as it must be. */
export async function runScripts(
  scripts: readonly Script[],
  land: 'any' | 'none',
): Promise<string[]> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'ao-generated-')));
  try {
    return await runIn(folder, scripts, land);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runIn(folder: string, scripts: readonly Script[], land: 'any' | 'none') {
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
  const config = {
    ...testConfig,
    repo,
    base: head,
    maxAgents: 4,
    maxIterations: 1,
    maxFileBytes: 1000,
    land,
  };
  const workspace = new GitWorkspace({
    config,
    paths,
    worktrees: path.join(folder, 'worktrees'),
    setup: null,
    check: null,
    landLater: '',
    commonDir: path.join(repo, '.git'),
    coAuthor: () => null,
    record: noRecord,
  });
  const tasks = scripts.map((_, agent) => ({
    id: `T${agent}`,
    title: `Work ${agent}`,
    description: '',
    files: ownFiles(agent),
    read: [],
    depends_on: [],
  }));
  let onFinish = () => {};
  const finished = new Promise<void>((resolve) => {
    onFinish = resolve;
  });
  const plan = { tasks, prdPath: null, geminiModelUsed: null, warnings: [], criteria: [] };
  const runner = createEffectRunner(
    {
      workspace,
      backend: backendOf(scripts),
      reviewer: null,
      plan: async () => ok(plan),
      confirm: async () => true,
    },
    () => onFinish(),
  );
  const { store, dispatch } = createRunStore(runner.handle, [], Date.now);
  dispatch({ type: 'run_started', config });
  await finished;
  await workspace.settled();
  return check(store.getState().run as RunState, scripts, repo, head);
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
