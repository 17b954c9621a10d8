/** The list of skills, of a server that takes its time. */

import { expect, test } from "vitest";
import { Skills } from "../src/state/skills.svelte";
import type { Client } from "../src/wire/client";
import type { Skill, SkillList } from "../src/wire/types";
import { settled } from "./world";

const skill = (is_on: boolean): Skill => ({ id: "a", name: "a", is_on, problem: null }) as Skill;

test("a list that was asked for before a switch was turned does not come back over it", async () => {
  let isOn = true;
  const waiting: (() => void)[] = [];
  const answer = (): Promise<SkillList> => {
    const skills = [skill(isOn)];
    return new Promise((resolve) => waiting.push(() => resolve({ skills } as SkillList)));
  };
  const client = {
    get: answer,
    post: (_path: string, body: { is_on: boolean }) => {
      isOn = body.is_on;
      return answer();
    },
  } as unknown as Client;
  const skills = new Skills(client, null);

  const asked = [skills.load(), skills.turn(skill(true), false)];
  await settled();
  while (waiting.length > 0) {
    waiting.pop()!(); // the last first, where two are on their way
    await settled();
  }
  await Promise.all(asked);

  expect(skills.found?.skills[0]?.is_on).toBe(false);
});
