import { Box } from 'ink';
import { useState } from 'react';
import { type ActionsOf, useActions } from '../actions.js';
import { useDialogs } from '../components/dialogs.js';
import { Line } from '../components/line.js';
import { PageFrame, useNote } from '../components/page-frame.js';
import { ScrollText } from '../components/scroll-text.js';
import type { RunChoices, WizardPort } from '../ports.js';
import { useEnvironment, useNewLayer, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { fill } from '../text/graphemes.js';
import type { Wizard } from '../wizard.js';
import { redBaseWords, startFacts } from './start-facts.js';
import { useSettings } from './start-settings.js';

export interface StartPageProps {
  readonly port: WizardPort;
  readonly wizard: Wizard;
  /** Gives why it could not be started; null when it was. */
  readonly onStart: () => Promise<string | null>;
  readonly onBack: () => void;
}

function nextOf(redBase: RunChoices['redBase']): RunChoices['redBase'] {
  const all = Object.keys(redBaseWords) as RunChoices['redBase'][];
  return all[(all.indexOf(redBase) + 1) % all.length] as RunChoices['redBase'];
}

/** Step 4: the last look. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: state, keys and view of one screen; what can stand alone is in files beside it.
export function StartPage({ port, wizard, onStart, onBack }: StartPageProps) {
  const { cols, rows } = useSize();
  const { keymap } = useEnvironment();
  const dialogs = useDialogs();
  const note = useNote();
  const { say } = note;
  const [starting, setStarting] = useState(false);
  // Meanwhile no key does anything here.
  useNewLayer(starting);
  const settings = useSettings(port, wizard, say);
  const setting = (name: string) => settings.find((one) => one.name === name)?.change ?? (() => {});
  const width = Math.max(...settings.map(({ name }) => name.length));
  const go = async () => {
    setStarting(true);
    say('Starting…');
    const problem = await onStart();
    if (problem === null) return;
    setStarting(false);
    say(problem);
  };
  const actions: ActionsOf<'start'> = {
    'start.go': { run: () => void go() },
    'start.back': { run: onBack },
    'start.change': {
      run: () =>
        void dialogs.open({
          kind: 'choose',
          title: 'Change a setting of this run',
          items: settings.map(({ name, value }) => `${name.padEnd(width)}  ${value}`),
          onDone: (index) => settings[index]?.change(),
        }),
    },
    'start.model': { run: setting('Model') },
    'start.test': { run: setting('Tests') },
    'start.review': { run: setting('Review') },
    'start.redBase': {
      run: () => {
        const redBase = nextOf(wizard.choices.redBase);
        wizard.choose({ redBase });
        say(`If the tests fail on the base: ${redBaseWords[redBase]}.`);
      },
      refusal: wizard.choices.testCmd === '' ? 'no tests are configured' : null,
    },
  };
  useActions({
    context: 'start',
    actions,
    say,
  });
  const lines = startFacts(port, wizard, keymap).flatMap(([name, value]) =>
    proseLines(value, Math.max(8, cols - 15)).map(
      (text, row) => `\x1b[1m${fill(row === 0 ? name : '', 12)}\x1b[22m${text}`,
    ),
  );
  const body = Math.max(2, rows - 4 - note.height);
  return (
    <PageFrame
      context="start"
      note={note}
      actions={actions}
      hints={[
        'start.go',
        'start.back',
        'start.change',
        'start.test',
        'start.redBase',
        'start.model',
        'start.review',
      ]}
    >
      <Line bold>
        {fill(` This is what will happen. ${keymap.label('start.go')} starts it.`, cols)}
      </Line>
      <Line> </Line>
      <Box paddingX={1} height={body} overflow="hidden">
        <ScrollText lines={lines} width={cols - 2} height={body} say={say} />
      </Box>
    </PageFrame>
  );
}
