import { describe } from '../../core/policy/failure.js';
import { missing, type Prerequisite, present, warning } from '../../core/policy/prerequisite.js';
import { IsolatedLauncher } from '../../services/agents/aider/launcher.js';
import { openWarm } from '../../services/agents/aider/open-launcher.js';
import { aiderVersion, findPython } from '../../services/agents/aider/setup-aider.js';
import { environment } from '../../services/machine/environment.js';
import { untrustedForAider } from '../repo-trust.js';
import type { Asked } from './asked.js';

/** Programs that a run needs, and how it will start them. */

export function node(): Prerequisite[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major > 20 || (major === 20 && minor >= 19);
  return [
    fine
      ? present('Node.js', process.versions.node)
      : missing(
          'Node.js',
          `${process.versions.node} is too old`,
          'Install Node.js 20.19 or newer: https://nodejs.org',
        ),
  ];
}

/** Whether Aider is needed: also by a command as agent, where a model of Aider's reviews. */
export function needsAider({ options, agents }: Asked): boolean {
  if (!options.ok) return true;
  const { agentCmd, review } = options.value;
  return agents && (agentCmd === null || (review?.model ?? null) !== null);
}

export async function aider(asked: Asked): Promise<Prerequisite[]> {
  const { overrides, repository } = asked;
  if (!needsAider(asked)) return [];
  if (overrides.aider) return [present('Aider', overrides.aider.version)];
  const found = await asked.findAider();
  if (!found.ok) {
    const { message, hint } = describe(found.failure);
    return [missing('Aider', message.replace(/\.$/, ''), hint)];
  }
  const { version, command, source, interpreter } = found.value;
  if (interpreter === null && repository.ok) {
    const files = await untrustedForAider(repository.value);
    if (files.length > 0) {
      return [
        missing(
          'isolation',
          `${command} is not the script that pip writes, so it cannot be kept from obeying ${files.join(', ')} of the repository`,
          'Look at them, then use --trust once; or take the Aider of `aider-orchestrator setup`',
        ),
      ];
    }
  }
  const text = `${version}, ${command}${source === 'setup' ? ' (from setup)' : ''}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 0 || minor >= 86) return [present('Aider', text)];
  return [
    warning(
      'Aider',
      `${text}: older than ${aiderVersion}, for which this is made`,
      'aider-orchestrator setup   then --aider, or update it: pip install -U aider-chat',
    ),
  ];
}

/** Whether agents are forked from one Aider that is loaded once, or why not: takes as long as to load it. */
export async function agents(asked: Asked): Promise<Prerequisite[]> {
  if (!asked.options.ok) return [];
  const { agentCmd, model, warm } = asked.options.value;
  if (agentCmd !== null) return [present('agents', `run by ${agentCmd}`)];
  const found = asked.overrides.aider ? null : await asked.findAider();
  if (!found?.ok) return [];
  const { command, interpreter } = found.value;
  const slow = (why: string) => [
    warning(
      'agents',
      `each loads Aider anew: ${why}`,
      'They work all the same, a few seconds later',
    ),
  ];
  if (!warm) return [present('agents', 'each loads Aider anew, as was asked for')];
  if (interpreter === null) return slow(`${command} is not the script that pip writes`);
  const plain = new IsolatedLauncher(command, interpreter);
  const launcher = openWarm(command, interpreter, model, plain);
  const warmth = await launcher.warmedUp();
  launcher.close();
  return warmth.warm
    ? [present('agents', `forked from one Aider, loaded in ${(warmth.ms / 1000).toFixed(1)} s`)]
    : slow(warmth.why);
}

export async function python(): Promise<Prerequisite[]> {
  const found = await findPython();
  return [
    found
      ? present('Python', `${found.version}, ${found.command}`)
      : warning(
          'Python',
          'no Python 3.10 to 3.12 (only setup needs it)',
          'Install uv (https://docs.astral.sh/uv) or python3.12 with python3.12-venv',
        ),
  ];
}

export function terminal(): Prerequisite[] {
  if (!process.stdout.isTTY) return [present('terminal', 'none: a run is headless')];
  const { columns, rows } = process.stdout;
  return [present('terminal', `${environment()['TERM'] ?? 'unknown'}, ${columns}x${rows}`)];
}
