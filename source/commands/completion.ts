import { commandNames, flagOption, flagRows } from '../services/config/option-table.js';
import type { Arguments } from './arguments.js';
import { reportFailure, type Stdio } from './stdio.js';

const options = flagRows.map(({ name, short, isFile = false, value, choices = [] }) => ({
  option: flagOption(name),
  short: short === undefined ? null : `-${short}`,
  takesFile: isFile,
  takesValue: value !== undefined,
  choices: choices.join(' '),
}));

const shells: Record<string, () => string> = {
  bash: () => `# aider-orchestrator completion for bash: eval "$(aider-orchestrator completion bash)"
_aider_orchestrator() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  case "$prev" in
    ${options
      .filter((flag) => flag.choices !== '')
      .map(
        ({ option, choices }) =>
          `${option}) COMPREPLY=($(compgen -W "${choices}" -- "$cur")); return ;;`,
      )
      .join('\n    ')}
    completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur")); return ;;
    ${options
      .filter((flag) => flag.takesFile)
      .map((flag) => flag.option)
      .join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "${options.map((flag) => flag.option).join(' ')}" -- "$cur"))
  elif [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${commandNames.join(' ')}" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -o filenames -F _aider_orchestrator aider-orchestrator
`,
  zsh: () => `#compdef aider-orchestrator
# aider-orchestrator completion for zsh: source <(aider-orchestrator completion zsh)
_aider_orchestrator() {
  _arguments \\
    '1:subcommand:(${commandNames.join(' ')})' \\
${options.map((flag) => `    '${flag.option}${flag.takesValue ? `:value:${zshValue(flag)}` : ''}' \\`).join('\n')}
    '*:file:_files'
}
compdef _aider_orchestrator aider-orchestrator
`,
  fish: () => `# aider-orchestrator completion for fish: aider-orchestrator completion fish | source
complete -c aider-orchestrator -n __fish_use_subcommand -f -a "${commandNames.join(' ')}"
complete -c aider-orchestrator -n "__fish_seen_subcommand_from completion" -f -a "bash zsh fish"
${options
  .map(({ option, short, takesFile, takesValue, choices }) =>
    [
      'complete -c aider-orchestrator',
      `-l ${option.slice(2)}`,
      short ? `-s ${short.slice(1)}` : '',
      takesFile ? '-r -F' : takesValue ? `-x${choices === '' ? '' : ` -a "${choices}"`}` : '',
    ]
      .filter(Boolean)
      .join(' '),
  )
  .join('\n')}
`,
};

function zshValue({ takesFile, choices }: (typeof options)[number]): string {
  if (takesFile) return '_files';
  return choices === '' ? ' ' : `(${choices})`;
}

/** `completion bash|zsh|fish`: prints the shell's completion script. */
export function completionCommand(args: Arguments, stdio: Stdio): number {
  const script = shells[args.rest[0] ?? ''];
  if (!script) {
    reportFailure(stdio, {
      kind: 'usage',
      message: 'Completion is for bash, zsh or fish.',
      hint: 'eval "$(aider-orchestrator completion bash)"',
    });
    return 2;
  }
  stdio.out(script());
  return 0;
}
