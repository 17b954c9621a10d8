/** What is typed into one conversation, or attached, and not sent: here at once, then on the server, where all windows share it. */

import { ServerError, type Client } from "../wire/client";
import type { Surroundings } from "../wire/follow";
import type { Attachment, DraftNote } from "../wire/types";
import { agreed, agreedFiles, areSame, joined, without } from "./agreeing";
import { attacher } from "./attach";
import type { Attaching, Holder } from "./attaching.svelte";
import { dropHere, keepHere, ownNew, readHere, type DraftHere, type SentHere } from "./draftsHere";
import { Unconfirmed, textOf } from "./unconfirmed";

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

export class Draft implements Holder {
  text = $state("");
  attachments = $state.raw<readonly Attachment[]>([]);
  attaching = $state.raw<Attaching | null>(null);
  /** What attaches to it; see `Holder`. */
  readonly toAttach: () => Promise<Attaching>;
  /** What another window typed meanwhile, where it cannot be joined with what stands here. The person decides. */
  rival = $state.raw<DraftNote | null>(null);
  sessionId: string | null;
  /** Of a new conversation: the session in the server's memory that holds its files. */
  filesIn = $state<string | null>(null);
  /** Has the server begin the session of a new conversation. */
  beginSession: () => Promise<string> = () => Promise.reject(new Error("Nobody shows this conversation."));

