import { execFileSync } from 'node:child_process';
import { tempFolder, type World, world } from './rig.js';
import { writeStandIn } from './write-stand-in.js';

/**
 * A world whose Aider appends a line to each of its files, in no time: what is tried is what is around it.
 * @param seconds how long it works before and after that
 * @param more Python that runs before the files are written
 */
export function lineWriter(seconds: number, more = ''): World {
  const where = world(null);
  const folder = tempFolder('aider');
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  }).trim();
  const main = `
import json, sys, time
def main():
    args = sys.argv
    if '--version' in args:
        print('aider 0.86.2')
        return 0
    log = args[args.index('--analytics-log') + 1]
    files = [args[at + 1] for at, arg in enumerate(args) if arg == '--file']
    def say(event, **properties):
        line = json.dumps({'event': event, 'properties': properties, 'time': int(time.time())})
        with open(log, 'a') as out: out.write(line + '\\n')
    say('launched'); say('message_send_starting')
    time.sleep(${seconds})
${more.replace(/^/gm, '    ')}
    for name in files:
        with open(name, 'ab') as out: out.write(b'by an agent\\n')
    time.sleep(${seconds})
    say('message_send', prompt_tokens=1, completion_tokens=1, cost=0, edit_format='diff')
    say('exit', reason='done')
    return 0
def get_parser(files, root): pass
def generate_search_path_list(name, root, given): return []
`;
  const script = writeStandIn(folder, python, main);
  return {
    ...where,
    env: { ...where.env, OPENAI_API_KEY: 'k' },
    aiderFlags: ['--aider', script, '--direct'],
    afterFlags: [],
  };
}
