/** The messages of a conversation that are here: a stretch of all, which grows page by page where one reads. */

import { sentenceOf } from "../../wire/client";
import type { Message, SessionPage } from "../../wire/types";
import { keptOf, withLatest, withNewer, withOlder, type Stretch } from "./pages";

export const PAGE = 60;
/** So many messages before a turn whose version was chosen come with it, to join it to what is here. */
const OVERLAP = 10;

/** Which page: the last one, the one before the message of that place, or the one around a message. */
export interface PageQuery {
  readonly msg_before?: number;
  readonly msg_around?: string;
  readonly msg_limit?: number;
}

export class MessagePages {
  messages = $state.raw<readonly Message[]>([]);
  /** Are messages before the first one here still on the server? */
  hasOlder = $state(false);
  /** Are messages after the last one here still on the server? So it is where someone went to an old message. */
  hasNewer = $state(false);
  /** What became of the page that was last asked for where one reads. */
  growth = $state<"idle" | "loading" | "failed">("idle");

  #offset = 0;

  constructor(private readonly fetch: (query: PageQuery) => Promise<SessionPage>) {}

  /** How many messages of the session there are up to the last one here. */
  get end(): number {
    return this.#offset + this.messages.length;
  }

  has(messageId: string): boolean {
    return this.messages.some((message) => message.id === messageId);
  }

  /** Load the page before the first message here. Answers whether there was one. */
  async loadOlder(): Promise<boolean> {
    if (!this.hasOlder) return false;
    return this.#grow(async () => {
      const page = await this.fetch({ msg_before: this.#offset });
      this.#place(withOlder(this.#stretch, stretchOf(page)));
    });
  }

  /** Load the page after the last message here. */
  async loadNewer(): Promise<void> {
    if (!this.hasNewer) return;
    await this.#grow(async () => {
      const { end } = this;
      const page = await this.fetch({ msg_before: end + PAGE });
      if (end !== this.end) return; // someone went elsewhere meanwhile
      this.#place(withNewer(this.#stretch, stretchOf(page)), page._messages_after > 0);
    });
  }

  /** Have the messages around one of them here, wherever it is. Raises what the server says against it. */
  async loadAround(messageId: string): Promise<void> {
    if (!this.has(messageId)) this.takeAround(await this.fetch({ msg_around: messageId }));
  }

  /** Have the end of the conversation here. Raises what the server says against it. */
  async loadLatest(): Promise<void> {
    if (this.hasNewer) this.#place(stretchOf(await this.fetch({})), false);
  }

  /** Have afresh what the server has from one message here on. Raises what the server says against it. */
  async loadFrom(place: number): Promise<void> {
    const page = await this.fetch({ msg_before: this.#offset + place + PAGE - OVERLAP });
    const before = { offset: this.#offset, messages: this.messages.slice(0, place) };
    this.#place(withLatest(before, stretchOf(page)), page._messages_after > 0);
  }

  takeAround(page: SessionPage): void {
    this.#place(stretchOf(page), page._messages_after > 0);
  }

  /** The last page has come, which is of no interest where someone reads far above. */
  takeLatest(page: SessionPage): void {
    if (!this.hasNewer) this.#place(withLatest(this.#stretch, stretchOf(page)));
  }

  /** Let go of messages far above. Answers whether some went. */
  trim(): boolean {
    const surplus = this.messages.length - keptOf(this.messages);
    if (surplus <= 0 || this.growth === "loading" || this.hasNewer) return false;
    this.#place({ offset: this.#offset + surplus, messages: this.messages.slice(surplus) });
    return true;
  }

  async #grow(load: () => Promise<void>): Promise<boolean> {
    if (this.growth === "loading") return false;
    this.growth = "loading";
    try {
      await load();
      this.growth = "idle";
      return true;
    } catch (error) {
      sentenceOf(error);
      this.growth = "failed";
      return false;
    }
  }

  get #stretch(): Stretch {
    return { offset: this.#offset, messages: this.messages };
  }

  #place({ offset, messages }: Stretch, hasNewer = this.hasNewer): void {
    this.hasNewer = hasNewer;
    this.#offset = offset;
    this.messages = messages;
    this.hasOlder = offset > 0;
  }
}

function stretchOf(page: SessionPage): Stretch {
  return { offset: page._messages_offset, messages: page.session.messages };
}
