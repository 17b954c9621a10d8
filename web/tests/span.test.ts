/** What of a long conversation is drawn. */

import { expect, test } from "vitest";
import { MOST, TO_THE_END, around, earlier, later, rangeOf, type Span } from "../src/features/chat/span";

const keys = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `k${from + index}`);
const drawn = (all: string[], span: Span): string[] => all.slice(...rangeOf(all, span));

test("at the end, the last ones are drawn, and whatever comes after them", () => {
  expect(drawn(keys(0, 1000), TO_THE_END)).toEqual(keys(1000 - MOST, 1000));
  expect(drawn(keys(0, 1001), TO_THE_END).at(-1)).toBe("k1000");
  expect(drawn(keys(0, 20), TO_THE_END)).toEqual(keys(0, 20));
  expect(drawn([], TO_THE_END)).toEqual([]);
});

test("going up and down again shows every entry, never more than the most, and each step overlaps the one before", () => {
  const all = keys(0, 1000);
  let span = TO_THE_END;
  for (const step of [earlier, later]) {
    const seen = new Set(drawn(all, span));
    for (let turn = 0; turn < 30; turn++) {
      const before = new Set(drawn(all, span));
      span = step(all, span);
      const now = drawn(all, span);
      expect(now.length).toBeLessThanOrEqual(MOST);
      expect(now.filter((key) => before.has(key)).length).toBeGreaterThanOrEqual(MOST - 60);
      for (const key of now) seen.add(key);
    }
    expect(seen.size).toBe(1000);
  }
  expect(span.last).toBeNull();
});

test("what is drawn stays when older entries come in above and new ones below", () => {
  const span = earlier(keys(100, 400), earlier(keys(100, 400), TO_THE_END));
  const before = drawn(keys(100, 400), span);

  expect(drawn(keys(0, 410), span)).toEqual(before);
});

test("when the entries it names are gone, the end is drawn", () => {
  expect(drawn(keys(500, 900), { first: "k1", last: "k2" })).toEqual(keys(900 - MOST, 900));
});

test("an entry that is to be shown is drawn with what stands around it, wherever it stands", () => {
  const all = keys(0, 1000);
  for (const key of ["k0", "k500", "k999"]) expect(drawn(all, around(all, key))).toContain(key);
  expect(drawn(all, around(all, "k500")).length).toBe(MOST);
});
