/** What is typed into one conversation and not sent: here at once, then on the server, where all windows share it. */

import { ServerError, type Client } from "../wire/client";
import type { Surroundings } from "../wire/follow";
import type { DraftNote } from "../wire/types";
import { agreed, joined } from "./agreeing";
import { dropHere, keepHere, ownNew, readHere, type DraftHere } from "./draftsHere";

/** So long a pause in typing lets the server have it. */
const PAUSE_MS = 100;
/** What is shorter is delivered by the browser also when the page is gone; it refuses more than 64 kB. */
const OUTLIVES_BELOW = 16_000;
const PATH = "/api/session/draft";
const NOTHING: DraftNote = { text: "", attachments: [], revision: -1 };

export interface DraftHouse {
  readonly client: Client;
  readonly after: Surroundings["after"];
  /** Nobody looks at it any more, and the server has all of it. */
  done(draft: Draft): void;
}

export class Draft {
  text = $state("");
  /** What another window typed meanwhile, where it cannot be joined with what stands here. The person decides. */
  rival = $state.raw<DraftNote | null>(null);
  sessionId: string | null;

  /** What the server had when it was last heard of. */
  #base: DraftNote;
  /** Was the server asked since there was reason to? Nothing is put there before. */
  #isKnown = false;
  #told: number | null = null;
  #sent: DraftHere["sent"] | null;
  /** The text that this tab has in the browser's keeping, to tell it from another tab's. */
  #here: string | null;
  #isSending = false;
  #isSyncing = false;
  #again = false;
  #isInMemoryOnly = false;
  #isGone = false;
  #isOwn: boolean;
  #views = 0;
  #unplan: () => void = () => {};

  constructor(
    private readonly house: DraftHouse,
    sessionId: string | null,
  ) {
    const here = readHere(sessionId);
    this.sessionId = sessionId;
    this.#base = here?.base ?? NOTHING;
    this.#here = here?.text ?? null;
    this.#sent = here?.sent ?? null;
    this.text = (here?.sent?.text ?? "") + (here?.text ?? "");
    this.#isOwn = sessionId !== null || ownNew() !== null;
  }

  /** Someone looks at it; `close` ends that. */
  open(): this {
    this.#views += 1;
    return this;
  }

  close(): void {
    this.#views -= 1;
    this.flush();
    this.#rest();
  }

