/** What a row tells of a session beside its title. */

import type { Row } from "../../wire/types";

export type Sign = "asks" | "running" | "held" | "unread";

/**
 * Where an agent `asks`, that comes first. While it is answering, nothing else is worth telling: what waits follows, and what
 * is new is not whole.
 */
export function signsOf(row: Row, asks: boolean): Sign[] {
  if (asks) return ["asks"];
  if (row.is_streaming) return ["running"];
  const signs: Sign[] = [];
  if (row.held_messages > 0) signs.push("held");
  if (row.unread) signs.push("unread");
  return signs;
}
