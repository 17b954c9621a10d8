/** Folding a followed stream's frames, and its last words. */

import { expect, test } from "vitest";
import { lastWords, read } from "../src/run/reading";
import { EMPTY, type Transcript } from "../src/run/transcript";

const frame = (event: string, data: object) => ({ id: "", event, data: JSON.stringify(data) });
const saying = (text: string): Transcript => ({ ...EMPTY, blocks: [{ kind: "text", text }] });

test("frames are folded in their order, and a gap or a resync says that the stream is lost", () => {
  const one = read(EMPTY, frame("token", { seq: 1, text: "Hello" }));

  expect(one).toMatchObject({ seq: 1, blocks: [{ kind: "text", text: "Hello" }] });
  expect(read(one as Transcript, frame("token", { seq: 1, text: "Hello" }))).toBe(one);
  expect(read(one as Transcript, frame("token", { seq: 3, text: "!" }))).toBe("lost");
  expect(read(one as Transcript, frame("resync", {}))).toBe("lost");
});

test("what a run leaves in its session, and events of another day, change nothing", () => {
  expect(read(EMPTY, frame("done", { messages: [], session: null, usage: null }))).toBe(EMPTY);
  expect(read(EMPTY, frame("of_another_day", { seq: 1 }))).toBe(EMPTY);
});

test("the last words are one line, cut at a word", () => {
  expect(lastWords(saying("Two\n\nparagraphs "))).toBe("Two paragraphs");
  expect(lastWords(saying(`${"long ".repeat(40)}end`), 20)).toBe("… long long long end");
  expect(lastWords(EMPTY)).toBe("");
});
