import type { Handlers, Ports } from './handlers.js';

type Planning = 'make_plan' | 'confirm_plan' | 'cancel_planning';

/** The plan: made, confirmed, given up. */
export function planningHandlers({ plan, confirm }: Ports): Handlers<Planning> {
  const planning = new AbortController();
  return {
    make_plan: async (_, dispatch) => {
      const made = await plan(planning.signal);
      dispatch(
        made.ok
          ? { type: 'plan_made', plan: made.value }
          : { type: 'plan_failed', failure: made.failure },
      );
    },
    confirm_plan: async (_, dispatch) => {
      const yes = await confirm();
      dispatch({ type: yes ? 'plan_confirmed' : 'plan_declined' });
    },
    cancel_planning: () => planning.abort(),
  };
}
