/** Markdown on the page, redrawing only the blocks that changed while it grows. */

import type { Token, Tokens } from "marked";
import { languageOf, nameLanguage, newCode, showCode, type CodeView } from "./code";
import { colourLater } from "./colours";
import { blocksIn, hasReferences, htmlOf, isInlinePicture, isVisible, safeAddress } from "./dialect";
import { isReady, putHtml, whenReady } from "./sanitise";
import { TailReader, type Reading } from "./tail";

/** From so many items or rows on, a growing list or table redraws only those that changed. */
const LONG = 8;
/** A block that is still growing beyond this is read seldom; what came since then stands below it as plain text. */
const HEAVY_TAIL = 32_000;
const HEAVY_PAUSE_MS = 2_000;

interface Slot {
  node: HTMLElement;
  raw: string;
  type: string;
  /** What each item or row of a long block was drawn from. */
  parts: string[] | null;
  code: CodeView | null;
}

export class MarkdownView {
  #reader = new TailReader();
  #slots: Slot[] = [];
  #drawn = "";
  #wanted = "";
  #isLive = false;
  #scheduled = 0;
  #notBefore = 0;
  #plainRest: Text | null = null;

  constructor(private readonly host: HTMLElement) {}

  /** Show `text`. While `live` it may grow, and is drawn when there is time; else it is drawn whole, at once. */
  show(text: string, live: boolean): void {
    if (text === this.#wanted && live === this.#isLive && this.#drawn === text) return;
    this.#wanted = text;
    this.#isLive = live;
    if (!isReady()) this.#waitForSanitiser();
    else if (!live) this.#finish();
    else this.#schedule();
  }

  destroy(): void {
    cancelAnimationFrame(this.#scheduled);
  }

  #waitForSanitiser(): void {
    this.host.textContent = this.#wanted;
    void whenReady().then(() => {
      this.#restart();
      this.show(this.#wanted, this.#isLive);
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    const look = (): void => {
      this.#scheduled = 0;
      if (performance.now() < this.#notBefore) this.#scheduled = requestAnimationFrame(look);
      else this.#draw();
    };
    this.#scheduled = requestAnimationFrame(look);
  }

  #draw(): void {
    if (this.#showAsPlainRest()) return this.#schedule();
    const started = performance.now();
    if (!this.#wanted.startsWith(this.#drawn)) this.#restart();
    this.#place(this.#reader.push(this.#wanted.slice(this.#drawn.length)));
    this.#drawn = this.#wanted;
    this.#clearPlainRest();
    // A draw is followed by three times as much rest, so that typing and scrolling always come through.
    const cost = performance.now() - started;
    this.#notBefore = started + 4 * cost;
    if (this.#reader.tailLength > HEAVY_TAIL) this.#notBefore = started + Math.max(4 * cost, HEAVY_PAUSE_MS);
  }

  #finish(): void {
    cancelAnimationFrame(this.#scheduled);
    this.#scheduled = 0;
    this.#clearPlainRest();
    if (!this.#wanted.startsWith(this.#drawn)) this.#restart();
    if (this.#drawn === "" || hasReferences(this.#wanted)) {
      this.#reader = new TailReader();
      // `[text][name]` reads differently once the name is defined, though its source stays the same.
      for (const slot of this.#slots) if (slot.raw.includes("[")) slot.raw = "";
      this.#place({ settled: 0, blocks: blocksIn(this.#wanted).filter(isVisible) });
    } else this.#place(this.#reader.push(this.#wanted.slice(this.#drawn.length)));
    this.#drawn = this.#wanted;
    for (const slot of this.#slots) this.#colour(slot);
  }

  #restart(): void {
    this.#reader = new TailReader();
    this.#drawn = "";
    this.#slots = [];
    this.#plainRest = null;
    this.host.replaceChildren();
  }

  /** While a heavy block may not be read again yet, its newest text is appended below as it is. */
  #showAsPlainRest(): boolean {
    if (this.#reader.tailLength <= HEAVY_TAIL || !this.#wanted.startsWith(this.#drawn)) return false;
    if (performance.now() >= this.#notBefore) return false;
    const rest = this.#wanted.slice(this.#drawn.length);
    if (!this.#plainRest) {
      this.#plainRest = document.createTextNode("");
      const node = document.createElement("div");
      node.className = "markdown-rest";
      node.append(this.#plainRest);
      this.host.append(node);
    }
    if (rest.startsWith(this.#plainRest.data)) this.#plainRest.appendData(rest.slice(this.#plainRest.length));
    else this.#plainRest.data = rest;
    return true;
  }

  #clearPlainRest(): void {
    this.#plainRest?.parentElement?.remove();
    this.#plainRest = null;
  }

  #place({ settled, blocks }: Reading): void {
    blocks.forEach((token, index) => this.#drawInto(settled + index, token));
    for (const slot of this.#slots.splice(settled + blocks.length)) slot.node.remove();
  }

  #drawInto(position: number, token: Token): void {
    const slot = this.#slots[position] ?? this.#newSlot();
    if (slot.raw === token.raw && slot.type === token.type) return;
    if (slot.type !== token.type) clear(slot);
    slot.type = token.type;
    slot.raw = token.raw;
    if (token.type === "code") drawCode(slot, token as Tokens.Code);
    else if (!drawParts(slot, token)) drawWhole(slot, token);
  }

  #newSlot(): Slot {
    const node = document.createElement("div");
    node.className = "markdown-block";
    node.dir = "auto";
    this.host.append(node);
    const slot: Slot = { node, raw: "", type: "", parts: null, code: null };
    this.#slots.push(slot);
    return slot;
  }

  #colour(slot: Slot): void {
    if (slot.code) colourLater(slot.code);
    else for (const view of nestedCode.get(slot.node) ?? []) colourLater(view);
  }
}

/** The code blocks inside lists and quotes, to be coloured with the rest. */
const nestedCode = new WeakMap<HTMLElement, CodeView[]>();

function clear(slot: Slot): void {
  slot.parts = null;
  slot.code = null;
  slot.node.replaceChildren();
}

function drawCode(slot: Slot, token: Tokens.Code): void {
  const language = languageOf(token.lang);
  if (!slot.code) {
    slot.code = newCode(language);
    slot.node.append(slot.code.frame);
  }
  if (slot.code.language !== language) nameLanguage(slot.code, language);
  showCode(slot.code, token.text);
}

function drawWhole(slot: Slot, token: Token): void {
  putHtml(slot.node, htmlOf(token));
  furnish(slot.node);
  slot.parts = partsOf(token)?.map(([key]) => key) ?? null;
}

/** Redraw only the changed items of a long list or rows of a long table; false when it must be drawn whole. */
function drawParts(slot: Slot, token: Token): boolean {
  const parts = partsOf(token);
  if (!parts || parts.length < LONG || !slot.parts) return false;
  const [host, pick] = token.type === "list" ? [slot.node.querySelector("ol, ul"), "li"] : [slot.node.querySelector("tbody"), "tbody tr"];
  if (!host || host.children.length !== slot.parts.length || parts.length < slot.parts.length) return false;
  for (const [index, [key, html]] of parts.entries()) {
    if (slot.parts[index] === key) continue;
    const draft = document.createElement("div");
    putHtml(draft, html());
    furnish(draft);
    const fresh = draft.querySelector(pick);
    if (!fresh) return false;
    const old = host.children[index];
    if (old) old.replaceWith(fresh);
    else host.append(fresh);
    slot.parts[index] = key;
  }
  return true;
}

function partsOf(token: Token): [key: string, html: () => string][] | null {
  if (token.type === "list") {
    const list = token as Tokens.List;
    const kind = `${list.loose}`; // a list that turns loose draws every item anew
    return list.items.map((item) => [kind + item.raw, () => htmlOf({ ...list, items: [item] })]);
  }
  if (token.type === "table") {
    const table = token as Tokens.Table;
    return table.rows.map((row) => [row.map((cell) => cell.text).join("|"), () => htmlOf({ ...table, rows: [row] })]);
  }
  return null;
}

/** What sanitised HTML still lacks: safe links, frames around code, tables that scroll. */
function furnish(node: HTMLElement): void {
  for (const link of node.querySelectorAll("a")) furnishLink(link);
  for (const picture of node.querySelectorAll("img")) if (!isInlinePicture(picture.src)) picture.remove();
  for (const table of node.querySelectorAll("table")) {
    const frame = document.createElement("div");
    frame.className = "markdown-table";
    frame.tabIndex = 0;
    table.replaceWith(frame);
    frame.append(table);
  }
  const views = [...node.querySelectorAll<HTMLElement>("pre > code")].map(frameCode);
  nestedCode.set(node, views);
}

function furnishLink(link: HTMLAnchorElement): void {
  const address = safeAddress(link.getAttribute("href") ?? "");
  if (!address) {
    const span = document.createElement("span");
    span.className = link.className;
    span.append(...link.childNodes);
    link.replaceWith(span);
    return;
  }
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.referrerPolicy = "no-referrer";
}

function frameCode(code: HTMLElement): CodeView {
  const view = newCode(/language-(\S+)/.exec(code.className)?.[1]?.toLowerCase() ?? "");
  showCode(view, code.textContent ?? "");
  code.parentElement?.replaceWith(view.frame);
  return view;
}
