/** What stood in a conversation before someone edited a message. */

import { expect, test } from "vitest";
import { replacementOf, withNewest } from "../src/run/alternatives";
import { entriesOf } from "../src/run/answers";
import type { Message } from "../src/wire/types";

const said = (id: string, more: Partial<Message> = {}): Message => ({ id, role: "user", content: id, ...more });
const told = (id: string): Message => ({ id, role: "assistant", content: id, run_id: id });

const edited = [said("u0"), told("a0"), said("u2", { versions: ["u1", "u2"], version: 1 }), told("a2")];

test("what took the place of an edited message is found", () => {
  expect(replacementOf(edited, "u1")?.id).toBe("u2");
  expect(replacementOf(edited, "u2")).toBeUndefined();
});

test("a message tells which of its versions it is, and another answer or text is the newest", () => {
  expect(entriesOf(edited)[2]).toMatchObject({ versions: 2, version: 2 });
  const chosen = said("u1", { versions: ["u1", "u2", "u3"], version: 0 });
  expect(entriesOf([chosen])[0]).toMatchObject({ versions: 3, version: 1 });
  expect(withNewest(chosen, "u4")).toEqual({ versions: ["u1", "u2", "u3", "u4"], version: 3 });
  expect(withNewest(said("u1"), "u1")).toEqual({ versions: ["u1", "u1"], version: 1 });
});
