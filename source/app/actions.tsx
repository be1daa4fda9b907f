import { createContext, type ReactNode, useContext, useLayoutEffect, useMemo, useRef } from 'react';
import type { ActionName, Context, Keymap } from './keymap.js';
import { useEnvironment, useInput } from './surface.js';
import type { MouseEvent } from './terminal/input.js';

/**
 * What a key does is data: keys, hints, help and the command palette are all made from it, so that none
 * of them offers what another refuses.
 */
export interface Action {
  /** @param key the key that asked for it; '' from the palette */
  readonly run: (key: string) => void;
  /** Why it is not to be had now, a clause without a full stop; null or left out when it is. */
  readonly refusal?: string | null;
  /** A word for the hint line, where the key table's does not say what it does now, such as 'resume'. */
  readonly hint?: string;
}

/** The names that belong to a context. */
export type NameOf<Where extends Context> = Extract<ActionName, `${Where}.${string}`>;

/** All actions of a context: none can be forgotten. */
export type ActionsOf<Where extends Context> = { readonly [Name in NameOf<Where>]: Action };

export type SomeActions = { readonly [Name in ActionName]?: Action };

/** The actions of one place of the screen, as they are whenever they are asked for. */
export interface Scope {
  readonly context: Context;
  actions(): SomeActions;
  /** Says something where the person looks. */
  say(text: string): void;
}

interface Scopes {
  readonly list: readonly Scope[];
  add(scope: Scope): () => void;
}

const ScopesContext = createContext<Scopes | null>(null);

/** Knows which actions there are on the screen, for help and the palette. */
export function ActionsProvider({ children }: { readonly children: ReactNode }) {
  const scopes = useMemo<Scopes>(() => {
    const list: Scope[] = [];
    return {
      list,
      add: (scope) => {
        list.push(scope);
        return () => void list.splice(list.indexOf(scope), 1);
      },
    };
  }, []);
  return <ScopesContext.Provider value={scopes}>{children}</ScopesContext.Provider>;
}

/** The places of the screen that have actions now, those within others first. */
export function useScopes(): readonly Scope[] {
  const scopes = useContext(ScopesContext);
  if (!scopes) throw new Error('no ActionsProvider around this component');
  return scopes.list;
}

export interface ActionsOptions {
  readonly context: Context;
  readonly actions: SomeActions;
  /** Where a refusal is said; what was said before is taken back with '' as an action runs. */
  readonly say: Say;
  readonly mouse?: (event: MouseEvent) => boolean;
}

/** Says something where the person looks. @param still whether it is so yet; without it, it always is */
export type Say = (text: string, still?: () => boolean) => void;

/** A refusal as a sentence. */
export function refusalWords(refusal: string): string {
  return `${refusal.charAt(0).toUpperCase()}${refusal.slice(1)}.`;
}

/** Does what an action is for, or says why not. */
export function perform(action: Action, key: string, say: Say, still?: () => boolean): void {
  const { refusal = null } = action;
  if (refusal === null) {
    say('');
    action.run(key);
  } else {
    say(refusalWords(refusal), still);
  }
}

/** Runs the actions of a context by the key table. */
export function useActions(options: ActionsOptions): void {
  const { context, actions, say, mouse } = options;
  const { keymap } = useEnvironment();
  const scopes = useContext(ScopesContext);
  const latest = useRef({ actions, say });
  latest.current = { actions, say };
  useLayoutEffect(
    () =>
      scopes?.add({
        context,
        actions: () => latest.current.actions,
        say: (text) => latest.current.say(text),
      }),
    [scopes, context],
  );
  useInput(
    {
      key: (key) => {
        const name = keymap.find(context, key.name);
        const action = name && actions[name];
        if (!action) return false;
        // A refusal is told as long as it is so.
        const { refusal } = action;
        perform(action, key.name, say, () => latest.current.actions[name]?.refusal === refusal);
        return true;
      },
      ...(mouse ? { mouse } : {}),
    },
    context === 'everywhere' ? 'everywhere' : {},
  );
}

/** The actions that can be had now, with a word for each, in the order of the names. */
export function hintsOf(
  actions: SomeActions,
  names: readonly ActionName[],
  keymap: Keymap,
): readonly (readonly [ActionName, string])[] {
  return [...new Set(names)].flatMap((name) => {
    const action = actions[name];
    if (!action || (action.refusal ?? null) !== null) return [];
    return [[name, action.hint ?? keymap.hint(name)] as const];
  });
}
