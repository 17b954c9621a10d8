/** The list of sessions: its groups of time, and the lines a window shows of it. */

import { describe, expect, test } from "vitest";
import { groupOf, untilTomorrow } from "../src/features/sessions/groups";
import { heightOf, linesOf, visible } from "../src/features/sessions/lines";
import { signsOf } from "../src/features/sessions/signs";
import type { Row } from "../src/wire/types";

const at = (...parts: [number, number, number, number?, number?]): number => new Date(...(parts as [number, number])).getTime();
const NOW = at(2026, 10, 22, 9, 30);

describe("a session of", () => {
  test.each([
    ["this morning", at(2026, 10, 22, 0, 5), { kind: "today" }],
    ["a clock that runs ahead", at(2026, 10, 23, 1), { kind: "today" }],
    ["last midnight but a minute", at(2026, 10, 21, 23, 59), { kind: "yesterday" }],
    ["two days ago", at(2026, 10, 20, 12), { kind: "lastWeek" }],
    ["a week ago", at(2026, 10, 15, 0, 0), { kind: "lastWeek" }],
    ["eight days ago", at(2026, 10, 14, 23), { kind: "month", label: "November" }],
    ["spring, beyond a change of clocks", at(2026, 2, 1), { kind: "month", label: "March" }],
    ["last year", at(2025, 10, 22), { kind: "month", label: "November 2025" }],
  ])("%s", (_name, time, group) => expect(groupOf(time, NOW, "en")).toEqual(group));
});

test("the groups are good until midnight", () => {
  expect(untilTomorrow(NOW)).toBe(14.5 * 3_600_000);
});

const row = (id: number, time: number, pinned = false): Row =>
  ({ session_id: `s${id}`, title: `${id}`, last_message_at: time / 1000, updated_at: 0, pinned }) as Row;

test.each([
  [{ is_streaming: false, held_messages: 0, unread: false }, []],
  [{ is_streaming: false, held_messages: 2, unread: false }, ["held"]],
  [{ is_streaming: false, held_messages: 2, unread: true }, ["held", "unread"]],
  [{ is_streaming: true, held_messages: 0, unread: true }, ["running"]],
  [{ is_streaming: true, held_messages: 1, unread: true, asks: true }, ["asks"]],
])("a row with %o tells %j", ({ asks = false, ...fields }: Partial<Row> & { asks?: boolean }, signs) => {
  expect(signsOf({ ...row(1, NOW), ...fields }, asks)).toEqual(signs);
});

test("rows stand under their headings, one below the other", () => {
  const rows = [row(1, at(2020, 1, 1), true), row(2, NOW), row(3, NOW), row(4, at(2026, 10, 21))];

  const lines = linesOf(rows, NOW, { row: 36, heading: 30 });

  expect(lines.map((line) => (line.kind === "row" ? line.key : line.label))).toEqual([
    "Pinned", "s1", "Today", "s2", "s3", "Yesterday", "s4",
  ]);
  expect(lines.map((line) => line.top)).toEqual([0, 30, 66, 96, 132, 168, 198]);
  expect(heightOf(lines)).toBe(234);
});

test("only the lines near the window are shown, and all of those", () => {
  const lines = linesOf(Array.from({ length: 10_000 }, (_, index) => row(index, NOW)), NOW, { row: 36, heading: 30 });

  const shown = visible(lines, 100_000, 100_800, 100);

  expect(shown.length).toBeLessThan(40);
  expect(shown[0]!.top).toBeLessThanOrEqual(99_900);
  expect(shown.at(-1)!.top + 36).toBeGreaterThanOrEqual(100_900);
});
