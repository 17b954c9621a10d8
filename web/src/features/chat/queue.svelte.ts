/** What waits in one conversation for the answer before it. */

import { queue as words } from "../../strings";
import { ServerError, sentenceOf, type Client } from "../../wire/client";
import type { Attachment, Queue as QueueNote, QueueAdded, QueueAnswer, QueueResumed, SteerAnswer, Waiting } from "../../wire/types";

const NOTHING: QueueNote = { session_id: "", revision: 0, is_held: false, can_put_back: false, items: [] };

/** What became of a message: it waits, the agent is told it, or nothing had to be waited for. Or none of this, and why. */
export type Queued = { became: "waiting" | "told" | "sent" } | { became: null; failure: string };

/** What became of another text for a message that waits. `theirs` is what another window made of it meanwhile. */
export type Changed = { kind: "changed" } | { kind: "gone" } | { kind: "stale"; theirs: string } | { kind: "failed"; failure: string };

/** A message is to wait before another one, or with null after all. */
interface Move {
  readonly messageId: string;
  readonly before: string | null;
}

export class Queue {
  #note = $state.raw<QueueNote>(NOTHING);
  /** Asked for and not answered yet: shown over whatever the server answers meanwhile. */
  #moves = $state.raw<readonly Move[]>([]);
  readonly items: readonly Waiting[] = $derived(this.#moves.reduce(moved, this.#note.items));
  /** Was the person's last press of "Send them" not answered yet? */
  isResuming = $state(false);
  #asked = 0;
  /** The question whose answer is here, and the last one that was asked when that came. */
  #taken = { asked: 0, until: 0 };
  /** Settled when no change is on its way. */
  #changed: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly client: Client,
    private readonly sessionId: () => string | null,
    private readonly failed: (sentence: string) => void,
  ) {}

  /** Is nothing of it sent before the person says so? */
  get isHeld(): boolean {
    return this.#note.is_held && this.items.length > 0;
  }

  /** Is its first message about to be sent by itself? */
  get isFlowing(): boolean {
    return !this.#note.is_held && this.items.length > 0;
  }

  /** Before asking the server: its answer counts unless a newer one is here already. */
  ask(): number {
    return ++this.#asked;
  }

  take(note: QueueNote, asked: number): void {
    if (this.#isOlder(note, asked)) return;
    this.#taken = { asked, until: this.#asked };
    this.#note = note;
  }

  /** Of two questions that were on their way at once, the number of the queue says which was answered later. */
  #isOlder(note: QueueNote, asked: number): boolean {
    if (asked > this.#taken.until) return false; // a server that began anew counts from the start
    if (note.revision === this.#note.revision) return asked < this.#taken.asked;
    return note.revision < this.#note.revision;
  }

  /** Another window may have changed it, or its first message was sent. */
  async look(): Promise<void> {
    const asked = this.ask();
    try {
      this.take((await this.client.get<QueueAnswer>("/api/chat/queue", { session_id: this.sessionId() })).queue, asked);
    } catch (error) {
      sentenceOf(error); // the conversation itself says what is wrong
    }
  }

  async add(text: string, message_id: string, files: readonly Attachment[], model: string | undefined): Promise<Queued> {
    return this.#added(async (asked) => {
      const added = await this.#post<QueueAdded>("", { message: text, message_id, model, attachments: files.map((one) => one.id) });
      this.take(added.queue, asked);
      return added.started ? "sent" : "waiting";
    });
  }

  /** Tell the agent at work. Where it cannot be told, it is the first to wait. */
  async steer(text: string, message_id: string): Promise<Queued> {
    return this.#added(async (asked) => {
      const added = await this.client.post<SteerAnswer>("/api/chat/steer", { session_id: this.sessionId(), text, message_id });
      this.take(added.queue, asked);
      if (added.started) return "sent";
      return added.accepted ? "told" : "waiting";
    });
  }

  async edit(item: Waiting, text: string, files: readonly Attachment[]): Promise<Changed> {
    try {
      const attachments = files.map((one) => one.id);
      await this.#change("/edit", { message_id: item.message_id, message: text, attachments, revision: item.revision });
      return { kind: "changed" };
    } catch (error) {
      await this.look();
      if (!(error instanceof ServerError)) return { kind: "failed", failure: sentenceOf(error) };
      if (error.code === "not_waiting") return { kind: "gone" };
      const theirs = error.fields["text"];
      if (error.code === "stale_revision" && typeof theirs === "string") return { kind: "stale", theirs };
      return { kind: "failed", failure: sentenceOf(error) };
    }
  }

  /** Have a message wait before another one, or with null after all; seen at once. */
  async move(messageId: string, before: string | null): Promise<void> {
    const move = { messageId, before };
    if (moved(this.items, move) === this.items) return;
    this.#moves = [...this.#moves, move];
    await this.#attempt("/reorder", { message_id: messageId, before });
    this.#moves = this.#moves.filter((one) => one !== move);
  }

  /** Take messages out. Answers whether they were. */
  async remove(messageIds: readonly string[]): Promise<boolean> {
    return this.#attempt("/delete", { message_ids: messageIds });
  }

  async putBack(): Promise<void> {
    await this.#attempt("/put_back", {});
  }

  /** Send what is held. Answers whether a run has begun. */
  async resume(): Promise<boolean> {
    this.isResuming = true;
    try {
      return await this.#inTurn(async (asked) => {
        const { queue, started } = await this.#post<QueueResumed>("/continue", {});
        this.take(queue, asked);
        return started !== null;
      });
    } catch (error) {
      this.failed(sentenceOf(error));
      await this.look();
      return false;
    } finally {
      this.isResuming = false;
    }
  }

  async #added(add: (asked: number) => Promise<"waiting" | "told" | "sent">): Promise<Queued> {
    try {
      return { became: await this.#inTurn(add) };
    } catch (error) {
      return { became: null, failure: sentenceOf(error) };
    }
  }

  /** What waits no more is as good as changed: it was sent, or another window took it out. */
  async #attempt(path: string, body: object): Promise<boolean> {
    try {
      await this.#change(path, body);
      return true;
    } catch (error) {
      const isGone = error instanceof ServerError && error.code === "not_waiting";
      this.failed(isGone ? words.sentMeanwhile : sentenceOf(error));
      await this.look();
      return false;
    }
  }

  #change(path: string, body: object): Promise<void> {
    return this.#inTurn(async (asked) => this.take((await this.#post<QueueAnswer>(path, body)).queue, asked));
  }

  /** Changes are made in the order the person made them, so each waits for the one before. */
  #inTurn<Answer>(change: (asked: number) => Promise<Answer>): Promise<Answer> {
    const made = this.#changed.then(() => change(this.ask()));
    this.#changed = Promise.allSettled([made]);
    return made;
  }

  #post<Answer>(path: string, body: object): Promise<Answer> {
    return this.client.post<Answer>(`/api/chat/queue${path}`, { session_id: this.sessionId(), ...body });
  }
}

/** The same array, where nothing is to be moved. */
function moved(items: readonly Waiting[], { messageId, before }: Move): readonly Waiting[] {
  const moving = items.filter((one) => one.message_id === messageId);
  const others = items.filter((one) => one.message_id !== messageId);
  const place = before === null ? others.length : others.findIndex((one) => one.message_id === before);
  return moving.length === 0 || place < 0 ? items : others.toSpliced(place, 0, ...moving);
}
