/** Earlier versions of a conversation, read in the place of what stands there now. */

import { expect, test } from "vitest";
import { beginningOf, replacementOf, withVersion } from "../src/run/alternatives";
import { entriesOf } from "../src/run/answers";
import type { Message } from "../src/wire/types";

const said = (id: string, alternatives?: Message[][]): Message => ({ id, role: "user", content: id, ...(alternatives && { alternatives }) });
const told = (id: string): Message => ({ id, role: "assistant", content: id, run_id: id });
const ids = (messages: readonly Message[]): string[] => messages.map((message) => message.id);

const edited = [said("u0"), told("a0"), said("u2", [[said("u1"), told("a1"), said("u1b"), told("a1b")]]), told("a2")];
const retried = [said("u1", [[told("first")], [told("second")]]), told("third")];

test("an edited message brings back its old text and all that followed it", () => {
  expect(ids(withVersion(edited, { of: "u2", at: 0 }))).toEqual(["u0", "a0", "u1", "a1", "u1b", "a1b"]);
  expect(beginningOf(edited, { of: "u2", at: 0 })).toBe("u1");
});

test("a retried answer brings back another answer below the same message", () => {
  expect(ids(withVersion(retried, { of: "u1", at: 1 }))).toEqual(["u1", "second"]);
  expect(beginningOf(retried, { of: "u1", at: 1 })).toBe("u1");
});

test("an earlier version still tells how many there are", () => {
  const [entry] = entriesOf(withVersion(retried, { of: "u1", at: 0 }));
  expect(entry).toMatchObject({ kind: "said", versions: 3 });
});

test("a version that is not there leaves the conversation as it is", () => {
  expect(withVersion(retried, { of: "u1", at: 2 })).toBe(retried);
  expect(withVersion(retried, { of: "gone", at: 0 })).toBe(retried);
  expect(withVersion(retried, null)).toBe(retried);
});

test("what took the place of an edited message is found", () => {
  expect(replacementOf(edited, "u1")?.id).toBe("u2");
  expect(replacementOf(edited, "u1b")).toBeUndefined();
});
