import type { MendAction, NeededKey, PrerequisiteToMend, WizardPort } from '../../app/ports.js';
import { type Prerequisite, warning } from '../../core/policy/prerequisite.js';
import { geminiKeyVariables, keyVariable } from '../../core/policy/providers.js';
import { ok } from '../../core/result.js';
import { geminiBaseUrl } from '../../services/gemini/base-url.js';
import { listModels } from '../../services/gemini/models.js';
import {
  changedTrackedFiles,
  openRepository,
  type Repository,
} from '../../services/git/repository.js';
import { git } from '../../services/git/run-git.js';
import { setVariable } from '../../services/machine/environment.js';
import { forgetDraft, readDraft, writeDraft } from '../../services/records/kept-draft.js';
import { isHere, readRecords } from '../../services/records/run-records.js';
import type { OpenedRun } from '../open-run.js';
import { modelKeyKnown } from '../prerequisites/model-key.js';
import { geminiKey, type Session } from './session.js';

type Needs = Pick<
  WizardPort,
  | 'prerequisites'
  | 'keys'
  | 'stash'
  | 'setIdentity'
  | 'keptDraft'
  | 'keepDraft'
  | 'setKey'
  | 'installAider'
  | 'geminiModels'
  | 'chooseGeminiModel'
>;

/** What is missing for a run, and what a person can do about it from the screen. */
export function needsPort(session: Session): Needs {
  const { opened, overrides } = session;
  const { source } = opened;
  return {
    prerequisites: async (model) => {
      const { findPrerequisites } = await import('../prerequisites/find.js');
      const { geminiModel } = session;
      await session.ready.lookAgainIfMissing();
      const found = await findPrerequisites(
        {
          repository: await openRepository(session.repo.root),
          options: ok({ ...opened.options, geminiModel, model }),
          planner: source.kind === 'planner',
          agents: true,
          isFinal: false,
          geminiKey: geminiKey(),
          handed: opened.handed,
          overrides,
          findAider: session.ready.findOnce,
        },
        'screen',
      );
      return [...found, ...otherRuns(session.repo)].map((one) => withAction(one, model));
    },
    keys: (model) => keysNow(session, model),
    ...gitPort(session),
    keptDraft: () => readDraft(session.repo.root),
    keepDraft: (draft) => {
      if (draft !== null)
        return writeDraft(session.repo.root, { ...draft, tasks: [...draft.tasks] });
      forgetDraft(session.repo.root);
      return true;
    },
    setKey: (variable, key) => {
      setVariable(variable, key);
      session.held?.setKey(variable, key);
    },
    installAider: async (onLine) => {
      // It brings node-pty, for which the first frame need not wait.
      const { setupAider } = await import('../../services/agents/aider/setup-aider.js');
      const done = await setupAider(onLine);
      if (done.ok) await session.ready.lookAgain();
      return done.ok ? ok(undefined) : done;
    },
    geminiModels: async () => {
      const key = geminiKey();
      if (key === null) return [];
      // Whatever fails there: then there is none to choose from.
      return listModels(geminiBaseUrl(), key, AbortSignal.timeout(10_000)).catch(
        (): string[] => [],
      );
    },
    chooseGeminiModel: (name) => {
      session.geminiModel = name;
    },
  };
}

/** What is mended in git. */
function gitPort(session: Session): Pick<Needs, 'stash' | 'setIdentity'> {
  return {
    stash: async () => {
      const changed = await changedTrackedFiles(session.repo.root);
      if (!changed.ok) return changed;
      if (changed.value.length === 0) return ok(false);
      const done = await git(session.repo.root, [
        'stash',
        'push',
        '--message',
        'before aider-orchestrator',
      ]);
      return done.ok ? ok(true) : done;
    },
    setIdentity: async (name, email) => {
      for (const [key, value] of [
        ['user.name', name],
        ['user.email', email],
      ] as const) {
        const done = await git(session.repo.root, ['config', '--local', key, value]);
        if (!done.ok) return done;
      }
      return ok(undefined);
    },
  };
}

/** The keys that are needed; a run that another process runs has that one's. */
function keysNow({ opened, held }: Session, model: string): NeededKey[] {
  return neededKeys(model, opened, opened.source.kind === 'planner').map((key) => {
    const isGemini = geminiKeyVariables.some((name) => name === key.variable);
    const names = isGemini ? geminiKeyVariables : [key.variable];
    const has = names.map((name) => held?.hasKey(name) ?? null);
    return has.includes(null) ? key : { ...key, isSet: has.includes(true) };
  });
}

/** The keys that this run needs, and whether they are there. */
function neededKeys(model: string, { options, handed }: OpenedRun, planner: boolean): NeededKey[] {
  const needed: NeededKey[] = [];
  const [gemini] = geminiKeyVariables;
  // A command has its own way to its model.
  const own = options.agentCmd === null ? keyVariable(model) : null;
  const isAider = own === gemini;
  const reviews = options.review?.model === null;
  if (planner || isAider || reviews) {
    const use = [
      ...(planner ? ['Gemini, which writes the PRD'] : []),
      ...(reviews ? ['Gemini, which reviews'] : []),
      ...(isAider ? [`Aider's model ${model}`] : []),
    ];
    const isSet = geminiKey() !== null;
    needed.push({ variable: gemini, use: use.join(' and '), isSet, isAider, isPlanner: planner });
  }
  if (own !== null && !isAider) {
    const isSet = modelKeyKnown({ ...options, model }, geminiKey(), handed);
    needed.push({
      variable: own,
      use: `Aider's model ${model}`,
      isSet,
      isAider: true,
      isPlanner: false,
    });
  }
  return needed;
}

/** Runs that go on in this checkout. */
function otherRuns(repo: Repository): Prerequisite[] {
  const { runs } = readRecords(repo);
  return runs
    .filter((run) => run.liveness === 'alive' && isHere(run, repo.root) && run.pid !== process.pid)
    .map((run) =>
      warning(
        'runs',
        `the run ${run.stamp} is open in this repository (process ${run.pid})`,
        'Both work on branches of their own; the one that lands later is merged onto the other, and tested, first.',
      ),
    );
}

function withAction(check: Prerequisite, model: string): PrerequisiteToMend {
  const action = (): MendAction | null => {
    if (check.state === 'ok') return null;
    if (check.name === 'Aider' && check.state === 'missing') return { kind: 'install' };
    if (check.name === 'changes') return { kind: 'stash' };
    if (check.name === 'identity') return { kind: 'identity' };
    const variable = keyVariable(model);
    if (check.name === 'model' && variable) return { kind: 'key', variable };
    if (check.name === 'review') return { kind: 'key', variable: geminiKeyVariables[0] };
    if (check.name !== 'Gemini' || /cannot be reached/.test(check.text)) return null;
    return /is gone/.test(check.text)
      ? { kind: 'gemini_model' }
      : { kind: 'key', variable: geminiKeyVariables[0] };
  };
  return { ...check, action: action() };
}
