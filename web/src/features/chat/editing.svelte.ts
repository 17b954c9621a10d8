/** One of the person's own messages being edited, whatever happens to it elsewhere meanwhile. */

import { textOf } from "../../run/answers";
import { replacementOf } from "../../run/alternatives";
import { attacher, hasFiles, missingOf } from "../../state/attach";
import type { Attaching, Holder } from "../../state/attaching.svelte";
import type { Client } from "../../wire/client";
import type { Attachment, Message } from "../../wire/types";
import type { Conversation, Sent } from "./conversation.svelte";

export class Editing implements Holder {
  /** The message being edited, or null. */
  messageId = $state<string | null>(null);
  text = $state("");
  attachments = $state.raw<readonly Attachment[]>([]);
  attaching = $state.raw<Attaching | null>(null);
  readonly toAttach: () => Promise<Attaching>;
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
    client: Client,
  ) {
    this.toAttach = attacher(client, this);
  }

  begin(messageId: string, text: string, attachments: readonly Attachment[]): void {
    this.#stopAttaching();
    this.messageId = messageId;
    this.text = text;
    this.attachments = attachments;
    this.failure = "";
    this.theirs = null;
    this.#original = text;
    this.#revision = this.conversation.row?.revision;
    this.#newId = this.newMessageId();
  }

  cancel(): void {
    this.messageId = null;
    this.#stopAttaching();
  }

  session(): Promise<string> {
    return this.conversation.begin();
  }

  attach(attachment: Attachment): void {
    this.attachments = [...this.attachments, attachment];
  }

  detach(id: string): void {
    this.attachments = this.attachments.filter((one) => one.id !== id);
  }

  get isEmpty(): boolean {
    return this.text.trim() === "" && !hasFiles(this);
  }

  /** The conversation changed. Answers what was written when its message is gone, so that it can be kept elsewhere. */
  heed(messages: readonly Message[]): { text: string; attachments: readonly Attachment[] } | null {
    const messageId = this.messageId;
    if (!messageId || this.isSending) return null;
    const found = messages.find((message) => message.id === messageId) ?? replacementOf(messages, messageId);
    if (!found) {
      this.cancel();
      return { text: this.text, attachments: this.attachments };
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
    if (!messageId || this.isSending || this.isEmpty) return { accepted: false, failure: "" };
    this.isSending = true;
    this.failure = "";
    const missing = await missingOf(this);
    if (missing !== null) return this.#refused(missing);
    const seen = this.#sights();
    let sent = await this.#try(messageId);
    // Something else than the messages changed, such as the title: nothing was overlooked.
    if (!sent.accepted && sent.code === "stale_revision" && this.#sights() === seen) {
      this.#revision = this.conversation.row?.revision;
      sent = await this.#try(messageId);
    }
    this.isSending = false;
    if (sent.accepted) this.cancel();
    // What stands there now says by itself that the message was changed.
    else if (this.conversation.pages.has(messageId)) this.failure = sent.failure;
    return sent;
  }

  #refused(failure: string): Sent {
    this.isSending = false;
    this.failure = failure;
    return { accepted: false, failure };
  }

  #stopAttaching(): void {
    this.attaching?.stop();
  }

  #try(messageId: string): Promise<Sent> {
    return this.conversation.edit(messageId, this.text.trimEnd(), this.attachments, this.#newId, this.#revision);
  }

  /** All that an edit might overlook. */
  #sights(): string {
    return JSON.stringify(this.conversation.pages.messages.map(({ id, content, attachments }) => [id, content, attachments]));
  }
}
