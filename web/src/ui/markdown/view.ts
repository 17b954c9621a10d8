/** Markdown on the page, redrawing only the blocks that changed while it grows, and never for long at a time. */

import type { Token, Tokens } from "marked";
import { codesIn, continuedCode, languageOf, nameLanguage, newCode, pressed, showCode, type CodeView } from "./code";
import { colourLater } from "./colours";
import { drawDiagram } from "./diagrams";
import { htmlOf, linksIn, type Links } from "./dialect";
import { alignTable, furnish, shareScroll } from "./furnish";
import { followNote, Notes } from "./notes";
import { Pace } from "./pace";
import { partFor, removeBlock, weigh } from "./parts";
import { patch } from "./patch";
import { isReady, putHtml, whenReady } from "./sanitise";
import { TailReader, type Block } from "./tail";

/** From so many items or rows on, a growing list or table redraws only those that changed. */
const LONG = 8;
/** So much text is read at once; between one piece and the next it is asked whether there is still time. */
const PIECE = 4_000;
/** What is shorter than this is drawn at once when it is shown, so that nothing grows on the screen that is long over. */
const AT_ONCE = 16_000;
/** Reading goes on in the next frame after this. */
const BUDGET_MS = 8;

interface Slot {
  node: HTMLElement;
  raw: string;
  type: string;
  continues: boolean;
  /** What each item or row of a long block was drawn from. */
  parts: string[] | null;
  code: CodeView | null;
}

export class MarkdownView {
  #reader = new TailReader();
  #links: Links = {};
  #notes = new Notes();
  #slots: Slot[] = [];
  #used = 0;
  #drawn = "";
  #wanted = "";
  #isLive = false;
  #isSettled = false;
  readonly #pace = new Pace(() => this.#draw(BUDGET_MS));

  constructor(private readonly host: HTMLElement) {
    shareScroll(host);
  }

