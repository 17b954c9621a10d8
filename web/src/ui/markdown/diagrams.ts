/** Diagrams, drawn in a frame that can neither ask anyone for anything nor reach this page. */

import { ui } from "../../strings";
import type { CodeView } from "./code";

const ADDRESS = "/diagram/frame.html";
/** From when the frame is there until its diagram is. */
const PATIENCE_MS = 10_000;
const LONGEST = 20_000;
const TALLEST = 4_000;
/** How the colours of a diagram are called there, and here. */
const COLOURS = {
  background: "--surface",
  primaryColor: "--surface-said",
  primaryTextColor: "--text",
  primaryBorderColor: "--line-strong",
  secondaryColor: "--accent-soft",
  tertiaryColor: "--surface-sunken",
  lineColor: "--text-quiet",
  textColor: "--text",
} as const;

type Said = { kind: "ready" } | { kind: "drawn"; height: number } | { kind: "failed" };

const diagrams = new Set<Diagram>();

/** Draw what is in a code block, when it is a diagram; false when it is none. */
export function drawDiagram(view: CodeView): boolean {
  const source = view.code.textContent ?? "";
  if (view.language !== "mermaid" || source.length > LONGEST || view.frame.querySelector("code + code")) return false;
  if (!view.frame.querySelector("iframe")) watch(view.frame, () => new Diagram(view, source));
  return true;
}

class Diagram {
  readonly #frame = document.createElement("iframe");
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly view: CodeView,
    private readonly source: string,
  ) {
    const frame = this.#frame;
    frame.className = "diagram";
    frame.title = ui.diagram;
    frame.setAttribute("sandbox", "allow-scripts");
    frame.referrerPolicy = "no-referrer";
    frame.src = ADDRESS;
    view.frame.classList.add("drawing");
    view.frame.append(frame);
    this.#timer = setTimeout(() => this.#give(), PATIENCE_MS);
    diagrams.add(this);
  }

  get isGone(): boolean {
    return !this.#frame.isConnected;
  }

  isFrom(source: MessageEventSource | null): boolean {
    return source !== null && source === this.#frame.contentWindow;
  }

  take(said: Said | null): void {
    if (said?.kind === "ready") this.draw();
    else if (said?.kind === "drawn") this.#show(said.height);
    else this.#give();
  }

  draw(): void {
    // The frame has no origin that could be named: that it is ours is known by its window.
    this.#frame.contentWindow?.postMessage({ source: this.source, ...look() }, "*");
  }

  #show(height: number): void {
    clearTimeout(this.#timer);
    this.#frame.height = `${Math.min(Math.max(Math.ceil(height), 40), TALLEST)}`;
    this.view.frame.classList.remove("drawing");
    this.view.frame.classList.add("drawn");
  }

  /** It cannot be drawn, or not in time: its source stays. */
  #give(): void {
    clearTimeout(this.#timer);
    diagrams.delete(this);
    this.#frame.remove();
    this.view.frame.classList.remove("drawing", "drawn");
  }
}

function heard({ source, data }: MessageEvent): void {
  for (const one of diagrams) if (one.isGone) diagrams.delete(one);
  for (const one of diagrams) if (one.isFrom(source)) return one.take(saidIn(data));
}

function saidIn(data: unknown): Said | null {
  if (typeof data !== "object" || data === null) return null;
  const { kind, height } = data as { kind?: unknown; height?: unknown };
  if (kind === "ready") return { kind };
  if (kind === "drawn" && typeof height === "number" && Number.isFinite(height)) return { kind, height };
  return null;
}

function look(): { colours: Record<string, string>; isDark: boolean } {
  const probe = document.createElement("span");
  document.body.append(probe);
  const colours: Record<string, string> = {};
  for (const [name, token] of Object.entries(COLOURS)) {
    probe.style.color = `var(${token})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.style.color = "light-dark(white, black)";
  const isDark = getComputedStyle(probe).color === "rgb(0, 0, 0)";
  probe.remove();
  return { colours, isDark };
}

function watch(node: HTMLElement, seen: () => void): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      seen();
    },
    { rootMargin: "300px" },
  );
  observer.observe(node);
}

function redraw(): void {
  for (const one of diagrams) one.draw();
}

if (globalThis.document) {
  window.addEventListener("message", heard);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
