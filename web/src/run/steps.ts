/** Where an answer shows what was done: stretches of tool calls, with the thoughts between them. */

import type { Block, ToolBlock } from "./transcript";

type Step = Extract<Block, { kind: "tool" | "thinking" }>;

export type Stretch =
  | { readonly kind: "block"; readonly at: number; readonly block: Exclude<Block, Step> }
  | { readonly kind: "steps"; readonly at: number; readonly blocks: readonly Step[] };

/** The tool of the built-in agent that shows its plan. */
const PLANS = "update_plan";

/**
 * The blocks in their order. `at` is the place of the first one of each stretch, which stays as an answer grows.
 * `hasPlan`: the plan is shown, so that what updated it needs no line of its own.
 */
export function stretchesOf(blocks: readonly Block[], hasPlan = false): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [at, block] of blocks.entries()) {
    if (isPlanning(block, hasPlan)) continue;
    const last = stretches.at(-1);
    if (block.kind !== "tool" && block.kind !== "thinking") stretches.push({ kind: "block", at, block });
    else if (last?.kind === "steps") stretches[stretches.length - 1] = { ...last, blocks: [...last.blocks, block] };
    else stretches.push({ kind: "steps", at, blocks: [block] });
  }
  return stretches;
}

/** Is all of it told by the plan? While it is at work there is nothing else to tell. */
function isPlanning(block: Block, hasPlan: boolean): boolean {
  return block.kind === "tool" && block.name === PLANS && (block.state === "running" || (block.state === "done" && hasPlan));
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
