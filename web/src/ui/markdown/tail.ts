/** Reading Markdown as it grows: only the last blocks can still change, so only they are read again. */

import type { Token, Tokens } from "marked";
import { blocksIn, isVisible, type Links } from "./dialect";

/** The last block may grow, and the one before it may still be drawn into it. */
const UNSETTLED = 2;
/** A block longer than this is cut in two, so that what is read and drawn again never grows with the text. */
export const LONGEST_BLOCK = 16_000;

export interface Block {
  readonly token: Token;
  /** Is it the rest of the block before it, which was too long to stay whole? */
  readonly continues: boolean;
}

export interface Reading {
  /** How many visible blocks before these are settled. */
  readonly settled: number;
  /** The visible blocks after them. */
  readonly blocks: readonly Block[];
}

interface Cut {
  /** Where in the block its rest begins. */
  readonly at: number;
  /** What stands before the rest, so that it is read as the same kind of block. */
  readonly lead: string;
}

export class TailReader {
  #tail = "";
  #settled = 0;
  /** Does the tail begin with the rest of a block that was cut? */
  #continues = false;

  constructor(private readonly links: Links = {}) {}

  get tailLength(): number {
    return this.#tail.length;
  }

  push(text: string): Reading {
    this.#tail += text.replaceAll("\r", "");
    const settled = this.#settled;
    const before: Block[] = [];
    for (;;) {
      const tokens = blocksIn(this.#tail, this.links);
      const blocks = this.#seen(tokens);
      const last = blocks.at(-1)?.token;
      if (!last || last.raw.length <= LONGEST_BLOCK) {
        const reading = { settled, blocks: [...before, ...blocks] };
        this.#settle(tokens, blocks);
        return reading;
      }
      before.push(...this.#cut(tokens, last));
    }
  }

  /** Settle all up to somewhere inside the last block; the tail goes on with its rest. */
  #cut(tokens: readonly Token[], last: Token): Block[] {
    const { at, lead } = cutOf(last);
    const start = lengthBefore(tokens, last);
    const head = this.#seen(blocksIn(this.#tail.slice(0, start + at), this.links));
    this.#tail = lead + this.#tail.slice(start + at);
    this.#settled += head.length;
    this.#continues = true;
    return head;
  }

  #seen(tokens: readonly Token[]): Block[] {
    return tokens.filter(isVisible).map((token, index) => ({ token, continues: index === 0 && this.#continues }));
  }

  #settle(tokens: readonly Token[], blocks: readonly Block[]): void {
    const firstUnsettled = blocks.at(-UNSETTLED)?.token;
    if (blocks.length <= UNSETTLED || !firstUnsettled) return;
    this.#tail = this.#tail.slice(lengthBefore(tokens, firstUnsettled));
    this.#settled += blocks.length - UNSETTLED;
    this.#continues = false;
  }
}

function lengthBefore(tokens: readonly Token[], wanted: Token): number {
  let length = 0;
  for (const token of tokens) {
    if (token === wanted) break;
    length += token.raw.length;
  }
  return length;
}

function cutOf(token: Token): Cut {
  const { raw } = token;
  if (token.type === "list") return { at: itemBorder(token as Tokens.List) ?? textBorder(raw), lead: "" };
  if (token.type === "table") return { at: lineBorder(raw) ?? textBorder(raw), lead: leadOf(/^.*\n.*\n/, raw) };
  if (token.type === "code" && /^ {0,3}[`~]{3}/.test(raw)) return { at: textBorder(raw), lead: leadOf(/^.*\n/, raw) };
  if (token.type === "paragraph") return { at: wordBorder(token as Tokens.Paragraph) ?? textBorder(raw), lead: "" };
  return { at: textBorder(raw), lead: "" };
}

/** Nothing when it is so long itself that the rest would never become shorter. */
function leadOf(lines: RegExp, raw: string): string {
  const lead = lines.exec(raw)?.[0] ?? "";
  return lead.length < LONGEST_BLOCK / 4 ? lead : "";
}

/** Before the last item that is still short enough to be held, of those within the longest block. */
function itemBorder(list: Tokens.List): number | null {
  let at = 0;
  let border: number | null = null;
  for (const item of list.items) {
    if (at > LONGEST_BLOCK) break;
    if (at > 0) border = at;
    at += item.raw.length;
  }
  return border !== null && /^ {0,3}(?:[-*+]|\d{1,9}[.)])\s/.test(list.raw.slice(border)) ? border : null;
}

/** After a row of a table, beyond its first two lines. */
function lineBorder(raw: string): number | null {
  const rows = (/^.*\n.*\n/.exec(raw)?.[0] ?? "").length;
  const at = raw.lastIndexOf("\n", LONGEST_BLOCK) + 1;
  return at > rows && at < raw.length ? at : null;
}

/** After a word of plain text, and before anything that may yet begin something: what is emphasised stays whole. */
function wordBorder({ raw, text, tokens }: Tokens.Paragraph): number | null {
  if (!raw.startsWith(text)) return null;
  let border = 0;
  let at = 0;
  for (const token of tokens) {
    if (at > LONGEST_BLOCK) break;
    const plain = token.type === "text" ? /^[^*_~`$[<\\]*/.exec(token.raw.slice(0, LONGEST_BLOCK - at))![0] : "";
    const space = Math.max(plain.lastIndexOf(" "), plain.lastIndexOf("\n")) + 1;
    if (space > 0) border = at + space;
    at += token.raw.length;
  }
  return border > LONGEST_BLOCK / 2 ? border : null;
}

/** After a line, else after a word, else anywhere but inside a character. */
function textBorder(raw: string): number {
  const within = raw.slice(0, LONGEST_BLOCK);
  const line = within.lastIndexOf("\n") + 1;
  if (line > LONGEST_BLOCK / 2) return line;
  const word = within.lastIndexOf(" ") + 1;
  if (word > LONGEST_BLOCK / 2) return word;
  return /[\uD800-\uDBFF]$/.test(within) ? LONGEST_BLOCK - 1 : LONGEST_BLOCK;
}
