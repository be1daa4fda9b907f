import type { AgentBackend } from '../../core/ports.js';
import { agentKinds } from '../../services/agents/agent-kinds.js';
import { type Identity, unwrittenIdentity } from '../../services/git/repository.js';
import { environment } from '../../services/machine/environment.js';
import { type OpenProvider, openProvider } from '../../services/provider/open-provider.js';
import type { RateFacts } from '../../services/provider/rate-limiter.js';
import type { Terminals } from '../../services/pty/terminals.js';
import type { Ports } from '../../store/effect-runner.js';
import type { ComposedRun } from './compose-run.js';
import type { LiveRunOptions } from './live-run-options.js';
import { reviewerOf } from './reviewer.js';

/** What runs the agents of a run and reads their work. */
export class RunServices {
  private provider: OpenProvider | null = null;
  private identity: Identity | null = null;
  private opening: Promise<void> | null = null;

  constructor(
    private readonly options: LiveRunOptions,
    private readonly terminals: Terminals,
    private readonly clock: () => number,
  ) {}

  portsFor(own: ComposedRun): Omit<Ports, 'workspace'> {
    const { config, run, confirm } = this.options;
    return {
      backend: this.backend(own),
      reviewer:
        config.review && reviewerOf(config, config.review, run, this.keyNow, () => this.provider),
      plan: async (signal) => {
        await this.open(own);
        const made = await this.options.plan(signal);
        if (made.ok) await run.knowledge.writeMapFor(made.value.tasks, this.options.paths.repoMap);
        return made;
      },
      confirm,
    };
  }

  /** Makes ready what agents need before the first of them starts; once. */
  open(own: ComposedRun): Promise<void> {
    this.opening ??= this.openOnce(own);
    return this.opening;
  }

  private async openOnce(own: ComposedRun): Promise<void> {
    const { config } = this.options;
    this.identity = await unwrittenIdentity(config.repo);
    if (!config.direct) await this.openProvider(own);
  }

  async close(): Promise<void> {
    await this.provider?.close();
  }

  private readonly keyNow = () => this.options.geminiKey?.() ?? this.options.run.geminiKey;

  private backend({ recorder, state }: ComposedRun): AgentBackend {
    const { config, run, paths, warn } = this.options;
    return agentKinds[config.agent.kind].open({
      command: config.agent.command,
      launcher: run.launcher,
      executable: run.aider?.command[0] ?? 'aider',
      geminiKey: this.keyNow,
      identity: () => this.identity,
      // The rate limiter stands before one provider; a model of another one reaches its own by itself.
      provider: () => (state()?.config.provider === config.provider ? this.provider : null),
      terminals: this.terminals,
      onEvent: (agent, event) => recorder.agentLogs.own(agent, event, this.clock() / 1000),
      extra: run.agentArgs,
      read: config.agent.read,
      repo: config.repo,
      paths,
      repoMap: () => run.knowledge.mapFile,
      onWarning: warn,
    });
  }

  private async openProvider({ state, dispatch }: ComposedRun): Promise<void> {
    const { config } = this.options;
    const mostRequests = () => state()?.slots ?? config.maxAgents;
    const onRate = ({ window, waiting, until }: RateFacts) => {
      const felt = until !== null || window < mostRequests();
      dispatch({ type: 'rate_changed', rate: felt ? { window, waiting, until } : null });
    };
    this.provider = await openProvider(config.model, environment(), mostRequests, onRate);
  }
}