  /** What the server had when it was last heard of. */
  #base: DraftNote;
  /** Was the server asked since there was reason to? Nothing is put there before. */
  #isKnown = false;
  #told: number | null = null;
  readonly #unconfirmed: Unconfirmed;
  /** The text that this tab has in the browser's keeping, to tell it from another tab's. */
  #here: string | null;
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
    this.#unconfirmed = new Unconfirmed(here?.left);
    this.text = textOf(this.#unconfirmed.all) + (here?.text ?? "");
    this.attachments = [...this.#unconfirmed.files, ...(here?.attachments ?? [])];
    this.filesIn = here?.filesIn ?? null;
    this.#isOwn = sessionId !== null || ownNew() !== null;
    this.toAttach = attacher(house.client, this, () => this.#rest());
  }

  /** Are files on their way into what is being written? */
  get isAttaching(): boolean {
    return !this.#isSending && this.#isCarrying;
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

  /** Where files go. Of a new conversation, whoever shows it has to begin one. */
  session(): Promise<string> {
    return this.sessionId === null ? this.beginSession() : Promise.resolve(this.sessionId);
  }

  attach(attachment: Attachment): void {
    this.#attached([...this.attachments, attachment]);
  }

  detach(id: string): void {
    this.#attached(this.attachments.filter((one) => one.id !== id));
  }

  /** Add to what is written and attached. */
  add(text: string, attachments: readonly Attachment[] = []): void {
    this.text = joined(this.text, text);
    this.#attached([...this.attachments, ...without(attachments, this.attachments)]);
  }

  /** Attaching is done with purpose, so the server has it without a pause. */
  #attached(attachments: readonly Attachment[]): void {
    this.attachments = attachments;
    this.typed();
    this.flush();
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
  follow({ text, attachments = [], filesIn = "" }: DraftHere): void {
    if (this.sessionId !== null || this.#isOwn) return;
    this.text = text;
    this.attachments = attachments;
    this.filesIn = filesIn || null;
  }

  decide(wanted: "mine" | "theirs" | "both"): void {
    const theirs = this.rival;
    if (!theirs) return;
    this.rival = null;
    this.attachments = agreedFiles(this.#base.attachments, this.attachments, theirs.attachments);
    this.#base = theirs;
    if (wanted === "theirs") this.text = theirs.text;
    else if (wanted === "both") this.text = joined(this.text, theirs.text);
    this.#keep();
    void this.#sync();
  }

  /** The id to send the text under: the same one where it came back, and may have arrived. */
  idFor(fresh: () => string): string {
    return this.#unconfirmed.idOf(this.text, this.attachments) || fresh();
  }

  /** The text leaves, to be sent, with what is attached unless that `stays`; what is typed from now on is the next. */
  send(messageId = "", stays = false): SentHere {
    const sent = { text: this.text, attachments: stays ? [] : this.attachments, messageId };
    this.#isOwn = true;
    this.#unconfirmed.leave(sent);
    this.text = "";
    if (!stays) this.attachments = [];
    this.#keep();
    return sent;
  }

  /** What left has arrived, in a session that may only now have its name. */
  arrived(sent: SentHere, sessionId: string | null): void {
    this.#unconfirmed.arrive(sent);
    if (this.attachments.length === 0) this.attaching?.letGo();
    if (this.sessionId === null && sessionId !== null) this.#moveTo(sessionId);
    this.#isInMemoryOnly = false;
    this.#keep();
    this.look();
    this.#rest();
  }

  /** What left comes back. */
  refused(sent: SentHere): void {
    this.attachments = [...(sent.attachments ?? []), ...this.attachments];
    this.text = this.#unconfirmed.comeBack(sent, this.text);
    this.#keep();
    this.#plan();
  }

  /** What left is among the messages after all, although the answer got lost on its way: it need not be sent again. */
  heedMessages(has: (messageId: string) => boolean): void {
    const now = this.#unconfirmed.heed(has, this.text, this.attachments);
    if (!now) return;
    this.text = now.text;
    this.attachments = now.files;
    this.#keep();
    this.#plan();
  }

  get #isSending(): boolean {
    return this.#unconfirmed.isAway;
  }

  get #isPending(): boolean {
    const isSame = this.text === this.#base.text && areSame(this.attachments, this.#base.attachments);
    return this.sessionId !== null && !isSame;
  }

  get #isCarrying(): boolean {
    return this.attaching !== null && this.attaching.pending.length > 0;
  }

  get #isOverdue(): boolean {
    return this.#told !== null && this.#told !== (this.rival ?? this.#base).revision;
  }

  #moveTo(sessionId: string): void {
    this.#drop();
    this.sessionId = sessionId;
    this.filesIn = null;
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
    const { text, attachments } = this;
    this.#told = null;
    try {
      const body = { session_id: sessionId, text, attachments: attachments.map((one) => one.id), revision: this.#base.revision };
      const kept = await this.house.client.postOnce<DraftNote>(PATH, body, { outlives: text.length < OUTLIVES_BELOW });
      this.#base = { ...kept, text, attachments };
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
    const attachments = agreedFiles(this.#base.attachments, this.attachments, theirs.attachments);
    this.#base = theirs;
    if (text !== this.text) this.text = text;
    if (!areSame(attachments, this.attachments)) this.attachments = attachments;
    this.#keep();
  }

  #keep(): void {
    this.#unconfirmed.check(this.text, this.attachments);
    const { all: left, files } = this.#unconfirmed;
    const isAny = this.text !== "" || this.attachments.length > 0;
    const isOnlyHere = this.sessionId === null || this.#isInMemoryOnly ? isAny : this.#isPending;
    if (!isOnlyHere && left.length === 0) return this.#drop();
    this.#here = this.#unconfirmed.after(this.text);
    keepHere(this.sessionId, {
      text: this.#here,
      attachments: without(this.attachments, files),
      ...(this.filesIn !== null && { filesIn: this.filesIn }),
      ...(this.sessionId !== null && { base: this.#base }),
      ...(left.length > 0 && { left }),
    });
  }

  #drop(): void {
    if (this.#here !== null) dropHere(this.sessionId, this.#here);
    this.#here = null;
  }

  #rest(): void {
    const isBusy = this.#isCarrying || this.#isSyncing || this.#isSending || this.#isPending || this.rival !== null;
    if (this.#views > 0 || (isBusy && !this.#isGone)) return;
    this.attaching?.letGo();
    this.house.done(this);
  }
}
