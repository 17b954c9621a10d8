/** A code block on the page: its language, its copy button, its text, and later its colours. */

import { ui } from "../../strings/en";

export interface CodeView {
  readonly frame: HTMLElement;
  readonly code: HTMLElement;
  language: string;
}

export function newCode(language: string): CodeView {
  const frame = element("div", "code");
  const head = element("div", "code-head");
  const name = element("span", "code-language");
  const copy = element("button", "code-copy");
  const pre = element("pre", "code-body");
  const code = element("code", "");
  copy.setAttribute("type", "button");
  copy.textContent = ui.copy;
  pre.tabIndex = 0; // long lines scroll sideways, by keyboard too
  pre.dir = "ltr";
  head.append(name, copy);
  pre.append(code);
  frame.append(head, pre);
  const view = { frame, code, language: "" };
  nameLanguage(view, language);
  return view;
}

export function nameLanguage(view: CodeView, language: string): void {
  view.language = language;
  const name = view.frame.querySelector(".code-language");
  if (name) name.textContent = language || ui.plainCode;
  view.code.parentElement?.setAttribute("aria-label", ui.codeIn(language || ui.plainCode));
}

/** Show `text`, adding to what is there when it merely grew. */
export function showCode(view: CodeView, text: string): void {
  const node = view.code.firstChild;
  if (node instanceof Text && view.code.childNodes.length === 1 && text.startsWith(node.data)) {
    if (text.length > node.length) node.appendData(text.slice(node.length));
  } else view.code.textContent = text;
}

/** The word that names a fence's language: of "python title=x", "python". */
export function languageOf(info: string | undefined): string {
  return info?.trim().split(/[\s{,:]/, 1)[0]?.toLowerCase() ?? "";
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const node = document.createElement(name);
  if (className) node.className = className;
  return node;
}
