/** Colouring finished code blocks when the browser has nothing better to do. */

import { putHtml } from "./sanitise";
import type { CodeView } from "./code";

/** Beyond this many characters the colours cost more than they help. */
const LONGEST = 60_000;

const waiting = new Set<CodeView>();
let scheduled = false;

export function colourLater(view: CodeView): void {
  if (!view.language || (view.code.textContent?.length ?? 0) > LONGEST) return;
  waiting.add(view);
  if (scheduled) return;
  scheduled = true;
  whenIdle(() => void colourWaiting());
}

async function colourWaiting(): Promise<void> {
  const { default: hljs } = await import("./languages");
  for (const view of waiting) {
    waiting.delete(view);
    const text = view.code.textContent ?? "";
    if (!view.code.isConnected || !hljs.getLanguage(view.language)) continue;
    putHtml(view.code, hljs.highlight(text, { language: view.language, ignoreIllegals: true }).value);
    await new Promise<void>(whenIdle);
  }
  scheduled = false;
}

function whenIdle(call: () => void): void {
  if ("requestIdleCallback" in globalThis) requestIdleCallback(() => call(), { timeout: 1000 });
  else setTimeout(call, 50);
}
