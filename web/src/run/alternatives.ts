/** What stood in a conversation before someone edited a message or asked for another answer. */

import type { Message } from "../wire/types";

/** An earlier version that is read: the message that has it now, and the place among its alternatives. */
export interface Reading {
  readonly of: string;
  readonly at: number;
}

/** The conversation as it would be read with that version in it; as it is, when there is no such version any more. */
export function withVersion(messages: readonly Message[], reading: Reading | null): readonly Message[] {
  const place = messages.findIndex((message) => message.id === reading?.of);
  const now = messages[place];
  const tail = reading && now?.alternatives?.[reading.at];
  if (!now || !tail) return messages;
  // An edit kept the message with its answers, a retry the answers alone.
  const [first = now, ...rest] = tail[0]?.role === "user" ? tail : [now, ...tail];
  const said = { ...first, alternatives: now.alternatives };
  return [...messages.slice(0, place), said, ...rest.map(({ alternatives: _, ...message }) => message)];
}

/** Where in it the version begins: the id of the message that stands there. */
export function beginningOf(messages: readonly Message[], reading: Reading): string {
  const first = messages.find((message) => message.id === reading.of)?.alternatives?.[reading.at]?.[0];
  return first?.role === "user" ? first.id : reading.of;
}

/** The message that took the place of another, when someone edited that. */
export function replacementOf(messages: readonly Message[], messageId: string): Message | undefined {
  return messages.find((message) => message.alternatives?.some((tail) => tail[0]?.id === messageId));
}
