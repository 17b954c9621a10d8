/** What was spent on the last days, and what may be. */

import { sentenceOf, type Client } from "../wire/client";
import type { Budget, UsageAnswer } from "../wire/types";

export class Spending {
  known = $state.raw<UsageAnswer | null>(null);
  /** Why it could not be loaded, where it could not. */
  failure = $state("");

  constructor(private readonly client: Client) {}

  async load(): Promise<void> {
    try {
      this.known = await this.client.get<UsageAnswer>("/api/usage", { days: 14 });
      this.failure = "";
    } catch (error) {
      this.failure = sentenceOf(error);
    }
  }

  /** Limit what may be spent. Raises what the server says against it. */
  async limit(budget: Budget): Promise<void> {
    const kept = await this.client.post<Budget>("/api/budget", budget);
    if (this.known) this.known = { ...this.known, budget: kept };
  }
}
