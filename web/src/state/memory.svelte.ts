/** What the built-in agent remembers in all sessions. */

import { sentenceOf, type Client } from "../wire/client";
import type { MemoryAnswer } from "../wire/types";

export class Memory {
  /** As it is on the server, as far as is known. */
  kept = $state.raw<MemoryAnswer | null>(null);
  /** Why it could not be loaded or kept, where it could not. */
  failure = $state("");

  constructor(private readonly client: Client) {}

  async load(): Promise<void> {
    await this.#attempt(() => this.client.get<MemoryAnswer>("/api/memory"));
  }

  /** Put `text` in its place; false when it could not be kept. */
  async keep(text: string): Promise<boolean> {
    const revision = this.kept?.revision ?? 0;
    return this.#attempt(() => this.client.post<MemoryAnswer>("/api/memory", { text, revision }));
  }

  async #attempt(ask: () => Promise<MemoryAnswer>): Promise<boolean> {
    try {
      this.kept = await ask();
      this.failure = "";
      return true;
    } catch (error) {
      this.failure = sentenceOf(error);
      return false;
    }
  }
}
