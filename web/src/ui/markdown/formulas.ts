/** Setting formulas as MathML; what sets them is fetched with the first. */

import { putMath } from "./sanitise";

/** What TeX may expand to, and how large a thing in it may become, in em. */
const LIMITS = { maxExpand: 200, maxSize: 20 } as const;
const REMEMBERED = 400;

type Katex = typeof import("katex").default;

let katex: Katex | null = null;
let loading: Promise<void> | null = null;
const waiting = new Set<HTMLElement>();
/** A growing paragraph is drawn again and again with the same formulas in it. */
const known = new Map<string, string | null>();

/** Put the formula in place of its source, which stays where it cannot be set. */
export function drawFormula(source: HTMLElement): void {
  if (katex) return replace(source, katex);
  waiting.add(source);
  loading ??= load();
}

async function load(): Promise<void> {
  try {
    katex = (await import("katex")).default;
    for (const source of waiting) if (source.isConnected) replace(source, katex);
  } catch {
    loading = null; // the next formula asks again; until then the sources are shown
  }
  waiting.clear();
}

function replace(source: HTMLElement, engine: Katex): void {
  const isDisplay = source.classList.contains("formula-display");
  const html = mathOf(source.textContent ?? "", isDisplay, engine);
  if (html === null) return;
  const node = document.createElement("span");
  node.className = isDisplay ? "math math-display" : "math";
  if (isDisplay) node.tabIndex = 0; // long ones scroll sideways, by keyboard too
  putMath(node, html);
  source.replaceWith(node);
}

function mathOf(tex: string, displayMode: boolean, engine: Katex): string | null {
  const key = `${displayMode} ${tex}`;
  let html = known.get(key);
  if (html !== undefined) return html;
  try {
    html = engine.renderToString(tex, { output: "mathml", displayMode, trust: false, strict: "ignore", throwOnError: true, ...LIMITS });
  } catch {
    html = null; // not TeX, or too deep: its source says more than half of it would
  }
  if (known.size >= REMEMBERED) known.clear();
  known.set(key, html);
  return html;
}
