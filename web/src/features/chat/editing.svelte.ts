/** One of the person's own messages being edited, whatever happens to it elsewhere meanwhile. */

import { textOf } from "../../run/answers";
import { replacementOf } from "../../run/alternatives";
import type { Message } from "../../wire/types";
import type { Conversation, Sent } from "./conversation.svelte";

export class Editing {
  /** The message being edited, or null. */
  messageId = $state<string | null>(null);
  text = $state("");
  failure = $state("");
  isSending = $state(false);
  /** What another window made of it meanwhile. */
  theirs = $state<string | null>(null);
  #original = "";
  #revision: number | undefined;
  #newId = "";

  constructor(
    private readonly conversation: Conversation,
    private readonly newMessageId: () => string,
  ) {}

  begin(messageId: string, text: string): void {
    this.messageId = messageId;
    this.text = text;
    this.failure = "";
    this.theirs = null;
    this.#original = text;
    this.#revision = this.conversation.row?.revision;
    this.#newId = this.newMessageId();
  }

  cancel(): void {
    this.messageId = null;
  }

  /** The conversation changed. Answers the text when its message is gone, so that it can be kept elsewhere. */
  heed(messages: readonly Message[]): string | null {
    const messageId = this.messageId;
    if (!messageId || this.isSending) return null;
    const found = messages.find((message) => message.id === messageId) ?? replacementOf(messages, messageId);
    if (!found) {
      this.messageId = null;
      return this.text;
    }
    const said = textOf(found.content);
    if (found.id !== messageId || said !== this.#original) this.theirs = said;
    this.messageId = found.id;
    this.#original = said;
    // What stands there now is shown, so it is what gets replaced.
    this.#revision = this.conversation.row?.revision;
    return null;
  }

  async send(): Promise<Sent> {
    const messageId = this.messageId;
    if (!messageId || this.isSending || !this.text.trim()) return { accepted: false, failure: "" };
    this.isSending = true;
    this.failure = "";
    const seen = this.#sights();
    let sent = await this.#try(messageId);
    // Something else than the messages changed, such as the title: nothing was overlooked.
    if (!sent.accepted && sent.code === "stale_revision" && this.#sights() === seen) {
      this.#revision = this.conversation.row?.revision;
      sent = await this.#try(messageId);
    }
    this.isSending = false;
    if (sent.accepted) this.messageId = null;
    // What stands there now says by itself that the message was changed.
    else if (this.conversation.hasMessage(messageId)) this.failure = sent.failure;
    return sent;
  }

  #try(messageId: string): Promise<Sent> {
    return this.conversation.edit(messageId, this.text.trimEnd(), this.#newId, this.#revision);
  }

  /** All that an edit might overlook. */
  #sights(): string {
    return JSON.stringify(this.conversation.messages.map(({ id, content }) => [id, content]));
  }
}
