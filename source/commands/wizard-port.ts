import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RunFacts, WizardPort } from '../app/ports.js';
import type { Failure } from '../core/policy/failure.js';
import { ok, type Result } from '../core/result.js';
import { proposeTest } from '../services/config/test-proposal.js';
import { unless, unreadable } from '../services/files/private-files.js';
import { signsCommits } from '../services/git/repository.js';
import { addToHistory, readHistory } from '../services/logs/change-history.js';
import { environment } from '../services/machine/environment.js';
import type { Overrides } from './aider-command.js';
import type { Arguments } from './arguments.js';
import type { LeftRunHere } from './find-left-run.js';
import type { HeldRun } from './host/run-host.js';
import { type OpenedRun, readText } from './open-run.js';
import { needsPort } from './wizard/needs.js';
import { othersPort } from './wizard/others.js';
import { pagePort } from './wizard/page.js';
import { planPort } from './wizard/plan.js';
import { type NextScreen, Session } from './wizard/session.js';
import { resumeIn, startPort } from './wizard/start.js';

/** What the screen is given, and what is left of it when it is closed. */
export interface WizardSession {
  readonly port: WizardPort;
  /** The run, once one was started. */
  held(): HeldRun | null;
  /** @param listener told when the run cannot be heard of any more */
  onLost(listener: () => void): void;
  /** The first frame is there: what takes its time begins, while a person types. */
  begin(): void;
  /** Where the person goes on; null where they leave the program. */
  next(): NextScreen | null;
  /** The PRD that was saved without a run; null when there is none. */
  savedPrd(): string | null;
  close(): Promise<void>;
}

/**
 * Connects the wizard to the services. Keys that a person gives live in this process's environment
 * only, where Aider and the planner look for them.
 */
export async function openWizard(
  args: Arguments,
  opened: OpenedRun,
  overrides: Overrides,
  more: {
    readonly change: string;
    readonly warn: (text: string) => void;
    /** Before there is a screen. */
    readonly say: (text: string) => void;
    /** A run that is gone on with. */
    readonly left: LeftRunHere | null;
    /** A run that goes already. */
    readonly held: HeldRun | null;
  },
): Promise<Result<WizardSession, Failure>> {
  const session = new Session(args, opened, overrides, more.warn, more.say);
  const facts = factsOf(session);
  if (more.held) session.hold(more.held);
  const resumed = more.left && (await resumeIn(session, more.left));
  if (resumed && !resumed.ok) return resumed;
  const run = session.held?.port ?? null;
  const port: WizardPort = {
    run,
    get facts(): RunFacts {
      return facts();
    },
    change: more.change,
    given: opened.given,
    history: readHistory,
    remember: addToHistory,
    ...needsPort(session),
    ...planPort(session),
    ...filesPort(session),
    ...startPort(session),
    ...othersPort(session),
    ...pagePort(session),
  };
  return ok({
    port,
    held: () => session.held,
    onLost: (listener) => {
      session.onLost = listener;
      if (session.held?.isLost()) listener();
    },
    next: () => session.next,
    begin: () => {
      if (run === null && session.held === null) void session.ready.host;
    },
    savedPrd: () => (session.held ? null : session.prdSaved),
    close: () => session.close(),
  });
}

/** What the run will be by flags and settings, as far as it is known now. */
function factsOf(session: Session): () => RunFacts {
  const { args, opened, overrides } = session;
  const { options, source, focus } = opened;
  const proposal = proposeTest(session.repo.root);
  let signs = false;
  void nextTurn().then(async () => {
    signs = await signsCommits(session.repo.root);
  });
  return () => {
    return {
      repo: session.repo.root,
      branch: session.repo.branch,
      base: session.repo.head,
      baseTitle: session.repo.title,
      model: options.model,
      geminiModel: session.geminiModel,
      maxAgents: options.maxAgents,
      maxIterations: options.maxIterations,
      timeoutMs: options.timeoutMs,
      land: options.land,
      setupCmd: options.setupCmd,
      agentCmd: options.agentCmd,
      copy: options.copy,
      testCommand: options.testCommand,
      // One that was ruled out is not proposed again.
      proposal: args.flags.withoutTest ? null : proposal,
      redBase: options.redBase ?? 'ask',
      budgetUsd: options.budgetUsd,
      review: options.review !== null,
      reviewModel: options.reviewModel,
      simulated: overrides.aider?.simulated ?? false,
      signs,
      focus,
      source,
    };
  };
}

type Files = Pick<
  WizardPort,
  'readText' | 'trackedFiles' | 'fileSize' | 'editorCommand' | 'scratchFile' | 'readScratch'
>;

/** Files of the repository and of the person, and the editor. */
function filesPort(session: Session): Files {
  return {
    readText: (file) => readText(file.replace(/^~(?=\/)/, homedir())),
    trackedFiles: () => [...session.repo.tracked.keys()],
    fileSize: (file) => {
      return unless(unreadable, null, () => statSync(path.join(session.repo.root, file)).size);
    },
    editorCommand: () => {
      const editor = environment()['VISUAL'] || environment()['EDITOR'] || 'vi';
      // By a shell, as git does it: an editor may come with arguments of its own.
      return { name: editor, file: '/bin/sh', args: ['-c', `${editor} "$@"`, editor] };
    },
    scratchFile: (name, text) => {
      session.scratch ??= mkdtempSync(path.join(tmpdir(), 'aider-orchestrator-'));
      const file = path.join(session.scratch, name);
      writeFileSync(file, text);
      return file;
    },
    readScratch: (file) => readFileSync(file, 'utf8'),
  };
}
