/** The cases that both folds of a run must agree on: this one reads them against the page's reducer. */

import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isNumbered, runFrame, type RunFrame } from "../src/run/frames";
import { EMPTY, isGap, reduce, transcriptFrom } from "../src/run/transcript";

const FOLDER = new URL("../../tests/contract/runs/", import.meta.url);

interface Case {
  name: string;
  frames: { event: string; data: object }[];
  transcript: object;
}

const cases = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")) as Case);

function framesOf({ frames }: Case): RunFrame[] {
  return frames.map((frame) => {
    const read = runFrame({ ...frame, data: JSON.stringify(frame.data) });
    if (!read || !isNumbered(read)) throw new Error(`not a numbered frame: ${frame.event}`);
    return read;
  });
}

describe.each(cases)("$name", (one) => {
  const frames = framesOf(one);
  const expected = transcriptFrom(one.transcript);

  test("reducing its frames gives its transcript", () => {
    expect(frames.reduce(reduce, EMPTY)).toEqual(expected);
  });

  test("a snapshot anywhere and the frames after it, with any overlap, give the same", () => {
    for (let cut = 0; cut <= frames.length; cut++) {
      const snapshot = transcriptFrom(JSON.parse(JSON.stringify(frames.slice(0, cut).reduce(reduce, EMPTY))));
      for (let repeated = 0; repeated <= cut; repeated++) {
        expect(frames.slice(cut - repeated).reduce(reduce, snapshot)).toEqual(expected);
      }
    }
  });
});

test("there are cases", () => expect(cases.length).toBeGreaterThan(10));

test("a frame beyond the next number is a gap, and is not taken", () => {
  const later = runFrame({ event: "token", data: { seq: 3, text: "late" } }) as RunFrame;

  expect(isGap(EMPTY, later)).toBe(true);
  expect(reduce(EMPTY, later)).toBe(EMPTY);
});

test("a name that the page does not know is no frame", () => {
  expect(runFrame({ event: "from_the_future", data: { seq: 1 } })).toBeNull();
});
