/** The drafts of all conversations that are looked at, or of which the server does not have everything yet. */

import type { Client } from "../wire/client";
import type { Surroundings } from "../wire/follow";
import { Draft } from "./draft.svelte";
import { sessionsHere, watchNew } from "./draftsHere";

export class Drafts {
  #drafts = new Set<Draft>();

  constructor(
    readonly client: Client,
    readonly after: Surroundings["after"],
  ) {}

  /** Begin to heed the tab: it is told when it goes, and what others type into a new conversation. */
  start(): void {
    const flush = (): void => this.#drafts.forEach((draft) => draft.flush());
    document.addEventListener("visibilitychange", () => document.hidden && flush());
    window.addEventListener("pagehide", flush);
    watchNew((draft) => this.#drafts.forEach((one) => one.follow(draft ?? { text: "" })));
  }

  /** The draft of a session, or with null of a conversation that is none yet; `close` it afterwards. What is begun twice
   * has a draft each, unless the files of the first are still on their way. */
  open(sessionId: string | null): Draft {
    const known = [...this.#drafts].find((draft) => draft.sessionId === sessionId && (sessionId !== null || draft.isAttaching));
    const draft = known ?? new Draft(this, sessionId);
    this.#drafts.add(draft);
    return draft.open();
  }

  noticed(sessionId: string, revision: number): void {
    for (const draft of this.#drafts) if (draft.sessionId === sessionId) draft.noticed(revision);
  }

  /** The server is there, perhaps after it was not: give it what it lacks, of conversations that nobody looks at too. */
  lookAgain(): void {
    const known = new Set([...this.#drafts].map((draft) => draft.sessionId));
    this.#drafts.forEach((draft) => draft.look());
    for (const sessionId of sessionsHere()) {
      if (known.has(sessionId)) continue;
      const draft = this.open(sessionId);
      draft.look();
      draft.close();
    }
  }

  done(draft: Draft): void {
    this.#drafts.delete(draft);
  }
}
