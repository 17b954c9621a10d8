/** What a key means for the whole page. */

export type Shortcut = "palette" | "find" | "within" | "help";

export interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly isComposing: boolean;
}

/** `isWriting`: the focus is where plain letters are text. */
export function shortcutOf(event: Key, isWriting: boolean): Shortcut | null {
  if (event.isComposing || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === "k" && !event.shiftKey) return "palette";
    if (key === "f" && event.shiftKey) return "find";
    return key === "g" && !event.shiftKey ? "within" : null;
  }
  if (isWriting) return null;
  if (key === "/") return "find";
  return key === "?" ? "help" : null;
}

export function isWritingIn(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
}
