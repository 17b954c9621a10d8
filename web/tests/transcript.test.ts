/** The cases that both folds of a run must agree on: this one reads them against the page's reducer. */

import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { entriesOf, liveAnswer } from "../src/run/answers";
import { isNumbered, runFrame, type RunFrame } from "../src/run/frames";
import { EMPTY, isGap, reduce, transcriptFrom, type Block } from "../src/run/transcript";
import type { Message } from "../src/wire/types";

const FOLDER = new URL("../../tests/contract/runs/", import.meta.url);

interface Case {
  name: string;
  frames: { event: string; data: object }[];
  transcript: object;
  /** What the run leaves in its document, once it has ended. */
  messages?: Message[];
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

describe.each(cases.filter(({ messages }) => messages))("$name, read from its document,", ({ messages, transcript }) => {
  test("is the answer that was seen live", () => {
    const live = liveAnswer("r", transcriptFrom(transcript), "m");
    const later = { timestamp: 0, messageId: messages!.at(-1)!.id };

    expect(entriesOf(messages!)).toEqual([{ ...live, ...later, blocks: live.blocks.map(sinceItBegan) }]);
  });
});

/** A document keeps how long thinking took, not when. */
function sinceItBegan(block: Block): Block {
  return block.kind === "thinking" ? { ...block, started_ms: 0, ended_ms: block.ended_ms - block.started_ms } : block;
}

test("there are cases", () => expect(cases.length).toBeGreaterThan(10));

test("a frame beyond the next number is a gap, and is not taken", () => {
  const later = runFrame({ event: "token", data: { seq: 3, text: "late" } }) as RunFrame;

  expect(isGap(EMPTY, later)).toBe(true);
  expect(reduce(EMPTY, later)).toBe(EMPTY);
});

test("a name that the page does not know is no frame", () => {
  expect(runFrame({ event: "from_the_future", data: { seq: 1 } })).toBeNull();
});
