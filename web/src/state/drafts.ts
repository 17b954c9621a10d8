/** What was typed and not yet sent, kept in this browser until it is. */

export interface Draft {
  text: string;
  /** The id it was last sent under: sent again unchanged under the same id, it can never arrive twice. */
  messageId?: string;
}

const PREFIX = "fireside.draft.";
const NEW = "new";

export function readDraft(sessionId: string | null): Draft {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PREFIX + (sessionId ?? NEW)) ?? "null");
    if (typeof kept === "object" && kept !== null && "text" in kept && typeof kept.text === "string") return kept as Draft;
  } catch {
    // Storage is switched off, or holds something else: there is no draft.
  }
  return { text: "" };
}

export function writeDraft(sessionId: string | null, draft: Draft): void {
  const key = PREFIX + (sessionId ?? NEW);
  try {
    if (draft.text === "") localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(draft));
  } catch {
    // Storage is full or switched off: the text still stands in the page.
  }
}
