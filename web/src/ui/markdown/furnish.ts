/** What sanitised HTML still lacks: safe links, frames around code, tables that scroll, formulas, notes. */

import { newCode, showCode } from "./code";
import { isInlinePicture, safeAddress } from "./dialect";
import { drawFormula } from "./formulas";
import type { Notes } from "./notes";
import { chainOf } from "./parts";

/** Furnish all below `node`. */
export function furnish(node: HTMLElement, notes: Notes): void {
  for (const link of node.querySelectorAll("a")) furnishLink(link);
  for (const picture of node.querySelectorAll("img")) if (!isInlinePicture(picture.src)) picture.remove();
  for (const table of node.querySelectorAll("table")) {
    const frame = document.createElement("div");
    frame.className = "markdown-table";
    frame.tabIndex = 0;
    table.replaceWith(frame);
    frame.append(table);
  }
  for (const formula of node.querySelectorAll<HTMLElement>("code.formula")) drawFormula(formula);
  notes.furnish(node);
  for (const code of node.querySelectorAll<HTMLElement>("pre > code")) frameCode(code);
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

function frameCode(code: HTMLElement): void {
  const view = newCode(/language-(\S+)/.exec(code.className)?.[1]?.toLowerCase() ?? "");
  showCode(view, code.textContent ?? "");
  code.parentElement?.replaceWith(view.frame);
}

/** Give the rest of a table that was cut the columns of what stands before it. */
export function alignTable(node: HTMLElement, before: HTMLElement): void {
  const table = node.querySelector("table");
  if (!table || table.querySelector("colgroup")) return;
  const columns = document.createElement("colgroup");
  for (const head of before.querySelectorAll("thead th")) {
    const column = document.createElement("col");
    column.width = `${head.getBoundingClientRect().width}`;
    columns.append(column);
  }
  table.classList.add("aligned");
  table.prepend(columns);
}

/** Have the parts of a table that was cut scroll sideways as one. */
export function shareScroll(host: HTMLElement): void {
  const options = { capture: true, passive: true };
  host.addEventListener("scroll", ({ target }) => {
    if (!(target instanceof HTMLElement) || !target.classList.contains("markdown-table")) return;
    for (const frame of chainOf(target, "markdown-table")) if (frame.scrollLeft !== target.scrollLeft) frame.scrollLeft = target.scrollLeft;
  }, options);
}