  /** Show `text`. While `live` it may grow, and is drawn when there is time; else as much as there is time for at once. */
  show(text: string, live: boolean): void {
    if (text === this.#wanted && live === this.#isLive && this.#drawn === text) return;
    this.#wanted = text;
    this.#isLive = live;
    if (!isReady()) this.#waitForSanitiser();
    else if (live) this.#pace.want();
    else this.#finish();
  }

  /** Do what a button inside it is for. */
  clicked(event: MouseEvent): void {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button");
    if (!button) return;
    if (button.dataset["note"] !== undefined) followNote(this.host, button);
    else void pressed(button);
  }

  destroy(): void {
    this.#pace.stop();
  }

  #waitForSanitiser(): void {
    this.host.textContent = this.#wanted;
    void whenReady().then(() => {
      this.#restart();
      this.show(this.#wanted, this.#isLive);
    });
  }

  #finish(): void {
    this.#isSettled = false;
    const links = linksIn(this.#wanted);
    if (Object.keys(links).length > 0) this.#readAnew(links);
    if (this.#wanted.length - this.#drawn.length > AT_ONCE) this.#pace.want(true);
    else this.#draw(Infinity);
  }

  /** `[text][name]` reads differently once the name is defined, though its source stays the same. */
  #readAnew(links: Links): void {
    this.#links = links;
    this.#reader = new TailReader(links);
    this.#drawn = "";
    this.#used = 0;
    for (const slot of this.#slots) if (slot.raw.includes("[")) slot.raw = "";
  }

  /** Read on and draw, for `budget` milliseconds; what is left then waits for another frame. */
  #draw(budget: number): void {
    const started = performance.now();
    if (!this.#wanted.startsWith(this.#drawn)) this.#restart();
    do this.#drawPiece();
    while (this.#drawn.length < this.#wanted.length && performance.now() - started < budget);
    if (this.#drawn.length < this.#wanted.length) this.#pace.want(!this.#isLive);
    else if (!this.#isLive) this.#settle();
  }

  #drawPiece(): void {
    const end = this.#drawn.length + PIECE;
    const { settled, blocks } = this.#reader.push(this.#wanted.slice(this.#drawn.length, end));
    this.#drawn = this.#wanted.slice(0, end);
    blocks.forEach((block, index) => this.#drawInto(settled + index, block));
    this.#used = settled + blocks.length;
    // While the whole is read anew, what was drawn of the rest stays until it is reached.
    if (this.#drawn.length === this.#wanted.length) for (const slot of this.#slots.splice(this.#used)) drop(slot);
  }

  /** All is drawn and nothing comes after it: what needs the whole, or a quiet moment, is done now. */
  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#notes.settle(this.host);
    for (const view of codesIn(this.host)) if (!drawDiagram(view)) colourLater(view);
  }

  #restart(): void {
    this.#reader = new TailReader(this.#links);
    this.#notes = new Notes();
    this.#drawn = "";
    this.#slots = [];
    this.#used = 0;
    this.#isSettled = false;
    this.host.replaceChildren();
  }

  #drawInto(position: number, { token, continues }: Block): void {
    const slot = this.#slots[position] ?? this.#newSlot();
    if (slot.raw === token.raw && slot.type === token.type && slot.continues === continues) return;
    const before = continues ? this.#slots[position - 1] : undefined;
    const isSame = before?.type === token.type;
    if (slot.type !== token.type || slot.continues !== continues) clear(slot);
    weigh(slot.node, token.raw.length - slot.raw.length);
    slot.type = token.type;
    slot.raw = token.raw;
    slot.continues = continues;
    slot.node.classList.toggle("continues", isSame);
    if (isSame) before.node.classList.add("continued");
    if (token.type === "code") drawCode(slot, token as Tokens.Code, isSame ? before : null);
    else if (!drawParts(slot, token, this.#notes)) drawWhole(slot, token, this.#notes);
    if (token.type === "table" && before && isSame) alignTable(slot.node, before.node);
  }

  #newSlot(): Slot {
    const node = document.createElement("div");
    node.className = "markdown-block";
    node.dir = "auto";
    partFor(this.host).append(node);
    const slot: Slot = { node, raw: "", type: "", continues: false, parts: null, code: null };
    this.#slots.push(slot);
    return slot;
  }
}

function clear(slot: Slot): void {
  slot.code?.code.remove(); // it may stand in the frame of the block before
  slot.parts = null;
  slot.code = null;
  slot.node.replaceChildren();
}

function drop(slot: Slot): void {
  clear(slot);
  removeBlock(slot.node);
}

/** `before`: what it goes on from, when it does. */
function drawCode(slot: Slot, token: Tokens.Code, before: Slot | null): void {
  if (slot.code && before?.code && slot.code.frame !== before.code.frame) clear(slot);
  slot.code ??= codeIn(slot, before);
  const language = languageOf(token.lang);
  if (slot.code.language !== language) nameLanguage(slot.code, language);
  showCode(slot.code, token.text);
}

function codeIn(slot: Slot, before: Slot | null): CodeView {
  // Where a line was cut in the middle, what is copied goes on without a new one.
  if (before?.code) return continuedCode(before.code, before.raw.endsWith("\n") ? "\n" : "");
  const code = newCode("");
  slot.node.append(code.frame);
  return code;
}

function drawWhole(slot: Slot, token: Token, notes: Notes): void {
  patch(slot.node, drafted(htmlOf(token), notes));
  slot.parts = partsOf(token)?.map(([key]) => key) ?? null;
}

function drafted(html: string, notes: Notes): HTMLElement {
  const draft = document.createElement("div");
  putHtml(draft, html);
  furnish(draft, notes);
  return draft;
}

/** Redraw only the changed items of a long list or rows of a long table; false when it must be drawn whole. */
function drawParts(slot: Slot, token: Token, notes: Notes): boolean {
  const parts = partsOf(token);
  if (!parts || parts.length < LONG || !slot.parts) return false;
  const [host, pick] = token.type === "list" ? [slot.node.querySelector("ol, ul"), "li"] : [slot.node.querySelector("tbody"), "tbody tr"];
  if (!host || host.children.length !== slot.parts.length || parts.length < slot.parts.length) return false;
  for (const [index, [key, html]] of parts.entries()) {
    if (slot.parts[index] === key) continue;
    const fresh = drafted(html(), notes).querySelector(pick);
    if (!fresh) return false;
    const old = host.children[index];
    if (old) patch(old, fresh);
    else host.append(fresh, "\n");
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
