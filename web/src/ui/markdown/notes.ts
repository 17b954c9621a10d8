/** Footnotes: numbered in the order they are called, each a button that leads to its text and back. */

import { ui } from "../../strings";

export class Notes {
  #numbers = new Map<string, number>();

  furnish(node: HTMLElement): void {
    for (const label of node.querySelectorAll<HTMLElement>("sup.footnote-reference, sup.footnote-label")) this.#number(label);
  }

  /** Once the whole text is there: what calls a note that is not there was no call. */
  settle(host: HTMLElement): void {
    for (const button of host.querySelectorAll<HTMLElement>("sup.footnote-reference > button")) {
      const label = button.dataset["note"] ?? "";
      if (!noteIn(host, "footnote-label", label)) button.parentElement?.replaceWith(`[^${label}]`);
    }
  }

  #number(holder: HTMLElement): void {
    const label = holder.textContent ?? "";
    const number = this.#numbers.get(label) ?? this.#numbers.size + 1;
    this.#numbers.set(label, number);
    const button = document.createElement("button");
    button.type = "button";
    button.dataset["note"] = label;
    button.textContent = `${number}`;
    const isCall = holder.classList.contains("footnote-reference");
    button.setAttribute("aria-label", isCall ? ui.footnote(number) : ui.footnoteBack(number));
    holder.replaceChildren(button);
  }
}

/** From a note's call to its text, or from its text to the first call. */
export function followNote(host: HTMLElement, button: HTMLElement): void {
  const isCall = button.parentElement?.classList.contains("footnote-reference") ?? false;
  const target = noteIn(host, isCall ? "footnote-label" : "footnote-reference", button.dataset["note"] ?? "");
  target?.scrollIntoView({ block: "center" });
  target?.focus({ preventScroll: true });
}

function noteIn(host: HTMLElement, kind: string, label: string): HTMLElement | undefined {
  return [...host.querySelectorAll<HTMLElement>(`sup.${kind} > button`)].find((one) => one.dataset["note"] === label);
}
