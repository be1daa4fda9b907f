import { lexer, type Token, type Tokens } from 'marked';
import type { ReactNode } from 'react';
import { useLoaded } from './use-loaded.js';

/** Markdown as elements; HTML in it is text, links are not followed: a model wrote it. */
function Block({ token }: { readonly token: Token }): ReactNode {
  switch (token.type) {
    case 'heading': {
      // Below the page's own headings.
      const level = Math.min(6, (token as Tokens.Heading).depth + 2);
      const Heading = `h${level}` as 'h3';
      return <Heading>{inline(token.tokens)}</Heading>;
    }
    case 'paragraph':
      return <p>{inline(token.tokens)}</p>;
    case 'list': {
      const { ordered, items } = token as Tokens.List;
      const List = ordered ? 'ol' : 'ul';
      return (
        <List>
          {items.map((item, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the items of a text stay where they are.
            <li key={index}>{blocks(item.tokens)}</li>
          ))}
        </List>
      );
    }
    case 'code':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys, too.
        <pre tabIndex={0}>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case 'blockquote':
      return <blockquote>{blocks(token.tokens)}</blockquote>;
    case 'table': {
      const { header, rows } = token as Tokens.Table;
      return (
        <table>
          <thead>
            <tr>
              {header.map((cell, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the cells of a text stay where they are.
                <th key={index}>{inline(cell.tokens)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the rows of a text stay where they are.
              <tr key={index}>
                {row.map((cell, column) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the cells of a text stay where they are.
                  <td key={column}>{inline(cell.tokens)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
    }
    case 'hr':
      return <hr />;
    case 'space':
      return null;
    case 'text':
      return <>{token.tokens ? inline(token.tokens) : token.text}</>;
    default:
      return <p>{token.raw}</p>;
  }
}

function blocks(tokens: readonly Token[] | undefined): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text stay where they are.
  return tokens?.map((token, index) => <Block key={index} token={token} />);
}

function inline(tokens: readonly Token[] | undefined): ReactNode {
  return tokens?.map((token, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text stay where they are.
    return <Inline key={index} token={token} />;
  });
}

function Inline({ token }: { readonly token: Token }): ReactNode {
  switch (token.type) {
    case 'strong':
      return <strong>{inline(token.tokens)}</strong>;
    case 'em':
      return <em>{inline(token.tokens)}</em>;
    case 'codespan':
      return <code>{token.text}</code>;
    case 'br':
      return <br />;
    case 'del':
      return <del>{inline(token.tokens)}</del>;
    case 'link':
      return (
        <>
          {inline(token.tokens)} ({(token as Tokens.Link).href})
        </>
      );
    case 'text':
    case 'escape':
      return <>{'tokens' in token && token.tokens ? inline(token.tokens) : token.text}</>;
    default:
      return <>{token.raw}</>;
  }
}

/** The PRD that the agents refer to. @param load its text; null where it cannot be read */
export function Prd({ load }: { readonly load: () => Promise<string | null> }) {
  const text = useLoaded(load);
  if (text === undefined) return <p className="quiet">Loading…</p>;
  if (text === null) return <p className="bad">The PRD cannot be read any more.</p>;
  return <article className="prd">{blocks(lexer(text))}</article>;
}
