/** A code block on the page: its language, its buttons, its text, and later its colours. */

import { ui } from "../../strings";
import { copyText } from "../clipboard";

export interface CodeView {
  readonly frame: HTMLElement;
  readonly code: HTMLElement;
  language: string;
}

/** How files of a language end, where that is not the language's own name. */
const ENDINGS: Record<string, string> = {
  bash: "sh", "c++": "cpp", csharp: "cs", dockerfile: "Dockerfile", javascript: "js", kotlin: "kt", makefile: "mk", markdown: "md", mermaid: "mmd",
  python: "py", ruby: "rb", rust: "rs", shell: "sh", typescript: "ts", yaml: "yml",
};

export function newCode(language: string): CodeView {
  const frame = element("div", "code");
  const pre = element("pre", "code-body");
  const code = element("code", "");
  pre.tabIndex = 0; // long lines scroll sideways, by keyboard too
  pre.dir = "ltr";
  pre.append(code);
  frame.append(head(), pre);
  const view = { frame, code, language: "" };
  nameLanguage(view, language);
  return view;
}

/**
 * The rest of a code block that was too long to be drawn as one: it stands below it in the same frame, so that all of it
 * scrolls together. `begins`: what stands between the two when they are copied.
 */
export function continuedCode({ frame, code, language }: CodeView, begins: "" | "\n"): CodeView {
  const rest = element("code", "");
  rest.dataset["begins"] = begins;
  code.after(rest);
  return { frame, code: rest, language };
}

export function nameLanguage(view: CodeView, language: string): void {
  view.language = language;
  view.frame.dataset["language"] = language;
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

/** The code blocks below `host`, those inside lists and quotes as well, and each part of a long one by itself. */
export function codesIn(host: HTMLElement): CodeView[] {
  return [...host.querySelectorAll<HTMLElement>(".code-body > code")].map((code) => {
    const frame = code.closest<HTMLElement>(".code")!;
    return { frame, code, language: frame.dataset["language"] ?? "" };
  });
}

/** The word that names a fence's language: of "python title=x", "python". */
export function languageOf(info: string | undefined): string {
  return info?.trim().split(/[\s{,:]/, 1)[0]?.toLowerCase() ?? "";
}

/** Do what a button of a code block is for; false when it is none of them. */
export async function pressed(button: HTMLElement): Promise<boolean> {
  const frame = button.closest<HTMLElement>(".code");
  if (!frame) return false;
  if (button.classList.contains("code-copy")) await copy(button, wholeText(frame));
  else if (button.classList.contains("code-download")) download(wholeText(frame), fileName(frame.dataset["language"] ?? ""));
  else if (button.classList.contains("code-wrap")) wrap(button, frame);
  else if (button.classList.contains("code-source")) showSource(button, frame);
  else return false;
  return true;
}

/** What a block that was downloaded is called: of "python", "code.py". */
export function fileName(language: string): string {
  const ending = Object.hasOwn(ENDINGS, language) ? ENDINGS[language] : /^[a-z0-9]{1,8}$/.test(language) ? language : "txt";
  return `code.${ending}`;
}

async function copy(button: HTMLElement, text: string): Promise<void> {
  await copyText(text);
  button.textContent = ui.copied;
  setTimeout(() => (button.textContent = ui.copy), 1600);
}

function download(text: string, name: string): void {
  const link = element("a", "");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function wrap(button: HTMLElement, frame: HTMLElement): void {
  const isWrapped = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", `${isWrapped}`);
  frame.classList.toggle("wrapped", isWrapped);
}

function showSource(button: HTMLElement, frame: HTMLElement): void {
  const isShown = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", `${isShown}`);
  frame.classList.toggle("with-source", isShown);
}

function wholeText(frame: HTMLElement): string {
  const parts = [...frame.querySelectorAll<HTMLElement>(".code-body > code")];
  return parts.map((code) => (code.dataset["begins"] ?? "") + (code.textContent ?? "")).join("");
}

function head(): HTMLElement {
  const node = element("div", "code-head");
  const source = button("code-source", ui.diagramSource);
  source.setAttribute("aria-pressed", "false");
  const wrapping = button("code-wrap", ui.wrap);
  wrapping.setAttribute("aria-pressed", "false");
  node.append(element("span", "code-language"), source, wrapping, button("code-download", ui.download), button("code-copy", ui.copy));
  return node;
}

function button(className: string, label: string): HTMLButtonElement {
  const node = element("button", `code-action ${className}`);
  node.type = "button";
  node.textContent = label;
  return node;
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const node = document.createElement(name);
  if (className) node.className = className;
  return node;
}
