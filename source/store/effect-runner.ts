import { type Agent, type AttemptExit, committedWork, type Usage } from '../core/agent.js';
import { measureOf } from '../core/agent-judging.js';
import { describe, type Failure } from '../core/failure.js';
import type { Task } from '../core/plan.js';
import type {
  AgentBackend,
  AttemptHandle,
  Merged,
  MergeItem,
  Reviewer,
  Workspace,
} from '../core/ports.js';
import { type Result, unreachable } from '../core/result.js';
import { type Criterion, noReview, type Review, readReview, reviewPrompt } from '../core/review.js';
import type { Effect, Landing, MadePlan, RunState, TipMerge } from '../core/run.js';
import { isAccepted, testsNamedIn, withoutNames } from '../core/test-report.js';
import { integrateBatch, testTwice } from './integrate.js';
import type { Dispatch } from './run-store.js';

/** The ports of a run. */
export interface Ports {
  readonly workspace: Workspace;
  readonly backend: AgentBackend;
  /** Null when nobody reads the work. */
  readonly reviewer: Reviewer | null;
  /** Makes the plan of this run, by whatever it was asked to. */
  readonly plan: (signal: AbortSignal) => Promise<Result<MadePlan, Failure>>;
  /** Asks a person whether the plan may be run; resolves at once when nobody is to be asked. */
  readonly confirm: (state: RunState) => Promise<boolean>;
}

/** From a fact that edits may be on disk to the look at them, milliseconds. */
const lookMs = 400;

/**
 * Carries out effects by the ports and answers with messages.
 * @param state the state as it is now
 * @param onFinish called when the run has ended and nothing of it is under way
 */
