/** Finding in the open conversation: all of it, not only what the page holds. */

import { Finding } from "../../state/finding.svelte";
import { withinSession, wordsOf } from "../../state/queries";
import type { Client } from "../../wire/client";
import type { Passage } from "../../wire/types";
import type { Conversation } from "./conversation.svelte";

export class Within {
  isOpen = $state(false);
  text = $state("");
  /** Which of the passages is shown, from 0; -1 for none. */
  at = $state(-1);
  readonly finding: Finding;
  readonly passages: readonly Passage[] = $derived.by(() => this.finding.results[0]?.passages ?? []);

  constructor(
    client: Client,
    private readonly conversation: Conversation,
  ) {
    this.finding = new Finding(client, 1);
  }

  open(): void {
    this.isOpen = true;
  }

  /** Look for words; the message `wanted` is shown first, else the newest that fits. */
  async ask(text: string, wanted: string | null = null): Promise<void> {
    this.text = text;
    const { sessionId } = this.conversation;
    if (text.trim() === "" || !sessionId) {
      this.finding.clear();
      this.at = -1;
      this.conversation.target = null;
      return;
    }
    await this.finding.ask(text, withinSession(sessionId, text));
    if (this.finding.status !== "ready" || this.text !== text) return;
    const known = this.passages.findIndex((passage) => passage.message_id === wanted);
    await this.#show(known < 0 ? this.passages.length - 1 : known);
  }

  /** The next passage further down (1) or up (-1); after the last comes the first. */
  async step(by: 1 | -1): Promise<void> {
    const { length } = this.passages;
    if (length > 0) await this.#show((this.at + by + length) % length);
  }

  close(): void {
    this.isOpen = false;
    this.finding.clear();
    this.text = "";
    this.at = -1;
    this.conversation.target = null;
  }

  async #show(at: number): Promise<void> {
    this.at = at;
    const passage = this.passages[at];
    if (passage) await this.conversation.goTo({ messageId: passage.message_id, words: wordsOf(this.text) });
    else this.conversation.target = null;
  }
}
