/** What is written leaves: as a message now or later, as a question aside, as work for the background, or as a command. */

import { tick } from "svelte";
import { lineOf, type Offer } from "../../state/commands.svelte";
import type { Draft } from "../../state/draft.svelte";
import { attaching as fileWords, queue as queueWords } from "../../strings";
import type { Toasts } from "../../ui/toasts.svelte";
import { newId } from "../../wire/ids";
import type { Conversation } from "./conversation.svelte";
import type { Giving } from "./giving.svelte";

export type Way = "message" | "steer" | "aside" | "background";

export interface LeavingHouse {
  offers(): readonly Offer[];
  /** Where what is no message goes: aside, to the background, or as a command. Each answers why it cannot be, or null. */
  ask(question: string): Promise<string | null>;
  work(prompt: string): Promise<string | null>;
  run(line: string): Promise<string | null>;
  /** A message begins its way. */
  sending(): void;
  /** Something came back: the writing goes on. */
  back(): void;
}

export class Leaving {
  way = $state<Way>("message");
  /** Why what was written last did not leave. */
  failure = $state("");
  /** Did the person go elsewhere meanwhile? */
  isLeft = false;

  constructor(
    private readonly draft: Draft,
    private readonly conversation: Conversation,
    private readonly giving: Giving,
    private readonly toasts: Toasts,
    private readonly house: LeavingHouse,
  ) {}

  /** Say why something did not leave, also to someone who went elsewhere meanwhile. */
  tell(why: string): void {
    this.failure = why;
    if (this.isLeft && why !== "") this.toasts.say(why);
  }

  async submit(steer: boolean): Promise<void> {
    const { draft, giving, way } = this;
    if (giving.sendsLater) return;
    if (way === "aside" || way === "background") return this.#goBeside(draft.text.trim());
    const command = this.#written();
    if (command.kind === "command" && way === "message") return void (await this.#leave(() => this.house.run(command.text), undefined, true));
    if (!(await giving.areThere())) return;
    const { text } = this.#written();
    if (text === "" && draft.attachments.length === 0) return;
    if (steer || this.conversation.mustWait) await this.#wait(text, steer);
    else await this.#send(text);
  }

  /** Send something else than what is being written, which stays. */
  suggest(suggestion: string): void {
    const { draft } = this;
    if (this.conversation.isBusy) return;
    const begun = draft.text;
    const { attachments } = draft;
    draft.text = suggestion;
    draft.attachments = [];
    void this.#send(suggestion);
    draft.add(begun, attachments);
  }

  #written(): ReturnType<typeof lineOf> {
    return lineOf(this.draft.text.replace(/^\s*\n/, "").trimEnd(), this.house.offers());
  }

  async #send(said: string): Promise<void> {
    const { conversation, draft } = this;
    const messageId = draft.idFor(newMessageId);
    const { attachments } = draft;
    this.house.sending();
    await this.#leave(async () => {
      const sent = await conversation.send(said, messageId, attachments);
      if (sent.accepted) return null;
      if (sent.code === "attachment_not_found") void tick().then(() => this.giving.lose()); // once they are back where one writes
      return sent.failure;
    }, messageId);
  }

  /** Have a message wait for the answer that is being written, or tell it to the agent at work. */
  async #wait(said: string, steer: boolean): Promise<void> {
    const { attachments } = this.draft;
    const messageId = this.draft.idFor(newMessageId);
    const isTold = steer && attachments.length === 0;
    await this.#asMessage(async () => {
      const queued = await this.conversation.wait(said, messageId, attachments, isTold);
      if (steer && queued.became === "waiting") this.toasts.say(isTold ? queueWords.notTold : fileWords.goesLater);
      return queued.became === null ? queued.failure : null;
    }, messageId);
  }

  async #goBeside(said: string): Promise<void> {
    const { way, house } = this;
    await this.#asMessage(() => (way === "aside" ? house.ask(said) : house.work(said)), undefined, true);
  }

  /** What is written next is a message again, unless this comes back. */
  async #asMessage(act: () => Promise<string | null>, messageId?: string, stay = false): Promise<void> {
    const chosen = this.way;
    this.way = "message";
    if (!(await this.#leave(act, messageId, stay))) this.way = chosen;
  }

  /** Have the text leave, with the files unless those `stay`. It comes back when `act` answers why it could not. */
  async #leave(act: () => Promise<string | null>, messageId?: string, stay = false): Promise<boolean> {
    const { conversation, draft } = this;
    this.failure = "";
    const sent = draft.send(messageId, stay);
    const why = await act();
    if (why === null) {
      draft.arrived(sent, conversation.status.phase === "blank" ? null : conversation.sessionId);
      return true;
    }
    this.tell(why);
    draft.refused(sent);
    this.house.back();
    return false;
  }
}

export function newMessageId(): string {
  return `msg-${newId()}`;
}
