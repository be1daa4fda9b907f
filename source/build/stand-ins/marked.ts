type Marked = typeof import('marked');

/** In the place of marked, which takes 10 ms to load: the first frame shows no Markdown. */
export const Lexer = {
  lex: (text: string) => (require('marked') as Marked).Lexer.lex(text),
};
