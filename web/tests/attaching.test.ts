/** Files on their way, and a server that takes them, or does not. */

import { beforeEach, expect, test, vi } from "vitest";
import { attacher, missingOf } from "../src/state/attach";
import type { Attaching, Holder } from "../src/state/attaching.svelte";
import { mentionAt } from "../src/features/chat/mentioning.svelte";
import { sizeWithin } from "../src/features/chat/attachments";
import { ServerError, type Client } from "../src/wire/client";
import type { Attachment } from "../src/wire/types";
import { settled } from "./world";

class Held implements Holder {
  attachments: Attachment[] = [];
  attaching: Attaching | null = null;
  session = async (): Promise<string> => "s1";
  attach = (one: Attachment): void => void this.attachments.push(one);
  detach = (id: string): void => void (this.attachments = this.attachments.filter((one) => one.id !== id));

  get names(): string[] {
    return this.attachments.map((one) => one.name);
  }
}

/** Takes what is sent, once the test lets go of it. */
class Server {
  refusal: ServerError | null = null;
  posts: { path: string; body: Record<string, unknown> }[] = [];
  waiting: (() => void)[] = [];
  #count = 0;

  client = {
    give: async (_path: string, { name }: { name: string }, { size }: Blob, _carry: unknown, signal: AbortSignal) => {
      await new Promise<void>((resolve, reject) => {
        this.waiting.push(resolve);
        signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      });
      if (this.refusal) throw this.refusal;
      return { attachment: { id: `id-${++this.#count}`, name, size, media_type: "image/png" } };
    },
    post: async (path: string, body: Record<string, unknown>) => {
      this.posts.push({ path, body });
      if (this.refusal) throw this.refusal;
      return { attachment: { id: `id-${++this.#count}`, name: body["path"], size: 1, media_type: "text/plain" } };
    },
  } as unknown as Client;

  /** Let what is on its way arrive. */
  async letGo(): Promise<void> {
    await vi.waitFor(() => expect(this.waiting).not.toEqual([]));
    for (const resolve of this.waiting.splice(0)) resolve();
    await settled();
  }
}

let server: Server;
let held: Held;
let attaching: Attaching;

beforeEach(async () => {
  server = new Server();
  held = new Held();
  attaching = await attacher(server.client, held)();
});

function picture(name: string, size = 3): File {
  return new File(["x".repeat(size)], name, { type: "image/png" });
}

test("what is given is attached in that order, and shown by this tab itself until it is let go", async () => {
  attaching.give([picture("a.png"), picture("b.png")]);
  expect(attaching.pending.map((one) => attaching.previewOf(one.key)?.slice(0, 5))).toEqual(["blob:", "blob:"]);
  await server.letGo();
  expect([held.names, attaching.isGoing]).toEqual([["a.png"], true]);
  await server.letGo();

  expect([held.names, attaching.pending]).toEqual([["a.png", "b.png"], []]);
  expect(attaching.previewOf("id-1")).toMatch(/^blob:/);
  attaching.letGo();
  expect(attaching.previewOf("id-1")).toBeUndefined();
});

test("what is given up never arrives, and the next goes on its way", async () => {
  attaching.give([picture("a.png"), picture("b.png")]);
  await vi.waitFor(() => expect(server.waiting.length).toBe(1));
  attaching.cancel(attaching.pending[0]!.key);
  await vi.waitFor(() => expect(server.waiting.length).toBe(2));
  await server.letGo();

  expect([held.names, await missingOf(held)]).toEqual([["b.png"], null]);
});

test("whoever waits for the files hears which of them failed, and that it is there after another try", async () => {
  server.refusal = new ServerError("The disk is full.", "disk_full", 507);
  attaching.give([picture("a.png")]);
  const missing = missingOf(held);
  await server.letGo();
  expect(await missing).toContain("a.png");
  expect(attaching.failed[0]?.state).toMatchObject({ failure: "The disk is full.", canRetry: true });

  server.refusal = null;
  attaching.retry(attaching.pending[0]!.key);
  await server.letGo();

  expect([held.names, await missingOf(held)]).toEqual([["a.png"], null]);
});

test.each([
  ["picture_refused", 400, false],
  ["empty_file", 400, false],
  ["too_large", 413, false],
  ["attachments_full", 413, true],
  ["storage_failed", 507, true],
  ["unreachable", 0, true],
])("what failed with %s may be tried again only where that can help", async (code, status, canRetry) => {
  server.refusal = new ServerError("No.", code, status);
  attaching.give([picture("a.png")]);
  await server.letGo();

  expect(attaching.failed[0]?.state).toMatchObject({ phase: "failed", canRetry });
  expect((await missingOf(held))?.includes("Try again")).toBe(canRetry);
});

test("what is empty or too large is not sent at all", async () => {
  const large = picture("large.png");
  Object.defineProperty(large, "size", { value: 50 * 1024 * 1024 + 1 });
  attaching.give([large, picture("empty.png", 0)]);
  await settled();

  expect(server.waiting).toEqual([]);
  expect(attaching.failed.map(({ name, state }) => [name, state.phase === "failed" && state.canRetry])).toEqual([["large.png", false], ["empty.png", false]]);
});

test("no more go with a message than it may have, and the rest is told of", () => {
  attaching.give(Array.from({ length: 22 }, (_, at) => picture(`${at}.png`)));

  expect(attaching.pending.length).toBe(20);
  expect(attaching.remark).toContain("2 were left out");
});

test("what the server has lost can be given anew by the tab that still has it, and by no other", async () => {
  attaching.give([picture("mine.png")]);
  await server.letGo();
  held.attach({ id: "theirs", name: "theirs.png", size: 3, media_type: "image/png" });

  attaching.lost(["id-1", "theirs"]);
  expect(held.names).toEqual([]);
  expect(attaching.failed.map(({ name, state }) => [name, state.phase === "failed" && state.canRetry])).toEqual([["mine.png", true], ["theirs.png", false]]);
  attaching.retry(attaching.failed[0]!.key);
  await server.letGo();

  expect(held.names).toEqual(["mine.png"]);
});

test("what is taken out is forgotten by the server too", async () => {
  attaching.copy("plans/beds.md");
  await settled();
  attaching.remove("id-1");
  await settled();

  expect(held.names).toEqual([]);
  expect(server.posts.map(({ path, body }) => [path, body])).toEqual([
    ["/api/attachment/from_workspace", { session_id: "s1", path: "plans/beds.md" }],
    ["/api/attachment/remove", { session_id: "s1", id: "id-1" }],
  ]);
});

test.each([
  ["@", 1, ""],
  ["see @pl", 7, "pl"],
  ["see @plans and", 8, "pla"],
  ["(@a/b.c", 7, "a/b.c"],
  ["me@home", 7, null],
  ["see @pl now", 11, null],
])("in %j with the caret at %i the mention begun is %j", (text, caret, begun) => {
  expect(mentionAt(text, caret)?.begun ?? null).toBe(begun);
});

test.each([
  [900, 600, 300, 200],
  [100, 50, 100, 50],
  [10, 5000, 20, 200],
  [null, null, 200, 200],
])("a picture of %j by %j has a place of %i by %i before it is here", (width, height, w, h) => {
  const one = { id: "a", name: "a", media_type: "image/png" as const, size: 1, width, height };
  expect(sizeWithin(one, { width: 300, height: 200, least: 20 })).toEqual({ width: w, height: h });
});
