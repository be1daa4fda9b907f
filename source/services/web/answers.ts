import type { IncomingMessage, ServerResponse } from 'node:http';

/** '' for what is no address. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  return URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost').pathname : '';
}

/** What is said to who gets nothing. */
export const notLetIn =
  'This browser was not let in. Open the address that aider-orchestrator has printed; each one is good for one browser.';
export const linkUsed =
  'This address was used already, or is too old: each one is good for one browser. For another one press w on the screen, or Enter where aider-orchestrator web runs.';
export const cannotNow =
  'That cannot be told now: this machine has no more files, memory or disk for it. Try again.';

/** Of all answers. */
export const safeHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

/** Answers with a page. */
export function end(response: ServerResponse, status: number, html: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(html);
}

export function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(value));
}
