import type {
  Checkout,
  CommittedWork,
  DiffStat,
  PrepareFrom,
  StopSignal,
} from '../../core/agent/agent.js';
import type { Task } from '../../core/plan/plan.js';
import type { Failure } from '../../core/policy/failure.js';
import { faultOfError } from '../../core/policy/machine-fault.js';
import type { TestRun } from '../../core/policy/test-run.js';
import type {
  AgentToTest,
  ChangesSoFar,
  Merged,
  WorkProblem,
  Workspace,
  WorkToCommit,
} from '../../core/ports.js';
import { ok, type Result } from '../../core/result.js';
import { integrationBranch } from '../../core/run/branches.js';
import type { MergeItem, TestPlan } from '../../core/run/effect.js';
import type { Inspection, InspectionHints, Landing, Undone } from '../../core/run/run.js';
import { AgentCheckout, AgentRoom } from './agent-checkout.js';
import { CheckoutSite, type WorkspaceOptions } from './checkout-site.js';
import { ConflictRadar } from './conflict-radar.js';
import { land } from './land.js';
import { mergeCommits } from './merge.js';
import { git, gitText } from './run-git.js';
import { diffStat, showDiff, showPatch } from './snapshot.js';
import { testCommit } from './test-commit.js';
import { emptied } from './trash.js';
import { undoLanding } from './undo.js';

/** For the files of worktrees to be removed before the program ends; what is left then goes by itself. */
const patienceMs = 300;

/** The agents' work in git: worktrees, commits, merges, landing. */
export class GitWorkspace implements Workspace {
  private readonly site: CheckoutSite;
  private readonly radar: ConflictRadar;
  private readonly rooms = new Map<number, AgentRoom>();

  constructor(private readonly options: WorkspaceOptions) {
    this.site = new CheckoutSite(options);
    this.radar = new ConflictRadar(options.config.repo);
  }

  async prepare(
    agent: number,
    task: Task,
    from: PrepareFrom,
    setup: string | null,
  ): Promise<Result<Checkout, WorkProblem>> {
    const room = this.room(agent);
    room.stopped = false;
    this.radar.forget(agent);
    // The worktree of the round before may still be on its way out.
    await room.removing;
    const made = await AgentCheckout.make(this.site, room, this.radar, task, from, setup);
    if (!made.ok) return made;
    room.checkout = made.value;
    return ok(made.value.checkout);
  }

  interruptPrepare(agent: number, signal: StopSignal): void {
    this.room(agent).stopped = true;
    this.options.setup?.signal(agent, signal);
  }

  changesSoFar(
    agent: number,
    task: Task,
    checkout: Checkout,
    hints: Pick<InspectionHints, 'edited' | 'since'>,
  ): Promise<ChangesSoFar | null> {
    return this.checkout(agent, checkout).changesSoFar(task, hints);
  }

  inspect(
    agent: number,
    attempt: number,
    task: Task,
    checkout: Checkout,
    rollBack: boolean,
    hints: InspectionHints,
  ): Promise<Inspection> {
    return this.checkout(agent, checkout).inspect(attempt, task, rollBack, hints);
  }

  commit(work: WorkToCommit): Promise<Result<CommittedWork, WorkProblem>> {
    return this.checkout(work.agent, work.checkout).commit(work);
  }

  /** The agent's change so far as a patch with its stat before it, for people. */
  diff(agent: number, checkout: Checkout): Promise<Result<string, Failure>> {
    return this.checkout(agent, checkout).diff();
  }

  patch(agent: number, checkout: Checkout): Promise<Result<string, Failure>> {
    return this.checkout(agent, checkout).patch();
  }

  patchOf(commit: string): Promise<Result<string, Failure>> {
    const { repo, base } = this.options.config;
    return showPatch(repo, base, commit);
  }

  /** What a committed agent has changed, as a patch with its stat before it, for people. */
  committedDiff(commit: string): Promise<Result<string, Failure>> {
    return showDiff(this.options.config.repo, `${commit}^`, commit);
  }

