/** Blocks as they lie in the page: in parts, which a browser lays out only where they can be seen. */

/** The browser looks at every part in every frame, so they are neither many nor large. */
const MOST_BLOCKS = 24;
const MOST_TEXT = 16_000;

/** How much text a part holds. */
const weights = new WeakMap<Element, number>();

/** The part that another block goes into, behind all others. */
export function partFor(host: HTMLElement): HTMLElement {
  const last = host.lastElementChild;
  if (last instanceof HTMLElement && last.childElementCount < MOST_BLOCKS && weightOf(last) < MOST_TEXT) return last;
  const part = document.createElement("div");
  part.className = "markdown-part";
  host.append(part);
  return part;
}

/** Note how much text a block has gained or lost. */
export function weigh(block: HTMLElement, more: number): void {
  const part = block.parentElement;
  if (part) weights.set(part, weightOf(part) + more);
}

function weightOf(part: Element): number {
  return weights.get(part) ?? 0;
}

export function removeBlock(block: HTMLElement): void {
  const part = block.parentElement;
  block.remove();
  if (part?.childElementCount === 0) part.remove();
}

/** What stands in a block and the rests of it, when it was too long to stay whole: each one's child of a class. */
export function chainOf(node: HTMLElement, className: string): HTMLElement[] {
  const blocks = [...(node.closest(".markdown")?.querySelectorAll<HTMLElement>(".markdown-block") ?? [])];
  let first = blocks.indexOf(node.closest<HTMLElement>(".markdown-block")!);
  if (first < 0 || node.parentElement !== blocks[first]) return [node];
  while (first > 0 && blocks[first]!.classList.contains("continues")) first -= 1;
  const rests = blocks.slice(first + 1).findIndex((block) => !block.classList.contains("continues"));
  const chain = rests < 0 ? blocks.slice(first) : blocks.slice(first, first + 1 + rests);
  return chain.flatMap((block) => [...block.querySelectorAll<HTMLElement>(`:scope > .${className}`)]);
}
