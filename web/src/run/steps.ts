/** Where an answer shows what was done: stretches of tool calls, with the thoughts between them. */

import type { Block, ToolBlock } from "./transcript";

type Step = Extract<Block, { kind: "tool" | "thinking" }>;

export type Stretch =
  | { readonly kind: "block"; readonly at: number; readonly block: Exclude<Block, Step> }
  | { readonly kind: "steps"; readonly at: number; readonly blocks: readonly Step[] };

/** The blocks in their order. `at` is the place of the first one of each stretch, which stays as an answer grows. */
export function stretchesOf(blocks: readonly Block[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [at, block] of blocks.entries()) {
    const last = stretches.at(-1);
    if (block.kind !== "tool" && block.kind !== "thinking") stretches.push({ kind: "block", at, block });
    else if (last?.kind === "steps") stretches[stretches.length - 1] = { ...last, blocks: [...last.blocks, block] };
    else stretches.push({ kind: "steps", at, blocks: [block] });
  }
  return stretches;
}

/** Something that was done; `below` is what a sub-agent did for it. */
export interface Deed {
  readonly block: Step;
  readonly below: readonly ToolBlock[];
}

/** The blocks of a stretch in their order, but each sub-agent's calls with the call that it was made for. */
export function deedsOf(blocks: readonly Step[]): Deed[] {
  const tools = toolsOf(blocks);
  const here = new Set(tools.map((tool) => tool.call_id));
  const isBelow = (block: Step): boolean => block.kind === "tool" && here.has(block.parent);
  const below = (block: Step): ToolBlock[] => (block.kind === "tool" ? tools.filter((tool) => tool.parent === block.call_id) : []);
  return blocks.filter((block) => !isBelow(block)).map((block) => ({ block, below: below(block) }));
}

export function toolsOf(blocks: readonly Block[]): ToolBlock[] {
  return blocks.filter((block) => block.kind === "tool");
}
