/** What this browser keeps of drafts: all that the server does not have yet, and what is typed into a new conversation. */

import type { Attachment, DraftNote } from "../wire/types";

export interface DraftHere {
  readonly text: string;
  readonly attachments?: readonly Attachment[];
  /** The session in the server's memory that holds the files of a new conversation. */
  readonly filesIn?: string;
  /** What the server had when this was typed. */
  readonly base?: DraftNote;
  /** The first sent first. */
  readonly left?: readonly SentHere[];
}

/** What was sent without it being known to have arrived: under the same id it can never arrive twice. */
export interface SentHere {
  readonly text: string;
  readonly attachments?: readonly Attachment[];
  readonly messageId: string;
}

const PREFIX = "fireside.draft.";
/** A conversation without its first message has no name of its own to keep a draft under. */
const NEW = `${PREFIX}new`;

export function readHere(sessionId: string | null): DraftHere | null {
  if (sessionId !== null) return found(() => localStorage, PREFIX + sessionId);
  return ownNew() ?? found(() => localStorage, NEW);
}

/** What this very tab typed into a new conversation: other tabs may be beginning other ones. */
export function ownNew(): DraftHere | null {
  return found(() => sessionStorage, NEW);
}

export function keepHere(sessionId: string | null, draft: DraftHere): void {
  if (sessionId !== null) return put(() => localStorage, PREFIX + sessionId, draft);
  put(() => localStorage, NEW, draft);
  put(() => sessionStorage, NEW, draft);
}

/** Let go of what was kept; another tab's text, kept under the same name, stays. */
export function dropHere(sessionId: string | null, text: string): void {
  const key = sessionId === null ? NEW : PREFIX + sessionId;
  try {
    if (sessionId === null) sessionStorage.removeItem(key);
    if (found(() => localStorage, key)?.text === text) localStorage.removeItem(key);
  } catch {
    // Storage is switched off, so nothing was kept.
  }
}

/** The sessions of which something is kept here. */
export function sessionsHere(): string[] {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX) && key !== NEW);
    return keys.map((key) => key.slice(PREFIX.length));
  } catch {
    return []; // storage is switched off
  }
}

/** Be told what another tab has typed into a new conversation. */
export function watchNew(told: (draft: DraftHere | null) => void): void {
  window.addEventListener("storage", (event) => event.key === NEW && told(parsed(event.newValue)));
}

function put(storage: () => Storage, key: string, draft: DraftHere): void {
  try {
    storage().setItem(key, JSON.stringify(draft));
  } catch {
    // Storage is full or switched off: the text still stands in the page.
  }
}

function found(storage: () => Storage, key: string): DraftHere | null {
  try {
    return parsed(storage().getItem(key));
  } catch {
    return null; // storage is switched off
  }
}

function parsed(kept: string | null): DraftHere | null {
  try {
    const value: unknown = JSON.parse(kept ?? "null");
    const isDraft = typeof value === "object" && value !== null && "text" in value && typeof value.text === "string";
    return isDraft ? (value as DraftHere) : null;
  } catch {
    return null; // not of our making
  }
}
