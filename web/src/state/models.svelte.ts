/** The models that can be chosen, and the providers they come from. */

import { sentenceOf, type Client } from "../wire/client";
import type { Model, ModelList, Provider, ProviderDraft, ProviderSaved, ProviderTested, Providers } from "../wire/types";

export class Models {
  list = $state.raw<readonly Model[]>([]);
  problems = $state.raw<ModelList["problems"]>([]);
  defaultId = $state<string | null>(null);
  /** The one that is asked where another one fails. */
  fallbackId = $state<string | null>(null);
  /** Who is connected; null until someone comes to see it. */
  providers = $state.raw<readonly Provider[] | null>(null);
  status = $state<"loading" | "ready" | "failed">("loading");
  failure = $state("");
  #showsProviders = false;

  constructor(private readonly client: Client) {}

  find(id: string | null | undefined): Model | undefined {
    return this.list.find((model) => model.id === id);
  }

  /** Is nothing but the demo there? */
  get isDemoOnly(): boolean {
    return this.list.every((model) => model.is_demo);
  }

  async load(): Promise<void> {
    try {
      const saved = this.#showsProviders ? this.#loadProviders() : null;
      const found = await this.client.get<ModelList>("/api/models");
      await saved;
      this.list = found.models;
      this.problems = found.problems;
      this.defaultId = found.default;
      this.fallbackId = found.fallback;
      this.status = "ready";
    } catch (error) {
      this.failure = sentenceOf(error);
      if (this.status === "loading") this.status = "failed";
    }
  }

  /** Someone comes to see who is connected, which only the settings show. */
  async showProviders(): Promise<void> {
    this.#showsProviders = true;
    try {
      await this.#loadProviders();
    } catch (error) {
      this.failure = sentenceOf(error);
      this.status = "failed";
    }
  }

  async #loadProviders(): Promise<void> {
    this.providers = (await this.client.get<Providers>("/api/providers")).providers;
  }

  async makeDefault(id: string): Promise<void> {
    const before = this.defaultId;
    this.defaultId = id;
    try {
      await this.client.post("/api/models/default", { model: id });
    } catch (error) {
      this.defaultId = before;
      throw error;
    }
  }

  async fallBackTo(id: string | null): Promise<void> {
    await this.client.post("/api/models/fallback", { model: id });
    this.fallbackId = id;
  }

  /** Offer a model where one is chosen, or no longer. */
  async offer({ id }: Model, isOffered: boolean): Promise<void> {
    await this.client.post("/api/models/hide", { model: id, is_hidden: !isOffered });
    this.list = this.list.map((one) => (one.id === id ? { ...one, is_hidden: !isOffered } : one));
  }

  test(draft: ProviderDraft): Promise<ProviderTested> {
    return this.client.post<ProviderTested>("/api/providers/test", draft);
  }

  async save(draft: ProviderDraft): Promise<Provider> {
    const saved = await this.client.post<ProviderSaved>("/api/providers/save", draft);
    await this.load();
    return saved.provider;
  }

  async remove(provider: Provider): Promise<void> {
    await this.client.post("/api/providers/delete", { id: provider.id });
    await this.load();
  }

  /** Someone begins to write: the server may load what an answer will need. Failing costs only the head start. */
  prepare(model: string | null): void {
    this.client.post("/api/chat/prepare", model ? { model } : {}).catch(sentenceOf);
  }
}