  /** The conversation was opened, with what the server keeps; a blank one's is in the server's memory only. */
  begin(kept: DraftNote | null, isBlank: boolean): void {
    if (this.sessionId === null) return;
    this.#isInMemoryOnly = isBlank;
    this.#isGone = false;
    if (this.#isKnown || !kept) return this.look();
    this.#isKnown = true;
    this.#heed(kept);
    void this.#sync();
  }

  /** The text has just been changed by the person. */
  typed(): void {
    this.#isOwn = true;
    this.#keep();
    this.#plan();
  }

  put(text: string): void {
    this.text = text;
    this.typed();
  }

  /** The person turns elsewhere. */
  flush(): void {
    if (this.#isPending) void this.#sync();
  }

  /** Ask the server what it has. */
  look(): void {
    if (this.sessionId === null) return;
    this.#isKnown = false;
    void this.#sync();
  }

  /** Another window may have typed; `revision` is the draft's number now. */
  noticed(revision: number): void {
    this.#told = revision;
    if (!this.#isSyncing && this.#isOverdue) this.look();
  }

  /** Another tab has typed into a new conversation. What was typed here stays. */
  follow(text: string): void {
    if (this.sessionId === null && !this.#isOwn) this.text = text;
  }

  decide(wanted: "mine" | "theirs" | "both"): void {
    const theirs = this.rival;
    if (!theirs) return;
    this.rival = null;
    this.#base = theirs;
    if (wanted === "theirs") this.text = theirs.text;
    else if (wanted === "both") this.text = joined(this.text, theirs.text);
    this.#keep();
    void this.#sync();
  }

  /** The id to send the text under: the same one as long as it is not known whether it arrived. */
  idFor(fresh: () => string): string {
    return this.#sent?.messageId && this.#sent.text === this.text ? this.#sent.messageId : fresh();
  }

  /** The text leaves, to be sent; what is typed from now on is the next. */
  send(messageId?: string): void {
    this.#isSending = true;
    this.#isOwn = true;
    this.#sent = { text: this.text, messageId: messageId ?? "" };
    this.text = "";
    this.#keep();
  }

  /** What left has arrived, in a session that may only now have its name. */
  arrived(sessionId: string | null): void {
    this.#isSending = false;
    this.#sent = null;
    if (this.sessionId === null && sessionId !== null) this.#moveTo(sessionId);
    this.#isInMemoryOnly = false;
    this.#keep();
    this.look();
    this.#rest();
  }

  /** What left comes back. */
  refused(): void {
    const written = this.#sent?.text ?? "";
    this.#isSending = false;
    this.text = this.text.trim() === "" ? written : `${written}\n${this.text}`;
    this.#keep();
    this.#plan();
  }

  /** What left is among the messages after all, although the answer got lost on its way: it need not be sent again. */
  heedMessages(has: (messageId: string) => boolean): void {
    const sent = this.#sent;
    if (!sent || this.#isSending || !has(sent.messageId)) return;
    this.#sent = null;
    if (this.text.startsWith(sent.text)) this.text = this.text.slice(sent.text.length).trimStart();
    this.#keep();
    this.#plan();
  }

  get #isPending(): boolean {
    return this.sessionId !== null && this.text !== this.#base.text;
  }

  get #isOverdue(): boolean {
    return this.#told !== null && this.#told !== (this.rival ?? this.#base).revision;
  }

  #moveTo(sessionId: string): void {
    this.#drop();
    this.sessionId = sessionId;
    this.#base = NOTHING;
    this.#isKnown = false;
  }

  #plan(): void {
    this.#unplan();
    this.#unplan = this.house.after(PAUSE_MS, () => void this.#sync());
  }

  /** Bring here and there together, one exchange after the other. */
  async #sync(): Promise<void> {
    this.#unplan();
    this.#again = true;
    if (this.#isSyncing || this.#isGone || this.sessionId === null) return;
    this.#isSyncing = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#exchange(this.sessionId);
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#isSyncing = false;
    this.#rest();
  }

  async #exchange(sessionId: string): Promise<void> {
    if (!this.#isKnown) await this.#ask(sessionId);
    if (this.#isPending && !this.#isSending && !this.rival) await this.#tell(sessionId);
    if (!this.#isOverdue) return;
    this.#isKnown = false;
    this.#again = true;
  }

  async #ask(sessionId: string): Promise<void> {
    this.#isKnown = true;
    this.#told = null;
    try {
      this.#heed(await this.house.client.get<DraftNote>(PATH, { session_id: sessionId }));
    } catch (error) {
      this.#isKnown = false;
      throw error;
    }
  }

  async #tell(sessionId: string): Promise<void> {
    const { text } = this;
    const { attachments, revision } = this.#base;
    this.#told = null;
    try {
      const body = { session_id: sessionId, text, attachments, revision };
      const kept = await this.house.client.postOnce<DraftNote>(PATH, body, { outlives: text.length < OUTLIVES_BELOW });
      this.#base = { ...kept, text };
      this.#keep();
    } catch (error) {
      if (!(error instanceof ServerError) || error.code !== "stale_revision") throw error;
      this.#isKnown = false;
      this.#again = true;
    }
  }

  /** Nothing is lost: it is kept here, and tried again with the next key or when the server is back. */
  #failed(error: unknown): void {
    if (!(error instanceof ServerError)) console.error(error);
    else if (error.status === 404 && !this.#isSending) this.#moveOut();
  }

  /** Its session is gone: a new conversation begins with the text, unless one is begun already. */
  #moveOut(): void {
    this.#isGone = true;
    if (this.text.trim() !== "" && readHere(null)) return;
    if (this.text.trim() !== "") keepHere(null, { text: this.text });
    this.#drop();
  }

  #heed(theirs: DraftNote): void {
    const text = agreed(this.#base.text, this.text, theirs.text);
    this.rival = text === null ? theirs : null;
    if (text === null) return;
    this.#base = theirs;
    if (text !== this.text) this.text = text;
    this.#keep();
  }

  #keep(): void {
    if (this.#sent && !this.#isSending && !this.text.startsWith(this.#sent.text)) this.#sent = null;
    const sent = this.#sent;
    const isOnlyHere = this.sessionId === null || this.#isInMemoryOnly ? this.text !== "" : this.#isPending;
    if (!isOnlyHere && !sent) return this.#drop();
    this.#here = this.#textAfter(sent?.text ?? "");
    keepHere(this.sessionId, {
      text: this.#here,
      ...(this.sessionId !== null && { base: this.#base }),
      ...(sent && { sent }),
    });
  }

  /** What stands after the text that was sent, and would if that came back. */
  #textAfter(sent: string): string {
    if (!this.#isSending) return this.text.slice(sent.length);
    return this.text.trim() === "" ? "" : `\n${this.text}`;
  }

  #drop(): void {
    if (this.#here !== null) dropHere(this.sessionId, this.#here);
    this.#here = null;
  }

  #rest(): void {
    const isSettled = this.#isGone || (!this.#isSyncing && !this.#isSending && !this.#isPending && !this.rival);
    if (this.#views === 0 && isSettled) this.house.done(this);
  }
}
