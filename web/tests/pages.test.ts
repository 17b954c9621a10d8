/** Pages of messages come together without a hole and without a message twice. */

import { expect, test } from "vitest";
import { MessagePages, type PageQuery } from "../src/features/chat/messagePages.svelte";
import { keptOf, withLatest, withNewer, withOlder, type Stretch } from "../src/features/chat/pages";
import type { Message, SessionPage } from "../src/wire/types";

const stretch = (from: number, to: number): Stretch => ({
  offset: from,
  messages: Array.from({ length: to - from }, (_, index) => ({ id: `${from + index}` }) as Message),
});

test("an older page goes before what is known", () => {
  expect(withOlder(stretch(60, 100), stretch(0, 60))).toEqual(stretch(0, 100));
});

test("an older page that no longer fits is left out", () => {
  expect(withOlder(stretch(60, 100), stretch(0, 50))).toEqual(stretch(60, 100));
});

test("a later page goes behind what is known, and one that does not touch it is left out", () => {
  expect(withNewer(stretch(0, 60), stretch(40, 100))).toEqual(stretch(0, 100));
  expect(withNewer(stretch(0, 60), stretch(60, 100))).toEqual(stretch(0, 100));
  expect(withNewer(stretch(0, 60), stretch(70, 100))).toEqual(stretch(0, 60));
});

test("a newer last page keeps what was loaded before it", () => {
  expect(withLatest(stretch(0, 100), stretch(90, 104))).toEqual(stretch(0, 104));
});

test("a last page after a session was cut short leaves nothing that is gone", () => {
  expect(withLatest(stretch(40, 100), stretch(30, 90))).toEqual(stretch(30, 90));
  expect(withLatest(stretch(0, 100), stretch(30, 90))).toEqual(stretch(0, 90));
});

test("a last page far beyond what is known replaces it, for between them would be a hole", () => {
  expect(withLatest(stretch(0, 50), stretch(100, 160))).toEqual(stretch(100, 160));
});

test.each([
  [100, 10, 100],
  [1000, 10, 300],
  [100, 20_000, 50],
  [100, 500_000, 20],
  [0, 0, 0],
])("of %d messages of %d characters, the last %d are kept", (count, length, kept) => {
  expect(keptOf(stretch(0, count).messages.map((message) => ({ ...message, content: "x".repeat(length) })))).toBe(kept);
});

test("a page that comes when someone went elsewhere meanwhile leaves no hole behind", async () => {
  const answers: ((page: SessionPage) => void)[] = [];
  const pages = new MessagePages((_: PageQuery) => new Promise((resolve) => answers.push(resolve)));
  pages.takeAround(page(200, 240, 20));

  const newer = pages.loadNewer();
  const there = pages.loadAround("10");
  answers[1]!(page(0, 40, 220));
  await there;
  answers[0]!(page(200, 260, 0));
  await newer;

  expect([pages.end, pages.hasNewer]).toEqual([40, true]);
});

function page(from: number, to: number, after: number): SessionPage {
  const { offset, messages } = stretch(from, to);
  return { session: { messages }, _messages_offset: offset, _messages_after: after } as unknown as SessionPage;
}
