import { type ReactNode, useEffect, useRef } from 'react';
import type { RunState } from '../core/run/run.js';
import { progressOf } from '../view/agent-facts.js';
import { useRunState } from './hooks.js';
import type { RunPort } from './ports.js';
import { useEnvironment } from './surface.js';

/** Rings when an agent asks and when the run ends, and tells the progress in the window's title. */
export function WithNotices({
  run,
  children,
}: {
  readonly run: RunPort;
  readonly children: ReactNode;
}) {
  const { surface } = useEnvironment();
  const state = useRunState(run);
  const before = useRef<RunState>(state);
  useEffect(() => {
    const was = before.current;
    before.current = state;
    for (const agent of state.agents) {
      const asks =
        agent.state.name === 'asking' && was.agents[agent.index]?.state.name !== 'asking';
      if (asks) surface.ring(`agent${agent.index} asks: ${agent.task.title}`);
    }
    if (state.phase === 'finished' && was.phase !== 'finished') surface.ring('The run has ended');
    const { done, failed } = progressOf(state);
    const failures = failed > 0 ? `, ${failed} failed` : '';
    const end = state.phase === 'finished' ? ' - finished' : '';
    surface.setTitle(`aider-orchestrator ${done}/${state.agents.length}${failures}${end}`);
  }, [state, surface]);
  return <>{children}</>;
}
