/** Reading Markdown as it grows: only the last blocks can still change, so only they are read again. */

import type { Token } from "marked";
import { blocksIn, isVisible } from "./dialect";

/** The last block may grow, and the one before it may still be drawn into it. */
const UNSETTLED = 2;

export interface Reading {
  /** How many visible blocks before these are settled. */
  readonly settled: number;
  /** The visible blocks after them. */
  readonly blocks: readonly Token[];
}

export class TailReader {
  #tail = "";
  #settled = 0;

  get tailLength(): number {
    return this.#tail.length;
  }

  push(text: string): Reading {
    this.#tail += text;
    const tokens = blocksIn(this.#tail);
    const blocks = tokens.filter(isVisible);
    const reading = { settled: this.#settled, blocks };
    this.#settle(tokens, blocks);
    return reading;
  }

  #settle(tokens: readonly Token[], blocks: readonly Token[]): void {
    const firstUnsettled = blocks.at(-UNSETTLED);
    if (blocks.length <= UNSETTLED || !firstUnsettled) return;
    let length = 0;
    for (const token of tokens) {
      if (token === firstUnsettled) break;
      length += token.raw.length;
    }
    this.#tail = this.#tail.slice(length);
    this.#settled += blocks.length - UNSETTLED;
  }
}
