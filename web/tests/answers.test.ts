/** How messages become entries on the screen. */

import { expect, test } from "vitest";
import { answerText, entriesOf, textOf, type Answer } from "../src/run/answers";
import { EMPTY } from "../src/run/transcript";
import type { Message } from "../src/wire/types";

const said = (id: string, content = "Hi"): Message => ({ id, role: "user", content });
const told = (id: string, run_id: string | undefined, more: Partial<Message> = {}): Message => ({
  id,
  role: "assistant",
  content: "Hello",
  run_id,
  ...more,
});

test("the messages of one run are one answer, and its tools carry their results", () => {
  const call = { id: "c1", type: "function" as const, function: { name: "shell", arguments: "{}" } };
  const messages: Message[] = [
    said("u1"),
    told("r1.0", "r1", { content: "Looking.", reasoning: "Hm.", reasoning_ms: 900, tool_calls: [call] }),
    { id: "r1.c1", role: "tool", content: "ok", tool_call_id: "c1", name: "shell", title: "Look", duration_ms: 5, run_id: "r1" },
    told("r1.1", "r1", { content: "Done.", outcome: "done", duration_ms: 70 }),
  ];

  const [, answer] = entriesOf(messages) as [unknown, Answer];

  expect(answer.key).toBe("r1");
  expect(answer.outcome).toBe("done");
  expect(answer.blocks.map((block) => block.kind)).toEqual(["thinking", "text", "tool", "text"]);
  expect(answer.blocks[2]).toMatchObject({ title: "Look", output: "ok", state: "done", duration_ms: 5 });
  expect(answerText(answer)).toBe("Looking.\n\nDone.");
});

test("two runs on one question are two answers", () => {
  const entries = entriesOf([said("u1"), told("a", "r1", { outcome: "interrupted" }), told("b", "r2")]);

  expect(entries.map((entry) => entry.key)).toEqual(["u1", "r1", "r2"]);
});

test("an answer that was watched keeps the blocks that stood on the screen", () => {
  const blocks = [{ kind: "text" as const, text: "as it was shown" }];

  const [answer] = entriesOf([told("a", "r1")], new Map([["r1", { ...EMPTY, blocks }]])) as [Answer];

  expect(answer.blocks).toBe(blocks);
});

test("keys are never alike, even where a file names two messages alike", () => {
  const entries = entriesOf([said("same"), told("a", undefined), said("same"), told("a", undefined)]);

  expect(new Set(entries.map((entry) => entry.key)).size).toBe(4);
});

test("content may come in parts, of which the text is read", () => {
  expect(textOf([{ type: "text", text: "one" }, { type: "image_url", image_url: {} }, "two"])).toBe("one\n\ntwo");
  expect(textOf(null)).toBe("");
});

test("what a person told the agent while it worked stands in the answer, where it was taken", () => {
  const meanwhile: Message = { ...said("m1", "Only in Lisbon."), run_id: "r1", steered: true };
  const messages = [said("u1"), told("r1.0", "r1", { content: "Looking." }), meanwhile, told("r1.1", "r1", { content: "Found." })];

  const [first, answer, ...more] = entriesOf(messages) as [unknown, Answer];

  expect(first).toMatchObject({ kind: "said", key: "u1" });
  expect(answer.blocks.map((block) => block.kind)).toEqual(["text", "said", "text"]);
  expect(more).toEqual([]);
});

test("a notice that does not tell its place stands between the words and the calls", () => {
  const call = { id: "c1", type: "function" as const, function: { name: "shell", arguments: "{}" } };
  const notices = [{ code: "a", message: "One." }, { code: "b", message: "Two." }];

  const [answer] = entriesOf([told("r1.0", "r1", { reasoning: "Hm.", notices, tool_calls: [call] })]) as [Answer];

  expect(answer.blocks.map((block) => block.kind)).toEqual(["thinking", "text", "notice", "notice", "tool"]);
  expect(answer.blocks.slice(2, 4)).toEqual(notices.map((one) => ({ kind: "notice", ...one })));
});
