/** What stood in a conversation before someone edited a message or asked for another answer. */

import type { Message } from "../wire/types";

/** The message that took the place of another, when someone edited that. */
export function replacementOf(messages: readonly Message[], messageId: string): Message | undefined {
  return messages.find((message) => message.alternatives?.some((tail) => tail[0]?.id === messageId));
}
