// Longer than 300 lines: the way from screen to screen, not divided yet.
import { Box } from 'ink';
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { isDone } from '../core/agent/agent.js';
import { describe } from '../core/policy/failure.js';
import type { RunState } from '../core/run/run.js';
import { progressOf } from '../view/agent-facts.js';
import { ActionsProvider, type Scope, useActions, useScopes } from './actions.js';
import { DialogProvider, useDialogs } from './components/dialogs.js';
import { Line } from './components/line.js';
import { DialogEditor, useEditor } from './editor.js';
import { useRunState } from './hooks.js';
import { keyLabel } from './keymap.js';
import { least } from './layout.js';
import type { RunPort, WizardPort } from './ports.js';
import { ChangeScreen } from './screens/change.js';
import { GroupsScreen } from './screens/groups.js';
import { PrdScreen } from './screens/prd.js';
import { RunScreen } from './screens/run.js';
import { StartScreen } from './screens/start.js';
import { SummaryScreen } from './screens/summary.js';
import {
  type AppEnvironment,
  EnvironmentProvider,
  useEnvironment,
  useInput,
  useSize,
} from './surface.js';
import { cut } from './text/graphemes.js';
import { useWizard, type Wizard } from './wizard.js';

/** The screens in their order; a wizard step is one entry here and one in `Screens`. */
export const screenNames = ['change', 'prd', 'groups', 'start', 'run', 'summary'] as const;
export type ScreenName = (typeof screenNames)[number];

export interface AppProps {
  readonly environment: AppEnvironment;
  readonly wizard: WizardPort;
  /** The person has left. */
  readonly onExit: () => void;
}

/** The whole application: from the change to the summary. */
export function App({ environment, wizard, onExit }: AppProps) {
  return (
    <EnvironmentProvider value={environment}>
      <Frame>
        <ActionsProvider>
          <WithEditor port={wizard}>
            <DialogProvider>
              <Screens port={wizard} onExit={onExit} />
            </DialogProvider>
          </WithEditor>
        </ActionsProvider>
      </Frame>
    </EnvironmentProvider>
  );
}

/** The fields of dialogs can use the person's editor; that it failed is seen by the text, which stays. */
function WithEditor(props: { readonly port: WizardPort; readonly children: ReactNode }) {
  const openEditor = useEditor(props.port, () => {});
  return <DialogEditor value={openEditor}>{props.children}</DialogEditor>;
}

/** The terminal's size, and a sentence where that is too small for anything. */
function Frame({ children }: { readonly children: ReactNode }) {
  const { cols, rows } = useSize();
  const small = cols < least.cols || rows < least.rows;
  return (
    <Box width={cols} height={rows} overflow="hidden">
      {/* What is behind stays alive, so that nothing typed is lost. */}
      <Box display={small ? 'none' : 'flex'} width={cols} height={rows}>
        {children}
      </Box>
      {small && (
        <Box width={cols} height={1} overflow="hidden">
          <Line>
            {cut(`Too small (${cols}x${rows}): ${least.cols}x${least.rows} is needed.`, cols)}
          </Line>
        </Box>
      )}
    </Box>
  );
}

