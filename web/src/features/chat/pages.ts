/** Putting pages of messages together by their place in the session. */

import { textOf } from "../../run/answers";
import type { Message } from "../../wire/types";

/** Beyond so many messages, or so much text and more than a few, those far above are let go. */
const MANY = 300;
const MUCH = 1_000_000;
const FEW = 20;

/** Messages in a row; `offset` is how many of the session came before the first. */
export interface Stretch {
  readonly offset: number;
  readonly messages: readonly Message[];
}

/** What is known once the session's last page came: it wins, and known messages right before it stay. */
export function withLatest(known: Stretch, latest: Stretch): Stretch {
  const before = latest.offset - known.offset;
  if (before < 0 || before > known.messages.length) return latest;
  return { offset: known.offset, messages: [...known.messages.slice(0, before), ...latest.messages] };
}

/** What is known once the page after it came; a page that does not touch it adds nothing. */
export function withNewer(known: Stretch, newer: Stretch): Stretch {
  const overlap = known.offset + known.messages.length - newer.offset;
  if (overlap < 0 || overlap > newer.messages.length) return known;
  return { offset: known.offset, messages: [...known.messages, ...newer.messages.slice(overlap)] };
}

/** What is known once the page before it came; a page that does not touch it (the session changed) adds nothing. */
export function withOlder(known: Stretch, older: Stretch): Stretch {
  if (older.offset + older.messages.length !== known.offset) return known;
  return { offset: older.offset, messages: [...older.messages, ...known.messages] };
}

/** How many of the last messages are kept, where nobody looks at those above. */
export function keptOf(messages: readonly Message[]): number {
  let weight = 0;
  const first = messages.findLastIndex((message, index) => {
    weight += textOf(message.content).length + (message.reasoning?.length ?? 0);
    return messages.length - index > MANY || (weight > MUCH && messages.length - index > FEW);
  });
  return messages.length - 1 - first;
}
