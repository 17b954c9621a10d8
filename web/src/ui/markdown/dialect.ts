/** The Markdown that answers are written in: what becomes which HTML. Decides only; touches no document. */

import { Marked, type Token, type Tokens } from "marked";
import { blockFormula, escape, footnote, footnoteReference, inlineFormula } from "./syntax";

/** Where the names that are used for links lead, by name. */
export type Links = Record<string, Pick<Tokens.Link | Tokens.Image, "href" | "title">>;

/** Tags without attributes that models write inside Markdown, and that do no more than they say. */
const HARMLESS = /^<(?:br\s*\/?|\/?(?:sub|sup|kbd|mark|b|i|u))>$/i;

const marked = new Marked({
  gfm: true,
  extensions: [blockFormula, inlineFormula, footnote, footnoteReference],
  renderer: {
    html: ({ text }) => (HARMLESS.test(text.trim()) ? text : escape(text)),
    // A picture from elsewhere would tell its host what was said here: it is shown as its address instead.
    image: ({ href, text }) => (isInlinePicture(href) ? picture(href, text) : address(href, text)),
    checkbox: ({ checked }) => `<span class="task">${checked ? "☑" : "☐"}</span> `,
  },
});

/**
 * The blocks of `text`, in which the names of `links` are known. What no parser can hold (thousands of nested quotes)
 * is one plain block.
 */
export function blocksIn(text: string, links: Links = {}): Token[] {
  try {
    const lexer = new marked.Lexer(marked.defaults);
    Object.assign(lexer.tokens.links, links);
    return lexer.lex(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [plain(text)];
  }
}

export function htmlOf(token: Token): string {
  try {
    return marked.parser([token]);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `<p>${escape(token.raw)}</p>`;
  }
}

export function isVisible(token: Token): boolean {
  return token.type !== "space" && token.type !== "def";
}

/** Where the names lead that `text` defines for its links, wherever in it that stands. */
export function linksIn(text: string): Links {
  if (!/^ {0,3}\[[^\]\n^][^\]\n]*\]:/m.test(text)) return {};
  const prose = text.replace(/^ {0,3}(`{3,}|~{3,})[^]*?(?:^ {0,3}\1|(?![^]))/gm, "");
  const lexer = new marked.Lexer(marked.defaults);
  lexer.lex((prose.match(/^ {0,3}\[[^\]\n^][^\]\n]*\]:.*$/gm) ?? []).join("\n\n"));
  return { ...lexer.tokens.links };
}

/** Where a link may lead: an absolute http, https or mailto address, as the browser itself reads it; else null. */
export function safeAddress(href: string): string | null {
  if (!URL.canParse(href)) return null;
  const { protocol } = new URL(href);
  return protocol === "http:" || protocol === "https:" || protocol === "mailto:" ? href : null;
}

export function isInlinePicture(href: string): boolean {
  return /^data:image\/(?:png|jpeg|gif|webp);base64,[a-z0-9+/=]+$/i.test(href);
}

function picture(src: string, alt: string): string {
  return `<img src="${src}" alt="${escape(alt)}">`;
}

function address(href: string, alt: string): string {
  const label = alt.trim() ? `<span class="picture-name">${escape(alt)}</span> ` : "";
  return `<a class="picture" href="${escape(href)}">${label}<span class="picture-address">${escape(href)}</span></a>`;
}

function plain(text: string): Tokens.Paragraph {
  return { type: "paragraph", raw: text, text, tokens: [{ type: "text", raw: text, text, escaped: false }] };
}