export function createEffectRunner(ports: Ports, state: () => RunState, onFinish: () => void) {
  const { workspace, backend } = ports;
  const planning = new AbortController();
  const handles = new Map<number, AttemptHandle>();
  /** Ends the start of an attempt that has no process yet. */
  const starting = new Map<number, AbortController>();
  /** Ends the checks and the review of an agent or, by null, of the base and the merged work. */
  const stops = new Map<number | null, AbortController>();
  const stoppable = (key: number | null): AbortSignal => {
    const stop = new AbortController();
    stops.set(key, stop);
    return stop.signal;
  };
  const timers = new Set<NodeJS.Timeout>();
  const looks = new Map<number, NodeJS.Timeout>();
  const agentOf = (index: number): Agent => {
    const agent = state().agents[index];
    if (!agent) throw new Error(`no agent ${index}`);
    return agent;
  };

  return (effect: Effect, dispatch: Dispatch): void => {
    switch (effect.type) {
      case 'make_plan':
        background(async () => {
          const made = await ports.plan(planning.signal);
          dispatch(
            made.ok
              ? { type: 'plan_made', plan: made.value }
              : { type: 'plan_failed', failure: made.failure },
          );
        });
        return;
      case 'confirm_plan':
        background(async () => {
          const yes = await ports.confirm(state());
          dispatch({ type: yes ? 'plan_confirmed' : 'plan_declined' });
        });
        return;
      case 'cancel_planning':
        planning.abort();
        return;
      case 'prepare_agent':
        background(async () => {
          const { agent } = effect;
          const made = await workspace.prepare(agent, agentOf(agent).task, effect);
          dispatch(
            made.ok
              ? { type: 'agent_prepared', agent, place: made.value }
              : { type: 'agent_not_prepared', agent, ...made.failure },
          );
        });
        return;
      case 'start_attempt':
        background(() => startAttempt(effect, dispatch));
        return;
      case 'signal_agent': {
        const handle = handles.get(effect.agent);
        const start = starting.get(effect.agent);
        if (handle) handle.signal(effect.signal);
        else if (start) start.abort();
        else workspace.interruptPrepare(effect.agent, effect.signal);
        return;
      }
      case 'type_into_agent':
        handles.get(effect.agent)?.type(effect.text);
        return;
      case 'inspect_attempt':
        background(async () => {
          const { agent, place, rollBack, hints } = effect;
          const { task } = agentOf(agent);
          const inspection = await workspace.inspect(agent, task, place, rollBack, hints);
          dispatch({ type: 'attempt_inspected', agent, inspection });
        });
        return;
      case 'commit_agent':
        background(async () => {
          const { agent, place, finished } = effect;
          const done = await workspace.commit(agent, agentOf(agent).task, place, finished);
          dispatch(
            done.ok
              ? { type: 'agent_committed', agent, work: done.value }
              : { type: 'agent_not_committed', agent, ...done.failure },
          );
        });
        return;
      case 'check_base':
        background(async () => {
          const signal = stoppable(null);
          const once = (commit: string) => workspace.checkCommit(commit, signal);
          const check = await testTwice(once, effect.commit);
          dispatch({ type: 'base_checked', check });
        });
        return;
      case 'check_agent':
        background(async () => {
          const { agent, place } = effect;
          const { task } = agentOf(agent);
          const check = await workspace.checkAgent(agent, task, place, stoppable(agent));
          dispatch({ type: 'agent_checked', agent, check: withoutNames(check) });
        });
        return;
      case 'review_agent':
        background(async () => {
          const { agent, place, criteria } = effect;
          const patch = await workspace.patch(agent, place);
          const { task } = agentOf(agent);
          dispatch({
            type: 'agent_reviewed',
            agent,
            ...(await read(agent, criteria, task, patch)),
          });
        });
        return;
      case 'supervise':
        background(async () => {
          const { commit, criteria } = effect;
          const patch = await workspace.patchOf(commit);
          dispatch({ type: 'supervised', commit, ...(await read(null, criteria, null, patch)) });
        });
        return;
      case 'stop_check':
        stops.get(effect.agent)?.abort();
        return;
      case 'look_at_agent':
        lookSoon(effect, dispatch);
        return;
      case 'start_timer': {
        const timer = setTimeout(() => {
          timers.delete(timer);
          dispatch({ type: 'timer_fired', timer: effect.timer });
        }, effect.ms);
        timers.add(timer);
        return;
      }
      case 'integrate':
        background(async () => {
          const signal = stoppable(null);
          const done = await integrateBatch(
            {
              merge: (onto, item) => workspace.merge(onto, item),
              advance: (commit) => workspace.advance(commit),
              check: async (commit) =>
                withoutNames(await workspace.checkCommit(commit, signal), namedTests(state())),
              accepts: (result) => isAccepted(measureOf(state()), result),
            },
            effect.check,
            state().config.base,
            effect.onto,
            effect.order.map((index) => mergeItem(state(), index)),
          );
          dispatch(
            done.ok
              ? { type: 'integrated', step: done.value }
              : { type: 'integration_failed', failure: done.failure },
          );
        });
        return;
      case 'land':
        background(async () => {
          const set = effect.advance ? await workspace.advance(effect.commit) : null;
          const landing: Landing =
            set && !set.ok
              ? { state: 'refused', reason: describe(set.failure).message, how: '' }
              : await workspace.land(effect.commit, effect.from);
          dispatch({ type: 'landing_done', landing });
        });
        return;
      case 'merge_onto_tip':
        background(async () => {
          const merged = await workspace.mergeOntoTip(effect.tip, effect.commit);
          dispatch({ type: 'tip_merged', merged: tipMerge(merged) });
        });
        return;
      case 'check_tip':
        background(async () => {
          const signal = stoppable(null);
          const result = await workspace.checkCommit(effect.commit, signal);
          const check = withoutNames(result, namedTests(state()));
          dispatch({ type: 'tip_checked', check });
        });
        return;
      case 'undo_landing':
        background(async () => {
          dispatch({
            type: 'landing_undone',
            undone: await workspace.undoLanding(effect.commit, effect.from),
          });
        });
        return;
      case 'finish':
        for (const timer of [...timers, ...looks.values()]) clearTimeout(timer);
        timers.clear();
        looks.clear();
        onFinish();
        return;
      default:
        unreachable(effect);
    }
  };

  /** Has a change read; whatever keeps that from happening, nobody can tell. */
  async function read(
    key: number | null,
    criteria: readonly Criterion[],
    task: Task | null,
    patch: Result<string, Failure>,
  ): Promise<{ review: Review; usage: Usage | null }> {
    const none = (why: string) => ({ review: noReview(criteria, why), usage: null });
    if (!patch.ok) return none(describe(patch.failure).message);
    const prompt = reviewPrompt(criteria, task, patch.value);
    const answer = await ports.reviewer?.review(prompt, stoppable(key));
    if (!answer) return none('there is no reviewer');
    if (!answer.ok) return none(describe(answer.failure).message);
    const { text, model, usage } = answer.value;
    return { review: readReview(text, criteria, patch.value, model), usage };
  }

  /** Aider writes its edits right after the event that led here, so a moment is given to it. */
  function lookSoon(effect: Effect & { type: 'look_at_agent' }, dispatch: Dispatch): void {
    const { agent, place } = effect;
    const before = looks.get(agent);
    if (before) clearTimeout(before);
    const timer = setTimeout(() => {
      looks.delete(agent);
      background(async () => {
        const edited = handles.get(agent)?.edited() ?? [];
        const { task } = agentOf(agent);
        const seen = await workspace.look(agent, task, place, { edited, since: effect.since });
        if (seen) dispatch({ type: 'agent_touched', agent, ...seen });
      });
    }, lookMs);
    looks.set(agent, timer);
  }

  async function startAttempt(
    effect: Effect & { type: 'start_attempt' },
    dispatch: Dispatch,
  ): Promise<void> {
    const { agent, attempt, place, message } = effect;
    const giveUp = new AbortController();
    starting.set(agent, giveUp);
    const started = await backend.start(
      {
        agent,
        attempt,
        place,
        message,
        task: agentOf(agent).task,
        alsoRead: agentOf(agent).alsoRead,
        prdPath: state().prdPath,
      },
      {
        aiderEvent: (event) => dispatch({ type: 'aider_event', agent, event }),
        asks: (question) => dispatch({ type: 'agent_asks', agent, question }),
        goesOn: () => dispatch({ type: 'agent_goes_on', agent }),
        exited: (exit) => {
          handles.delete(agent);
          dispatch({ type: 'attempt_exited', agent, exit });
        },
      },
      giveUp.signal,
    );
    starting.delete(agent);
    if (giveUp.signal.aborted) {
      // As one that was ended in its first moment.
      dispatch({ type: 'attempt_exited', agent, exit: neverRan });
    } else if (started.ok) {
      handles.set(agent, started.value);
      dispatch({ type: 'attempt_started', agent, pid: started.value.pid });
    } else {
      dispatch({ type: 'attempt_not_started', agent, ...started.failure });
    }
  }
}

