import type { RedBase } from '../policy/test-report.js';
import type { TestCommand } from '../policy/test-run.js';

/** Everything a run was asked to do, decided before it starts. Plain JSON, without secrets. */
export interface RunConfig {
  /** `YYYYMMDD_HHMMSS`, unique in the repository; names branches and files. */
  readonly stamp: string;
  readonly change: string;
  /** Absolute path of the checkout. */
  readonly repo: string;
  /** Commit that all work starts from. */
  readonly base: string;
  /** Branch that landing fast-forwards; null when HEAD is detached. */
  readonly branch: string | null;
  readonly agent: AgentSpec;
  readonly model: string;
  readonly provider: string;
  readonly geminiModel: string;
  readonly maxAgents: number;
  readonly maxIterations: number;
  /** Wall clock per agent, milliseconds. */
  readonly timeoutMs: number;
  readonly land: LandRule;
  /** Files to focus on, relative to the repository; empty means all. */
  readonly files: readonly string[];
  readonly planSource: PlanSource;
  /** The command that prepares each worktree, by `sh -c`; null for none. */
  readonly setup: string | null;
  /** Globs of ignored files that each worktree gets. */
  readonly copy: readonly string[];
  /** Globs of files that stop an agent at once when it changes them. */
  readonly protect: readonly string[];
  /** The largest file that an agent may make or change; null for any size. */
  readonly maxFileBytes: number | null;
  /** Agents reach the provider by themselves, without a common rate limit. */
  readonly direct: boolean;
  /** How the work is checked; null lands it untested. */
  readonly testCommand: TestCommand | null;
  /** What is done when the tests fail on the base already; `ask`: a person is asked. */
  readonly redBase: RedBase | 'ask';
  /** Who reads the work before it counts; null for nobody. */
  readonly review: ReviewPlan | null;
  /** US dollars that the agents may cost; null for no limit. */
  readonly budgetUsd: number | null;
  /** True when no person is there to answer an agent's question. */
  readonly unattended: boolean;
  /** True when the agents are simulated, which is said wherever they are shown. */
  readonly simulated: boolean;
}

/** The agents of a run: what runs, and what it can do. */
export interface AgentSpec {
  readonly kind: 'aider' | 'command';
  /** What a person is told it is. */
  readonly name: string;
  /** Run by `sh -c` for each attempt; null where the kind knows what to run. */
  readonly command: string | null;
  /** A person can go on in a process of their own. */
  readonly takesOver: boolean;
  /** It tells what its turns use and cost. */
  readonly tellsCost: boolean;
  /** More arguments for it, in their order, for who begins the run anew; secrets come from where they came from. */
  readonly args: readonly AgentArgument[];
  /** Files that each of its processes reads beside those of its task, relative to the repository. */
  readonly read: readonly string[];
  /** Its processes are forked from one that is loaded once, where that is possible. */
  readonly warm: boolean;
}

/** An argument as it is given; one that holds a secret by the name of its option alone. */
export type AgentArgument = string | { readonly secret: string };

/** `ask`: as `all`, but a person looks first. */
export const landRules = ['all', 'any', 'ask', 'none'] as const;
export type LandRule = (typeof landRules)[number];

export interface ReviewPlan {
  /** A model of Aider's; null for the Gemini model of the PRD. */
  readonly model: string | null;
}

/** Where the tasks come from. A file's text is read and checked before the run starts. */
export type PlanSource =
  | { readonly kind: 'planner' }
  | { readonly kind: 'prd'; readonly path: string }
  | { readonly kind: 'plan'; readonly path: string; readonly prdPath: string | null }
  | { readonly kind: 'none' };
