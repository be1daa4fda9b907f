import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * A stand-in for Aider where it cannot be installed; only the demo uses it, and everything that shows
 * it says that it is simulated. It takes Aider's arguments, asks the model server once, applies the
 * edits of the reply and keeps the same analytics log, so that all around it is the production code.
 */
function option(name: string): string | null {
  const args = process.argv.slice(2);
  const inline = args.find((argument) => argument.startsWith(`${name}=`));
  if (inline !== undefined) return inline.slice(name.length + 1);
  const at = args.indexOf(name);
  return at >= 0 ? (args[at + 1] ?? null) : null;
}

function log(event: string, properties: Record<string, unknown> = {}): void {
  const file = option('--analytics-log');
  const time = Math.floor(Date.now() / 1000);
  if (file)
    appendFileSync(file, `${JSON.stringify({ event, properties, user_id: 'simulated', time })}\n`);
}

/** Applies blocks of the `diff` format; gives the files that changed. */
function applyEdits(reply: string): string[] {
  const changed: string[] = [];
  const block = /^(\S.*)\n```\w*\n<{5,9} SEARCH\n([\s\S]*?)={5,9}\n([\s\S]*?)>{5,9} REPLACE\n```/gm;
  for (const [, name = '', search = '', replace = ''] of reply.matchAll(block)) {
    const before = search === '' ? '' : readFileSync(name, 'utf8');
    if (!before.includes(search)) continue;
    mkdirSync(path.dirname(name), { recursive: true });
    writeFileSync(name, search === '' ? replace : before.replace(search, () => replace));
    changed.push(name);
  }
  return changed;
}

async function ask(message: string): Promise<{ text: string; usage: Record<string, number> }> {
  const response = await fetch(`${process.env['OPENAI_API_BASE']}/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${process.env['OPENAI_API_KEY']}`,
    },
    body: JSON.stringify({
      model: option('--model'),
      messages: [{ role: 'user', content: message }],
    }),
  });
  const body = (await response.json()) as {
    choices: { message: { content: string } }[];
    usage: Record<string, number>;
  };
  return { text: body.choices[0]?.message.content ?? '', usage: body.usage };
}

const message =
  option('--message') ?? readFileSync(option('--message-file') ?? '/dev/null', 'utf8');
console.log('SIMULATED agent: this is not Aider.\n');
log('launched');
for (let turn = 0; turn < 4; turn++) {
  log('message_send_starting');
  const { text, usage } = await ask(message);
  log('message_send', {
    main_model: option('--model'),
    edit_format: 'diff',
    ...usage,
    cost: 0,
    total_cost: 0,
  });
  console.log(text);
  const changed = applyEdits(text);
  for (const file of changed) console.log(`Applied edit to ${file} (simulated)`);
  if (changed.length > 0) break;
  console.log('No edit of the reply fits the files; asking again (simulated).');
}
log('exit', { reason: 'Completed --message' });
