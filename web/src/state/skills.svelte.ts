/** The skills that the built-in agent finds, and which of them it is offered. */

import { sentenceOf, type Client } from "../wire/client";
import type { Skill, SkillList, SkillText } from "../wire/types";

export class Skills {
  /** Null until someone comes to see them. */
  found = $state.raw<SkillList | null>(null);
  failure = $state("");

  /** One change after the other: each is answered with the whole list. */
  #changing: Promise<unknown> = Promise.resolve();

  /** `sessionId` of the conversation whose folder counts too; null for the folder where new ones begin. */
  constructor(
    private readonly client: Client,
    readonly sessionId: string | null,
  ) {}

  async load(): Promise<void> {
    try {
      this.found = await this.client.get<SkillList>("/api/skills", { session_id: this.sessionId });
      this.failure = "";
    } catch (error) {
      this.failure = sentenceOf(error);
    }
  }

  /** Have one be offered in all conversations, or in none. */
  turn(skill: Skill, isOn: boolean): Promise<void> {
    const change = this.#changing.then(() => this.#switch(skill, isOn));
    this.#changing = change.catch(() => undefined);
    return change;
  }

  /** What a model is given of one. */
  async read(skill: Skill): Promise<string> {
    return (await this.client.get<SkillText>("/api/skills/text", { id: skill.id, session_id: this.sessionId })).text;
  }

  async #switch(skill: Skill, isOn: boolean): Promise<void> {
    try {
      this.found = await this.client.post<SkillList>("/api/skills/switch", { id: skill.id, is_on: isOn, session_id: this.sessionId });
    } catch (error) {
      await this.load(); // what stands on the screen is what holds
      throw error;
    }
  }
}
