import fuzzysort from 'fuzzysort';
import { Box } from 'ink';
import { useMemo, useState } from 'react';
import { type Action, perform, type Scope, type SomeActions } from '../actions.js';
import {
  type ActionName,
  contexts,
  type Context as KeyContext,
  type Keymap,
  keyLabel,
} from '../keymap.js';
import { useEnvironment, useSize } from '../surface.js';
import { proseLines } from '../text/diff-lines.js';
import { cut, fill } from '../text/graphemes.js';
import { windowStart } from './dialog-parts.js';
import { Line } from './line.js';
import { Popup } from './popup.js';
import { Rows } from './rows.js';
import { TextField } from './text-field.js';

interface HelpLine {
  readonly text: string;
  readonly head: boolean;
  readonly dim: boolean;
}

/** Help is made from the key table: first the place one is at, then the others. Typing narrows it. */
export function Help(props: {
  readonly scopes: readonly Scope[];
  readonly typing: boolean;
  readonly close: () => void;
}) {
  const { scopes, typing, close } = props;
  const { cols, rows } = useSize();
  const { keymap } = useEnvironment();
  const [query, setQuery] = useState('');
  const [top, setTop] = useState(0);
  const width = Math.min(100, cols - 4);
  const lines = useMemo(
    () => helpLines(keymap, scopes, typing, query, width),
    [keymap, scopes, typing, query, width],
  );
  const height = Math.max(3, rows - 4);
  const body = height - 1;
  const last = Math.max(0, lines.length - body);
  const first = Math.min(top, last);
  return (
    <Popup title="Keys" width={width} height={height} hint="type to filter, Esc close">
      {({ width: inner }) => (
        <>
          <Box width={inner} height={1} overflow="hidden">
            <Line>/</Line>
            <TextField
              width={inner - 1}
              onChange={(text) => {
                setQuery(text);
                setTop(0);
              }}
              onOther={(key) => {
                const step = { up: -1, down: 1, pageup: -body, pagedown: body }[key];
                if (step === undefined) return false;
                setTop(Math.max(0, Math.min(last, first + step)));
                return true;
              }}
              onCancel={close}
              onDone={close}
            />
          </Box>
          <Rows
            width={inner}
            rows={lines
              .slice(first, first + body)
              .map(({ text, head, dim }) => ({ text, bold: head, dim }))}
          />
        </>
      )}
    </Popup>
  );
}

/** All keys, those of the place first, each with why it does nothing now where that is so. */
function helpLines(
  keymap: Keymap,
  scopes: readonly Scope[],
  typing: boolean,
  query: string,
  width: number,
): readonly HelpLine[] {
  const wanted = query.toLowerCase();
  const all = keymap.help();
  const actions: SomeActions = Object.assign({}, ...scopes.map((scope) => scope.actions()));
  const here = scopes.map(({ context }) => context).filter((one) => one !== 'everywhere');
  const order = [...here.reverse(), 'everywhere', ...Object.keys(contexts)] as KeyContext[];
  return [...new Set(order)].flatMap((context) => {
    const matching = all
      .filter((line) => line.context === context)
      .filter(({ keys, help, action }) =>
        `${keys.join(' ')} ${help} ${action}`.toLowerCase().includes(wanted),
      );
    if (matching.length === 0) return [];
    return [
      { text: contexts[context], head: true, dim: false },
      ...matching.flatMap(({ keys, help, action }) => {
        const refusal = actions[action]?.refusal ?? null;
        const why = refusal === null ? '' : ` (not now: ${refusal})`;
        // A letter is typed there, and does nothing else.
        const works =
          typing && context === 'everywhere' ? keys.filter((key) => key.length > 1) : keys;
        const words = proseLines(`${help}${why}  ${action}`, Math.max(10, width - 24));
        const left = proseLines(works.join(' '), 21);
        return Array.from({ length: Math.max(words.length, left.length) }, (_, row) => ({
          text: `  ${fill(left[row] ?? '', 21)} ${words[row] ?? ''}`,
          head: false,
          dim: refusal !== null,
        }));
      }),
    ];
  });
}

interface Command {
  readonly name: ActionName;
  readonly action: Action;
  readonly scope: Scope;
  readonly words: string;
}

/** Finds a command by its words and does it; what cannot be had now says why. */
export function Palette(props: { readonly scopes: readonly Scope[]; readonly close: () => void }) {
  const { scopes, close } = props;
  const { cols, rows } = useSize();
  const { keymap, theme } = useEnvironment();
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const commands = scopes.flatMap((scope) =>
    (Object.entries(scope.actions()) as [ActionName, Action][])
      .filter(([name]) => name !== 'palette')
      .map(([name, action]): Command => ({ name, action, scope, words: keymap.words(name) })),
  );
  const found =
    query === ''
      ? commands
      : fuzzysort.go(query, commands, { keys: ['words', 'name'] }).map((one) => one.obj);
  const at = Math.min(chosen, Math.max(0, found.length - 1));
  const current = found[at];
  const refusal = current?.action.refusal ?? null;
  const width = Math.min(90, cols - 4);
  const reason = refusal === null ? [] : proseLines(`Not now: ${refusal}.`, width);
  const height = Math.max(3, Math.min(20, rows - 6));
  const body = Math.max(1, height - 1 - reason.length);
  const start = windowStart(at, body, found.length);
  const run = () => {
    if (!current || refusal !== null) return;
    close();
    perform(current.action, '', current.scope.say);
  };
  return (
    <Popup title="Commands" width={width} height={height} hint="Enter run, Esc cancel">
      {({ width: inner }) => (
        <>
          <Box width={inner} height={1} overflow="hidden">
            <Line>: </Line>
            <TextField
              width={inner - 2}
              onChange={(text) => {
                setQuery(text);
                setChosen(0);
              }}
              onOther={(key) => {
                if (key === 'up') setChosen(Math.max(0, at - 1));
                else if (key === 'down') setChosen(Math.min(found.length - 1, at + 1));
                else return false;
                return true;
              }}
              onCancel={close}
              onDone={run}
            />
          </Box>
          {found.slice(start, start + body).map((command) => {
            const keys = keymap.keys(command.name).map((key) => keyLabel(key, theme.unicode));
            const left = cut(command.words, Math.max(4, inner - 16));
            return (
              <Line
                key={command.name}
                inverse={command === current}
                dim={(command.action.refusal ?? null) !== null}
              >
                {fill(left, Math.max(4, inner - 15)) + fill(keys.join(' '), 15)}
              </Line>
            );
          })}
          {found.length === 0 && <Line dim>{fill('no command matches', inner)}</Line>}
          <Rows width={inner} rows={reason.map((text) => ({ text, colour: 'yellow' }))} />
        </>
      )}
    </Popup>
  );
}
