import { Box } from 'ink';
import { type ReactNode, useRef, useState } from 'react';
import { describe } from '../core/policy/failure.js';
import { ActionsProvider, type Scope, useActions, useScopes } from './actions.js';
import { DialogProvider, useDialogs } from './components/dialogs.js';
import { Line } from './components/line.js';
import { DialogEditor, useEditor } from './editor.js';
import { useKeptDraft } from './kept-draft.js';
import { keyLabel } from './keymap.js';
import { least } from './layout.js';
import { WithNotices } from './notices.js';
import { ChangePage } from './pages/change.js';
import { GroupsPage } from './pages/groups.js';
import { PrdPage } from './pages/prd.js';
import { RunPage } from './pages/run.js';
import { StartPage } from './pages/start.js';
import { SummaryPage } from './pages/summary.js';
import type { RunPort, WizardPort } from './ports.js';
import { useQuit } from './quit.js';
import {
  type AppEnvironment,
  EnvironmentProvider,
  useEnvironment,
  useInput,
  useSize,
} from './surface.js';
import { cut } from './text/graphemes.js';
import { useWizard } from './wizard.js';

/** The pages in their order; a wizard step is one entry here and one in `Pages`. */
export const pageNames = ['change', 'prd', 'groups', 'start', 'run', 'summary'] as const;
export type PageName = (typeof pageNames)[number];

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
              <Pages port={wizard} onExit={onExit} />
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

interface PagesProps {
  readonly port: WizardPort;
  readonly onExit: () => void;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
function Pages({ port, onExit }: PagesProps) {
  const { now } = useEnvironment();
  const dialogs = useDialogs();
  const wizard = useWizard(port, now);
  const [page, setPage] = useState<PageName>(port.run === null ? 'change' : 'run');
  const [run, setRun] = useState<RunPort | null>(port.run);
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
    setPage('groups');
  };
  const planned = async () => {
    const same = wizard.draft !== null && wizard.draftChange === wizard.change.text.trim();
    const make = () => {
      setPage('prd');
      void wizard.make(null);
    };
    const again = (what: string, make: () => void, keep: () => void) =>
      dialogs.open({
        kind: 'choose',
        title: `The ${what} made for another change`,
        items: ['Make it again', 'Keep it as it is'],
        onDone: (index) => (index === 0 ? make() : keep()),
      });
    const groups = () => setPage('groups');
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
      setPage('prd');
    } else if (!wizard.draft) make();
    else if (same) setPage('prd');
    else again('PRD was', make, () => setPage('prd'));
  };
  const start = async (): Promise<string | null> => {
    if (!wizard.draft) return 'There is no plan.';
    starting.current = true;
    const { change, draft, maxAgents, choices } = wizard;
    const started = await port.start(change.text.trim(), draft, maxAgents, choices);
    starting.current = false;
    if (!started.ok) return describe(started.failure).message;
    setRun(started.value);
    setPage('run');
    return null;
  };
  /** The draft is as it was left. */
  const backToStart = async () => {
    starting.current = true;
    await port.giveUp();
    keep();
    starting.current = false;
    setPage('start');
    setRun(null);
  };
  const noPrd = wizard.draft?.prd === '';
  switch (page) {
    case 'change':
      return (
        <ChangePage
          port={port}
          wizard={wizard}
          onNext={() => void planned()}
          onWithoutPrd={withoutPrd}
          onQuit={quit}
        />
      );
    case 'prd':
      return (
        <PrdPage
          port={port}
          wizard={wizard}
          onNext={() => setPage('groups')}
          onWithoutPrd={withoutPrd}
          onBack={() => setPage('change')}
        />
      );
    case 'groups':
      return (
        <GroupsPage
          port={port}
          wizard={wizard}
          onNext={() => setPage('start')}
          onBack={() => setPage(noPrd && facts.source.kind !== 'planner' ? 'change' : 'prd')}
        />
      );
    case 'start':
      return (
        <StartPage port={port} wizard={wizard} onStart={start} onBack={() => setPage('groups')} />
      );
    case 'run':
      return (
        run && (
          <WithNotices run={run}>
            <RunPage
              port={port}
              run={run}
              onSummary={() => setPage('summary')}
              onStartAgain={port.run === null ? () => void backToStart() : null}
              onQuit={quit}
              onLeave={onExit}
            />
          </WithNotices>
        )
      );
    case 'summary':
      return (
        run && (
          <WithNotices run={run}>
            <SummaryPage
              port={port}
              run={run}
              onBack={() => setPage('run')}
              onQuit={quit}
              onLeave={onExit}
            />
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
