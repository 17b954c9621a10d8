/** What stood in a conversation before someone edited a message or asked for another answer. */

import type { Message } from "../wire/types";

/** The message that took the place of another, when someone edited that. */
export function replacementOf(messages: readonly Message[], messageId: string): Message | undefined {
  return messages.find((message) => message.id !== messageId && message.versions?.includes(messageId));
}

/** The versions of a turn, with one more that begins with `messageId` and is the newest. */
export function withNewest(message: Message, messageId: string): Pick<Message, "versions" | "version"> {
  const before = message.versions ?? [message.id];
  return { versions: [...before, messageId], version: before.length };
}
