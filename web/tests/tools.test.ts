/** What a person sees of what was done. */

import { expect, test } from "vitest";
import { stretchesOf } from "../src/run/steps";
import { deedOf, kindOf } from "../src/run/tools";
import type { Block, ToolBlock } from "../src/run/transcript";

const tool = (name: string, given: unknown, tool_kind: ToolBlock["tool_kind"] = null) =>
  ({ name, tool_kind, arguments: typeof given === "string" ? given : JSON.stringify(given) }) as ToolBlock;

test.each([
  [tool("shell", { command: "npm  test\n" }, "execute"), { verb: "execute", target: "npm test" }],
  [tool("read_file", { path: "a.py" }), { verb: "read", target: "a.py" }],
  [tool("list_files", { path: "src" }, "read"), { verb: "list", target: "src" }],
  [tool("list_files", { path: "." }, "read"), null],
  [tool("search_sessions", { words: "bread" }, "read"), { verb: "search", target: "bread" }],
  [tool("search_files", { path: "src", pattern: "x" }, "read"), { verb: "search", target: "x" }],
  [tool("change", { file_path: "a.py" }, "edit"), { verb: "edit", target: "a.py" }],
  [tool("get", { url: "https://example.org" }, "fetch"), { verb: "fetch", target: "https://example.org" }],
  [tool("weather", { query: "Lisbon" }, "other"), null],
  [tool("shell", '{"command": "still ari', "execute"), null],
  [tool("shell", { command: ["ls"] }, "execute"), null],
  [tool("shell", "null", "execute"), null],
])("%o is told as %o", (call, deed) => expect(deedOf(call)).toEqual(deed));

test("what a server says of a tool counts more than its name", () => {
  expect([kindOf(tool("read_mail", {}, "other")), kindOf(tool("bash", {})), kindOf(tool("think", {}))]).toEqual(["other", "execute", "other"]);
});

test("what updated the plan has no line beside it, unless it failed or there is no plan", () => {
  const blocks = ["text", "running", "done", "error"].map((state) => (state === "text" ? { kind: state } : { kind: "tool", name: "update_plan", state }) as Block);
  const shown = (hasPlan: boolean) => stretchesOf(blocks, hasPlan).flatMap((one) => (one.kind === "steps" ? one.blocks : []));

  expect(shown(true)).toEqual([blocks[3]]);
  expect(shown(false)).toEqual([blocks[2], blocks[3]]);
});

test("calls in a row are one stretch, with the thoughts between them, and keep their place as more comes", () => {
  const kinds = ["text", "thinking", "tool", "thinking", "tool", "notice", "tool"] as const;
  const blocks = kinds.map((kind) => ({ kind }) as Block);
  const places = (count: number) => stretchesOf(blocks.slice(0, count)).map(({ kind, at }) => [kind, at]);

  expect(places(7)).toEqual([
    ["block", 0],
    ["steps", 1],
    ["block", 5],
    ["steps", 6],
  ]);
  expect(places(3)).toEqual(places(7).slice(0, 2));
});