/** The exit of a process that was ended before there was one. */
const neverRan: AttemptExit = {
  code: null,
  signal: 'SIGTERM',
  texts: [],
  edited: [],
  named: [],
  edits: false,
  flaw: null,
  cause: null,
};

/** Runs an effect beside the loop. What it throws is a bug, and must not pass unseen. */
function background(work: () => Promise<void>): void {
  void work().catch((error: unknown) => {
    queueMicrotask(() => {
      throw error;
    });
  });
}

function mergeItem(state: RunState, index: number): MergeItem {
  const agent = state.agents[index] as Agent;
  const byTask = new Map(state.agents.map((other) => [other.task.id, other.index]));
  return {
    agent: index,
    title: agent.task.title,
    // A success has changed something, so it has a commit.
    commit: committedWork(agent)?.commit as string,
    needs: agent.task.depends_on.flatMap((id) => byTask.get(id) ?? []),
  };
}

/** Whether the merged work goes onto the tip of its branch. */
function tipMerge(merged: Result<Merged, Failure>): TipMerge {
  if (!merged.ok) return { state: 'refused', reason: describe(merged.failure).message };
  return merged.value.clean
    ? { state: 'merged', commit: merged.value.commit }
    : { state: 'refused', reason: `conflicts in ${merged.value.files.join(', ')}` };
}

/** Tests that the PRD's criteria point at. */
function namedTests({ criteria }: RunState): string[] {
  return criteria.flatMap(({ text }) => testsNamedIn(text));
}
