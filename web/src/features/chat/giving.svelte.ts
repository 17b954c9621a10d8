/** Giving files along with what is being written: pasted, dropped or chosen, and waited for before it is sent. */

import { missingOf } from "../../state/attach";
import type { Attaching } from "../../state/attaching.svelte";
import type { Draft } from "../../state/draft.svelte";
import { sentenceOf } from "../../wire/client";
import { filesIn, holdsFiles } from "./attachments";
import type { Conversation } from "./conversation.svelte";

export interface GivingHouse {
  /** Say why something is not attached, or did not leave; with "" that nothing is wrong any more. */
  tell(why: string): void;
  /** Files were given: the writing goes on. */
  given(): void;
}

export class Giving {
  /** Are files held over the conversation? */
  isOver = $state(false);
  /** Was Send pressed while files were on their way? */
  sendsLater = $state(false);
  #resumed: string | null = null;

  constructor(
    private readonly draft: Draft,
    private readonly conversation: Conversation,
    private readonly house: GivingHouse,
  ) {
    // A new conversation begins with its files, in the server's memory.
    draft.beginSession = async () => (draft.filesIn = await conversation.begin());
  }

  /** Find the session again that holds the files of a new conversation, or leave it to the tab that has sent them. */
  resume(): void {
    const kept = this.draft.filesIn;
    const { sessionId, status } = this.conversation;
    if (kept === null && sessionId !== null && sessionId === this.#resumed && status.phase === "blank") this.conversation.sessionId = null;
    if (kept === null || kept === this.#resumed || sessionId !== null) return;
    this.#resumed = kept;
    void this.conversation.resumeBlank(kept).then((isThere) => {
      if (!isThere) this.lose();
    });
  }

  /** What is attached is not on the server any more. */
  lose(): void {
    this.draft.filesIn = null;
    this.#attach((to) => to.lost(this.draft.attachments.map((one) => one.id)));
  }

  give(files: readonly File[]): void {
    this.house.tell("");
    this.#attach((to) => to.give(files));
    this.house.given();
  }

  /** Attach a copy of a file of the folder. */
  copy(path: string): void {
    this.#attach((to) => to.copy(path));
  }

  readonly paste = (event: ClipboardEvent): void => {
    const target = event.target as HTMLElement;
    const isElsewhere = event.defaultPrevented || target.closest("dialog, .editor") || target.matches("input");
    const files = isElsewhere ? [] : filesIn(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    this.give(files);
  };

  readonly drag = (event: DragEvent): void => {
    if (!holdsFiles(event.dataTransfer)) return;
    event.preventDefault(); // so that they can be dropped
    this.isOver = true;
  };

  readonly dragOut = (event: DragEvent): void => {
    if (!(event.currentTarget as Element).contains(event.relatedTarget as Node | null)) this.isOver = false;
  };

  readonly drop = (event: DragEvent): void => {
    this.isOver = false;
    if (!holdsFiles(event.dataTransfer) || event.defaultPrevented) return;
    event.preventDefault();
    const files = filesIn(event.dataTransfer);
    if (files.length > 0) this.give(files);
  };

  /** The browser asks whoever leaves while files are on their way. */
  readonly leave = (event: BeforeUnloadEvent): void => {
    if (this.draft.attaching?.isGoing) event.preventDefault();
  };

  /** Wait until all are there. Answers whether they are, and the message is still to be sent. */
  async areThere(): Promise<boolean> {
    const waits = this.draft.attaching?.isGoing ?? false;
    this.sendsLater = waits;
    const missing = await missingOf(this.draft);
    if (waits && !this.sendsLater) return false;
    this.sendsLater = false;
    if (missing !== null) this.house.tell(missing);
    return missing === null;
  }

  #attach(act: (to: Attaching) => void): void {
    this.draft.toAttach().then(act, (error: unknown) => this.house.tell(sentenceOf(error)));
  }
}
