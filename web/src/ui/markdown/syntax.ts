/** What answers are written in beyond GFM: formulas, and footnotes. Finds them only. */

import type { TokenizerAndRendererExtension, Tokens } from "marked";

/** Longer than this, no formula is set: its source is shown. */
const LONGEST_FORMULA = 4_000;

const DISPLAY = [/^\$\$([^$]+?)\$\$/, /^\\\[([^]+?)\\\]/];
const BLOCK = [/^ {0,3}\$\$\s*([^$]+?)\s*\$\$[ \t]*(?:\n+|$)/, /^ {0,3}\\\[\s*([^]+?)\s*\\\][ \t]*(?:\n+|$)/];
const INLINE = [/^\$(?!\s)((?:\\.|[^\\$\n])+?)(?<!\s)\$(?![\d\p{L}])/u, /^\\\(([^\n]+?)\\\)/];
/** What only formulas have: a price, or brackets that were escaped, have none of it. */
const FORMULAIC = /[\\^_={}<>+*/|]/;

export const blockFormula: TokenizerAndRendererExtension = {
  name: "formula",
  level: "block",
  start: (source) => /^ {0,3}(?:\$\$|\\\[)/m.exec(source)?.index,
  tokenizer: (source) => formula(source, BLOCK, true),
  renderer: (token) => `${formulaHtml(token)}`,
};

export const inlineFormula: TokenizerAndRendererExtension = {
  name: "inlineFormula",
  level: "inline",
  start: (source) => /\$|\\[([]/.exec(source)?.index,
  tokenizer: (source) => formula(source, DISPLAY, true) ?? formula(source, INLINE, false),
  renderer: (token) => formulaHtml(token),
};

export const footnote: TokenizerAndRendererExtension = {
  name: "footnote",
  level: "block",
  start: (source) => /^\[\^[^\]\s]+\]:/m.exec(source)?.index,
  tokenizer(source) {
    const match = /^\[\^([^\]\s]{1,80})\]:[ \t]*([^\n]*(?:\n(?!\s*\n|\[\^)[^\n]+|\n\n+(?: {4}|\t)[^\n]+)*)(?:\n+|$)/.exec(source);
    if (!match) return undefined;
    const text = (match[2] ?? "").replace(/^(?: {2,4}|\t)/gm, "");
    return { type: "footnote", raw: match[0], label: match[1], text, tokens: this.lexer.blockTokens(text, []) };
  },
  renderer(token) {
    const { label, tokens = [] } = token as Tokens.Generic & { label: string };
    return `<blockquote class="footnote"><sup class="footnote-label">${escape(label)}</sup>${this.parser.parse(tokens)}</blockquote>`;
  },
};

export const footnoteReference: TokenizerAndRendererExtension = {
  name: "footnoteReference",
  level: "inline",
  start: (source) => /\[\^/.exec(source)?.index,
  tokenizer(source) {
    const match = /^\[\^([^\]\s]{1,80})\](?!\()/.exec(source);
    return match ? { type: "footnoteReference", raw: match[0], label: match[1] } : undefined;
  },
  renderer: (token) => `<sup class="footnote-reference">${escape((token as Tokens.Generic & { label: string }).label)}</sup>`,
};

function formula(source: string, patterns: readonly RegExp[], isDisplay: boolean): Tokens.Generic | undefined {
  for (const pattern of patterns) {
    const match = pattern.exec(source);
    const text = match?.[1]?.trim();
    if (!match || !text || text.length > LONGEST_FORMULA || /\n\s*\n/.test(text)) continue;
    if (!isFormula(match[0], text)) continue;
    return { type: isDisplay && patterns === BLOCK ? "formula" : "inlineFormula", raw: match[0], text, isDisplay };
  }
  return undefined;
}

/** "$5 and 6$" is two prices and "\[not a link\]" is text; "$x$" and "$5$" are formulas. */
function isFormula(raw: string, text: string): boolean {
  const isDollar = /^\s*\$/.test(raw) && !/^\s*\$\$/.test(raw);
  if (isDollar) return !/^[\d.,]+\s*[^\d.,\s\\^_={}<>+*/|]/.test(text) || FORMULAIC.test(text);
  return !/^\s*\\\[/.test(raw) || FORMULAIC.test(text) || /\d/.test(text);
}

function formulaHtml(token: Tokens.Generic): string {
  const kind = token["isDisplay"] ? "formula formula-display" : "formula";
  return `<code class="${kind}">${escape(token["text"] as string)}</code>`;
}

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
