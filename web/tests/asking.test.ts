/** What agents ask, as the page shows it and says a word on it. */

import { expect, test, vi } from "vitest";
import { argumentsOf, commandCall, readable } from "../src/run/call";
import { Asking, type Asked } from "../src/state/asking.svelte";
import { ServerError, type Client } from "../src/wire/client";

const command = (text: string): ReturnType<typeof commandCall> => commandCall({ kind: "execute", arguments: text });

test("a command stands apart from the other arguments, which stay as they were written", () => {
  expect(command('{"timeout": 12345678901234567890, "command": "rm \\u202ea\\n\\"b\\"", "env": {"command": "no", "a": [1, 2]}}')).toEqual({
    command: 'rm \u202ea\n"b"',
    others: [
      { name: "timeout", value: "12345678901234567890" },
      { name: "env", value: '{"command": "no", "a": [1, 2]}' },
    ],
  });
  expect(argumentsOf("{}")).toEqual([]);
});

test.each(['{"command": "ls", "command": "rm"}', '{"command": "ls", "\\u0063ommand": "rm"}', '{"command": ["rm"]}', '["command"]', '{"command": "cut', "rm", '{"cmd": "rm"}'])(
  "%s has no command that is beyond doubt",
  (text) => expect(command(text)).toBeNull(),
);

test("only what executes has a command", () => {
  expect(commandCall({ kind: "other", arguments: '{"command": "ls"}' })).toBeNull();
});

test.each([
  ['"a\\n\\u202eb"', "a\n\u202eb"],
  ['""', '""'],
  ["12345678901234567890", "12345678901234567890"],
  ['{"a": [1]}', '{\n  "a": [\n    1\n  ]\n}'],
  ['{"a": 12345678901234567890}', '{"a": 12345678901234567890}'],
  ['{"a": "\\u202e"}', '{"a": "\\u202e"}'],
  ['{"a": 1, "a": 2}', '{"a": 1, "a": 2}'],
  ['{"cut', '{"cut'],
])("%s is read as %s, and never as another", (json, text) => expect(readable(json)).toBe(text));

const approval = (id: string) => ({ approval_id: id, arguments_sha256: `sha-${id}`, call_id: "c", name: "shell", arguments: "{}", type: "approval.requested" });
const asks = (session_id: string, ...ids: string[]) => ({ stream_id: `run-${session_id}`, session_id, title: session_id, kind: "turn", approvals: ids.map(approval), question: null });

function asking(answers: object[], refusal?: ServerError) {
  const said: [string, object][] = [];
  const client = {
    get: () => Promise.resolve({ asking: answers.length > 1 ? answers.shift() : answers[0] }),
    post: (path: string, body: object) => (said.push([path, body]), refusal ? Promise.reject(refusal) : Promise.resolve({ ok: true })),
  } as unknown as Client;
  const arrived = vi.fn<(asked: Asked) => void>();
  return { asking: new Asking(client, arrived), arrived, said };
}

test("what is asked since the page looked last is told, once", async () => {
  const { asking: it, arrived } = asking([[asks("a", "1")], [asks("a", "1"), asks("b", "2")]]);

  await it.load();
  await it.load();
  await it.load();

  expect(arrived.mock.calls.map(([one]) => one.id)).toEqual(["2"]);
  expect([it.waitsIn("a"), it.waitsIn("c"), it.asks("run-b")]).toEqual([true, false, true]);
});

test("a word is said on what was shown, and is not asked about again", async () => {
  const { asking: it, said } = asking([[asks("a", "1", "2")], [asks("a", "2")]]);
  await it.load();
  const [first] = it.in("a");

  const refused = first?.kind === "approval" ? await it.decide(first, "deny", "Not now.") : null;

  expect(refused).toBeNull();
  expect(said).toEqual([["/api/approval/respond", { approval_id: "1", arguments_sha256: "sha-1", choice: "deny", note: "Not now." }]]);
  expect(it.in("a").map((one) => one.id)).toEqual(["2"]);
});

test.each([
  ["approval_settled", 409, true],
  ["approval_changed", 409, false],
  ["storage_failed", 507, false],
])("a word that is refused with %s says why", async (code, status, isOver) => {
  const { asking: it } = asking([[asks("a", "1")]], new ServerError("Why not.", code, status));
  await it.load();
  const [first] = it.in("a");

  expect(first?.kind === "approval" && (await it.decide(first, "once"))).toEqual({ sentence: "Why not.", isOver });
  expect(it.in("a")).toHaveLength(1);
});
