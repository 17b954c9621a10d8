/** What of a long conversation is drawn. */

import { expect, test } from "vitest";
import { HEAVIEST, LEAST, MOST, TO_THE_END, around, earlier, later, rangeOf, type Drawable, type Span } from "../src/features/chat/span";

const keys = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => `k${from + index}`);
const light = (all: string[]): Drawable[] => all.map((key) => ({ key, weight: 100 }));
const drawn = (all: string[], span: Span): string[] => all.slice(...rangeOf(light(all), span));

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
      span = step(light(all), span);
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
  const span = earlier(light(keys(100, 400)), earlier(light(keys(100, 400)), TO_THE_END));
  const before = drawn(keys(100, 400), span);

  expect(drawn(keys(0, 410), span)).toEqual(before);
});

test("when the entries it names are gone, the end is drawn", () => {
  expect(drawn(keys(500, 900), { first: "k1", last: "k2" })).toEqual(keys(900 - MOST, 900));
});

test("an entry that is to be shown is drawn with what stands around it, wherever it stands", () => {
  const all = keys(0, 1000);
  for (const key of ["k0", "k500", "k999"]) expect(drawn(all, around(light(all), key))).toContain(key);
  expect(drawn(all, around(light(all), "k500")).length).toBe(MOST);
});

test.each([1_000, HEAVIEST / 10, HEAVIEST / 3, HEAVIEST, 5 * HEAVIEST])("entries of %d characters each: never much more is drawn, and each one can be reached", (weight) => {
  const all = keys(0, 100).map((key) => ({ key, weight }));
  const total = (span: Span): number => all.slice(...rangeOf(all, span)).reduce((sum, one) => sum + one.weight, 0);
  let span = TO_THE_END;
  for (const step of [earlier, later]) {
    const seen = new Set<string>();
    for (let turn = 0; turn < 120; turn++) {
      const [start, end] = rangeOf(all, span);
      for (const { key } of all.slice(start, end)) seen.add(key);
      expect(total(span)).toBeLessThanOrEqual(Math.max(HEAVIEST, 2 * LEAST * weight));
      span = step(all, span);
      const [nextStart, nextEnd] = rangeOf(all, span);
      const stays = step === earlier ? [start, start + 1] : [end - 2, end - 1];
      for (const index of stays) expect(index >= nextStart && index < nextEnd, `${index} of ${nextStart}-${nextEnd}`).toBe(true);
    }
    expect(seen.size).toBe(100);
  }
  expect(drawn(["k7"], around(all, "k7"))).toEqual(["k7"]);
});
