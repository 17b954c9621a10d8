/** Searching while someone types: every key asks anew, and only the newest question is answered. */

import { sentenceOf, type Client } from "../wire/client";
import type { Found, FoundList } from "../wire/types";

export class Finding {
  query = $state("");
  results = $state.raw<readonly Found[]>([]);
  status = $state<"idle" | "searching" | "ready" | "failed">("idle");
  failure = $state("");
  hasMore = $state(false);
  #cursor: string | null = null;
  #asking: AbortController | null = null;

  constructor(
    private readonly client: Client,
    private readonly limit = 20,
  ) {}

  get isIdle(): boolean {
    return this.status === "idle";
  }

  /** Look for something; what was found before stays until the answer comes. `query` as sent: `asked`. */
  async ask(query: string, asked = query): Promise<void> {
    this.query = query;
    this.#asking?.abort();
    if (query.trim() === "") return this.clear();
    this.status = "searching";
    await this.#load(asked, null);
  }

  async more(): Promise<void> {
    if (this.hasMore && this.status === "ready") await this.#load(this.query, this.#cursor);
  }

  clear(): void {
    this.#asking?.abort();
    this.query = "";
    this.results = [];
    this.hasMore = false;
    this.status = "idle";
  }

  async #load(q: string, cursor: string | null): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const list = await this.client.get<FoundList>("/api/sessions/search", { q, limit: this.limit, cursor }, asking.signal);
      if (asking.signal.aborted) return;
      this.results = cursor ? [...this.results, ...list.results] : list.results;
      this.#cursor = list.next_cursor;
      this.hasMore = list.next_cursor !== null;
      this.status = "ready";
    } catch (error) {
      if (asking.signal.aborted) return;
      this.failure = sentenceOf(error);
      this.status = "failed";
    }
  }
}
