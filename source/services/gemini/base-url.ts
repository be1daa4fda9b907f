import { environment } from '../machine/environment.js';

/** Where Gemini is asked: GOOGLE_GEMINI_BASE_URL, else Google's own address. Without a slash at its end. */
export function geminiBaseUrl(): string {
  const given = environment()['GOOGLE_GEMINI_BASE_URL'];
  return (given || 'https://generativelanguage.googleapis.com').replace(/\/+$/, '');
}
