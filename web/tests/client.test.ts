/** Asking the server for a change, over a network that loses answers. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Client, ServerError } from "../src/wire/client";

let bodies: Record<string, unknown>[];
let refused: ServerError[];
let lost: number;
let client: Client;

beforeEach(() => {
  [bodies, refused, lost] = [[], [], 0];
  client = new Client();
  client.listen({ refused: (error) => refused.push(error) });
  vi.stubGlobal("fetch", (_path: string, init: RequestInit) => {
    bodies.push(JSON.parse(init.body as string) as Record<string, unknown>);
    if (lost-- > 0) return Promise.reject(new TypeError("Failed to fetch"));
    return Promise.resolve(Response.json({ ok: true }));
  });
});

afterEach(() => vi.unstubAllGlobals());

test("a change whose answer got lost is asked for once more, as the same change", async () => {
  lost = 1;

  expect(await client.post("/api/session/clear", { session_id: "one" })).toEqual({ ok: true });

  expect(bodies).toHaveLength(2);
  expect(bodies[0]).toEqual(bodies[1]);
  expect(bodies[0]).toMatchObject({ session_id: "one", request_id: expect.stringMatching(/^[0-9a-f]{24}$/) });
  expect(refused).toEqual([]);
});

test("two changes are never taken for the same", async () => {
  await client.post("/api/session/clear", { session_id: "one" });
  await client.post("/api/session/clear", { session_id: "one" });

  expect(bodies[0]?.["request_id"]).not.toBe(bodies[1]?.["request_id"]);
});

test("a server that stays silent is told of once", async () => {
  lost = 9;

  await expect(client.post("/api/session/clear")).rejects.toMatchObject({ code: "unreachable" });

  expect(bodies).toHaveLength(2);
  expect(refused).toHaveLength(1);
});

test("what its caller repeats is asked for once", async () => {
  lost = 1;

  await expect(client.postOnce("/api/session/draft", { text: "half" })).rejects.toMatchObject({ code: "unreachable" });

  expect(bodies).toEqual([{ text: "half" }]);
});
