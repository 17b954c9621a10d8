/** Addresses of a message in a session: what was looked for travels behind the #, which no server sees. */

export interface Sought {
  readonly messageId: string;
  /** What was looked for, to be marked; "" when nothing was. */
  readonly words: string;
}

export function pathOfSession(sessionId: string, sought: Sought | null = null): string {
  if (!sought) return `/s/${sessionId}`;
  const fields = new URLSearchParams({ message: sought.messageId });
  if (sought.words) fields.set("find", sought.words);
  return `/s/${sessionId}#${fields.toString()}`;
}

export function soughtIn(hash: string): Sought | null {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const messageId = fields.get("message");
  return messageId ? { messageId, words: fields.get("find") ?? "" } : null;
}