interface ScreensProps {
  readonly port: WizardPort;
  readonly onExit: () => void;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
function Screens({ port, onExit }: ScreensProps) {
  const { now } = useEnvironment();
  const dialogs = useDialogs();
  const wizard = useWizard(port, now);
  const [screen, setScreen] = useState<ScreenName>('change');
  const [run, setRun] = useState<RunPort | null>(null);
  const starting = useRef(false);
  const keep = useKeptDraft(port, wizard, run !== null);
  const leave = useQuit(
    run,
    () => wizard.change.text.trim() !== '',
    keep,
    () => {
      wizard.cancel();
      const typed = wizard.change.text.trim();
      if (run === null && typed !== '') port.remember(typed);
      onExit();
    },
  );
  // A run that is being started is there in a moment, and then can be stopped in good order.
  const quit = () => {
    if (!starting.current) leave();
  };
  useGlobalActions(quit);

  const { facts, given } = port;
  /** Groups without a PRD, those there are if they are of this change; a PRD that is there can be restored. */
  const withoutPrd = () => {
    const { draft, draftChange, change } = wizard;
    if (draft?.prd !== '' || draftChange !== change.text.trim()) wizard.withoutPrd();
    setScreen('groups');
  };
  const planned = async () => {
    const same = wizard.draft !== null && wizard.draftChange === wizard.change.text.trim();
    const make = () => {
      setScreen('prd');
      void wizard.make(null);
    };
    const again = (what: string, make: () => void, keep: () => void) =>
      dialogs.open({
        kind: 'choose',
        title: `The ${what} made for another change`,
        items: ['Make it again', 'Keep it as it is'],
        onDone: (index) => (index === 0 ? make() : keep()),
      });
    const groups = () => setScreen('groups');
    if (facts.source.kind === 'none') {
      const split = () => {
        wizard.withoutPrd();
        groups();
      };
      if (!wizard.draft) split();
      else if (same) groups();
      else again('groups were', split, groups);
    } else if (given && 'tasks' in given) {
      groups();
    } else if (given && 'prd' in given) {
      if (wizard.draft && wizard.draft.tasks.length === 0) await wizard.takePrd(given.prd, true);
      setScreen('prd');
    } else if (!wizard.draft) make();
    else if (same) setScreen('prd');
    else again('PRD was', make, () => setScreen('prd'));
  };
  const start = async (): Promise<string | null> => {
    if (!wizard.draft) return 'There is no plan.';
    starting.current = true;
    const { change, draft, maxAgents, choices } = wizard;
    const started = await port.start(change.text.trim(), draft, maxAgents, choices);
    starting.current = false;
    if (!started.ok) return describe(started.failure).message;
    setRun(started.value);
    setScreen('run');
    // From here on the run's own records keep it.
    port.keepDraft(null);
    return null;
  };
  /** The draft is as it was left. */
  const backToStart = async () => {
    starting.current = true;
    await port.giveUp();
    keep();
    starting.current = false;
    setScreen('start');
    setRun(null);
  };
  const noPrd = wizard.draft?.prd === '';
  switch (screen) {
    case 'change':
      return (
        <ChangeScreen
          port={port}
          wizard={wizard}
          onNext={() => void planned()}
          onWithoutPrd={withoutPrd}
          onQuit={quit}
        />
      );
    case 'prd':
      return (
        <PrdScreen
          port={port}
          wizard={wizard}
          onNext={() => setScreen('groups')}
          onWithoutPrd={withoutPrd}
          onBack={() => setScreen('change')}
        />
      );
    case 'groups':
      return (
        <GroupsScreen
          port={port}
          wizard={wizard}
          onNext={() => setScreen('start')}
          onBack={() => setScreen(noPrd && facts.source.kind !== 'planner' ? 'change' : 'prd')}
        />
      );
    case 'start':
      return (
        <StartScreen
          port={port}
          wizard={wizard}
          onStart={start}
          onBack={() => setScreen('groups')}
        />
      );
    case 'run':
      return (
        run && (
          <WithNotices run={run}>
            <RunScreen
              port={port}
              run={run}
              onSummary={() => setScreen('summary')}
              onStartAgain={() => void backToStart()}
              onQuit={quit}
            />
          </WithNotices>
        )
      );
    case 'summary':
      return (
        run && (
          <WithNotices run={run}>
            <SummaryScreen port={port} run={run} onBack={() => setScreen('run')} onQuit={quit} />
          </WithNotices>
        )
      );
  }
}

/** What can be done wherever nothing else takes the key; and a word about keys that do nothing. */
function useGlobalActions(quit: () => void): void {
  const { surface, keymap, theme } = useEnvironment();
  const dialogs = useDialogs();
  const scopes = useScopes();
  const screen = () =>
    scopes.find(({ context }) => context !== 'everywhere' && context !== 'viewer');
  const say = (text: string) => screen()?.say(text);
  useActions({
    context: 'everywhere',
    actions: {
      help: {
        run: () =>
          void dialogs.open({
            kind: 'help',
            scopes: scopes.map(frozen),
            typing: screen()?.context === 'change',
          }),
      },
      palette: {
        run: () => void dialogs.open({ kind: 'palette', scopes: [...scopes] }),
        refusal: dialogs.isOpen ? 'a dialog is open' : null,
      },
      quit: { run: quit },
      suspend: { run: () => surface.suspend() },
    },
    say,
  });
  // After all others.
  useInput(
    {
      key: ({ name }) => {
        const help = keyLabel(keymap.keys('help').at(-1) ?? '', theme.unicode);
        say(`${keyLabel(name, theme.unicode)} does nothing here. ${help} shows the keys.`);
        return true;
      },
    },
    'everywhere',
  );
}

/** A place with its actions as they are now: what opens above it changes what can be had. */
function frozen(scope: Scope): Scope {
  const actions = scope.actions();
  return { ...scope, actions: () => actions };
}

/** How long typing rests before the draft is written, milliseconds. */
const keepMs = 300;

/** Offers the draft that was left the last time, and keeps this one. @returns keeps it now; false where that failed */
function useKeptDraft(port: WizardPort, wizard: Wizard, hasRun: boolean): () => boolean {
  const dialogs = useDialogs();
  const [kept] = useState(() =>
    port.change === '' && port.given === null ? port.keptDraft() : null,
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once
  useEffect(() => {
    if (kept === null) return;
    const [first = ''] = kept.change.trim().split('\n', 1);
    const parts = [
      ...(kept.prd === '' ? [] : ['its PRD']),
      ...(kept.tasks.length === 0 ? [] : [`${kept.tasks.length} groups`]),
    ];
    const what =
      parts.length === 0
        ? 'The change you typed is here'
        : `The change with ${parts.join(' and ')} is here`;
    dialogs.open({
      kind: 'choose',
      title: 'Continue where you left off?',
      lines: [`${what}: ${first}`],
      items: ['Continue with it', 'Start with an empty change'],
      onDone: (index) => (index === 0 ? wizard.takeKept(kept) : port.keepDraft(null)),
    });
  }, []);
  const latest = useRef(wizard);
  latest.current = wizard;
  const keep = () => {
    const { change, draft, draftChange, maxAgents } = latest.current;
    // Nothing has been typed yet: what was left the last time stays.
    if (change.text.trim() === '' && draft === null) return true;
    return port.keepDraft({
      change: change.text,
      prd: draft?.prd ?? '',
      tasks: draft?.tasks ?? [],
      model: draft?.model ?? null,
      draftChange,
      maxAgents,
    });
  };
  const isRun = useRef(hasRun);
  isRun.current = hasRun;
  // biome-ignore lint/correctness/useExhaustiveDependencies: as the screen is closed, in whatever way
  useLayoutEffect(
    () => () => {
      // A run's own records keep it from its start on.
      if (!isRun.current) keep();
    },
    [],
  );
  const { change, draft, maxAgents } = wizard;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever one of these has changed
  useEffect(() => {
    if (hasRun) return;
    const timer = setTimeout(keep, keepMs);
    return () => clearTimeout(timer);
  }, [change.text, draft, maxAgents, hasRun]);
  return keep;
}

/**
 * Leaves: at once when nothing would be lost, else after asking; asked again while it asks, at once. What
 * is left to do then, such as keeping the agents' work, is done and told without the screen.
 * @param typed whether a text would be left behind
 * @param keep writes the draft; false where that failed
 */
function useQuit(
  run: RunPort | null,
  typed: () => boolean,
  keep: () => boolean,
  onExit: () => void,
): () => void {
  const dialogs = useDialogs();
  const { keymap } = useEnvironment();
  /** Closes the question; null while it is not asked. */
  const asked = useRef<(() => void) | null>(null);
  useEffect(() => {
    if (!run) return;
    return run.subscribe(() => {
      // The question has answered itself; no other dialog is touched.
      if (run.state().phase !== 'finished') return;
      asked.current?.();
      asked.current = null;
    });
  }, [run]);
  useEffect(() => {
    if (!dialogs.isOpen) asked.current = null;
  }, [dialogs.isOpen]);
  return () => {
    if (!run) {
      if (!typed() || asked.current) return onExit();
      asked.current = dialogs.open({
        kind: 'confirm',
        title: 'Quit?',
        lines: [
          'Nothing has been started.',
          keep()
            ? 'The draft is kept, and the next start here offers it.'
            : 'The draft could not be written, and will be lost.',
        ],
        yes: 'quit',
        onYes: onExit,
      });
      return;
    }
    if (run.state().phase === 'finished') return onExit();
    const stop = () => {
      run.dispatch({ type: 'interrupt', signal: 'SIGINT' });
      onExit();
    };
    if (asked.current) {
      // The second one kills what does not end by itself.
      run.dispatch({ type: 'interrupt', signal: 'SIGINT' });
      return stop();
    }
    const working = run.state().agents.filter((agent) => !isDone(agent)).length;
    const who = working === 1 ? '1 agent has' : `${working} agents have`;
    asked.current = dialogs.open({
      kind: 'confirm',
      title: 'Stop the run and quit?',
      lines: [
        ...(working > 0 ? [`${who} not finished.`] : []),
        `The work so far is committed to the agents' branches, and nothing lands. ${keymap.label('quit')} again stops at once.`,
      ],
      yes: 'stop and quit',
      onYes: stop,
    });
  };
}

/** Rings when an agent asks and when the run ends, and tells the progress in the window's title. */
function WithNotices({ run, children }: { readonly run: RunPort; readonly children: ReactNode }) {
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