  testCommit(commit: string, tests: TestPlan, signal: AbortSignal): Promise<TestRun> {
    return testCommit(this.site, commit, tests, signal);
  }

  testAgent(agent: AgentToTest, signal: AbortSignal): Promise<TestRun> {
    return this.checkout(agent.agent, agent.checkout).test(agent, signal);
  }

  merge(onto: string, { agent, title, commit }: MergeItem): Promise<Result<Merged, Failure>> {
    const message = `Merge agent ${agent}: ${title}\n`;
    return mergeCommits(this.options.config.repo, onto, commit, message);
  }

  async advance(commit: string): Promise<Result<DiffStat, Failure>> {
    const { repo, base, stamp } = this.options.config;
    const branch = `refs/heads/${integrationBranch(stamp)}`;
    if (this.options.isOver && (await this.hasAllOf(branch, commit))) {
      // Where a journal has lost its end, more is merged than it tells of.
      return diffStat(repo, base, commit);
    }
    const set = await git(repo, ['update-ref', branch, commit]);
    return set.ok ? diffStat(repo, base, commit) : set;
  }

  /** Whether all work of a commit, in whatever order it was merged, is in a branch that is there. */
  private async hasAllOf(branch: string, commit: string): Promise<boolean> {
    const { repo } = this.options.config;
    const args = ['rev-list', '--no-merges', '--max-count=1', commit, `^${branch}`, '--'];
    const lacking = await gitText(repo, args, { answers: [128] });
    const there = await gitText(repo, ['rev-parse', '--verify', '--quiet', branch], {
      answers: [1],
    });
    return there.ok && there.value !== '' && lacking.ok && lacking.value === '';
  }

  /** One run after the other: who comes later is told by whom its branch was moved. */
  land(commit: string, from: string): Promise<Landing> {
    const { config, landLater, neighbours } = this.options;
    return neighbours.inTurn(async () => {
      const landing = await land({
        repo: config.repo,
        base: from,
        branch: config.branch,
        commit,
        merged: integrationBranch(config.stamp),
        later: landLater,
      });
      if (landing.state === 'landed') this.noteLanding(commit, from);
      if (landing.state !== 'refused' || landing.tip === undefined) return landing;
      const by = neighbours.landedBetween(from, landing.tip);
      return by.length === 0 ? landing : { ...landing, by };
    });
  }

  private noteLanding(commit: string, from: string): void {
    const { record, warn } = this.options;
    try {
      record.landed(commit, from);
    } catch (error) {
      if (faultOfError(error) === null) throw error;
      warn?.(`The landing could not be recorded: ${(error as Error).message}.`);
    }
  }

  mergeOntoTip(tip: string, commit: string): Promise<Result<Merged, Failure>> {
    const { repo, stamp, branch } = this.options.config;
    const message = `Merge ${integrationBranch(stamp)} into ${branch ?? 'HEAD'}\n`;
    return mergeCommits(repo, tip, commit, message);
  }

  async undoLanding(commit: string, from: string): Promise<Undone> {
    const { repo, stamp, branch } = this.options.config;
    if (branch === null) return { state: 'refused', reason: 'HEAD was detached', how: '' };
    return undoLanding({ repo, stamp, base: from, branch, commit });
  }

  /** Resolves when all worktrees that are done with are gone; files of large ones may take longer. */
  async settled(): Promise<void> {
    await this.site.left();
    await Promise.all([...this.rooms.values()].map((room) => room.checkout?.settled()));
    this.site.removeObjects();
    await emptied(patienceMs);
  }

  private room(agent: number): AgentRoom {
    const known = this.rooms.get(agent);
    if (known) return known;
    const room = new AgentRoom(agent);
    this.rooms.set(agent, room);
    return room;
  }

  /** The agent's worktree, which a program before this one may have made. */
  private checkout(agent: number, checkout: Checkout): AgentCheckout {
    const room = this.room(agent);
    if (room.checkout?.checkout.worktree !== checkout.worktree) {
      room.checkout = AgentCheckout.reopen(this.site, room, this.radar, checkout);
    }
    return room.checkout;
  }
}
