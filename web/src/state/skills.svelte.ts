/** The skills that the built-in agent finds, and which of them it is offered. */

import { sentenceOf, type Client } from "../wire/client";
import type { Skill, SkillList, SkillText } from "../wire/types";

export class Skills {
  /** Null until someone comes to see them. */
  found = $state.raw<SkillList | null>(null);
  failure = $state("");

  /** One question after the other: each is answered with the whole list, and the last one holds. */
  #asked: Promise<unknown> = Promise.resolve();

  /** `sessionId` of the conversation whose folder counts too; null for the folder where new ones begin. */
  constructor(
    private readonly client: Client,
    readonly sessionId: string | null,
  ) {}

  load(): Promise<void> {
    return this.#inTurn(() => this.#look());
  }

  /** Have one be offered in all conversations, or in none. */
  turn(skill: Skill, isOn: boolean): Promise<void> {
    return this.#inTurn(() => this.#switch(skill, isOn));
  }

  /** What a model is given of one. */
  async read(skill: Skill): Promise<string> {
    return (await this.client.get<SkillText>("/api/skills/text", { id: skill.id, session_id: this.sessionId })).text;
  }

  #inTurn(ask: () => Promise<void>): Promise<void> {
    const asked = this.#asked.then(ask);
    this.#asked = asked.catch(() => undefined);
    return asked;
  }

  async #look(): Promise<void> {
    try {
      this.found = await this.client.get<SkillList>("/api/skills", { session_id: this.sessionId });
      this.failure = "";
    } catch (error) {
      this.failure = sentenceOf(error);
    }
  }

  async #switch(skill: Skill, isOn: boolean): Promise<void> {
    try {
      this.found = await this.client.post<SkillList>("/api/skills/switch", { id: skill.id, is_on: isOn, session_id: this.sessionId });
    } catch (error) {
      await this.#look(); // what stands on the screen is what holds
      throw error;
    }
  }
}
