/** Drafts in two windows of one browser, and a server that refuses what was typed over something it does not know. */

import { beforeEach, expect, test, vi } from "vitest";
import { agreed, agreedFiles } from "../src/state/agreeing";
import type { Draft } from "../src/state/draft.svelte";
import { Drafts } from "../src/state/drafts";
import { ServerError, type Client } from "../src/wire/client";
import type { Attachment, DraftNote } from "../src/wire/types";
import { World, settled } from "./world";

const PAUSE_MS = 100;

/** Keeps drafts as `api/sessions/drafts.py` does. */
class Server {
  kept: DraftNote = { text: "", attachments: [], revision: 0 };
  isAway = false;
  isGone = false;
  puts: string[] = [];
  /** Holds back the answers to what is put, until it is called. */
  gate: Promise<void> = Promise.resolve();
  changed: (revision: number) => void = () => {};

  client = {
    get: async () => {
      await this.#reached();
      return this.kept;
    },
    postOnce: async (_path: string, body: { text: string; attachments: string[]; revision: number }) => {
      await this.#reached();
      this.puts.push(body.text);
      if (body.revision !== this.kept.revision) throw new ServerError("Changed.", "stale_revision", 409);
      this.keep(body.text, body.attachments);
      const answer = this.kept;
      await this.gate;
      return answer;
    },
  } as unknown as Client;

  keep(text: string, ids: readonly string[] = []): void {
    this.kept = { text, attachments: ids.map(file), revision: this.kept.revision + 1 };
    this.changed(this.kept.revision);
  }

  async #reached(): Promise<void> {
    await Promise.resolve();
    if (this.isAway) throw new ServerError("Nobody answers.", "unreachable", 0);
    if (this.isGone) throw new ServerError("It is gone.", "session_not_found", 404);
  }
}

function file(id: string): Attachment {
  return { id, name: `${id}.png`, media_type: "image/png", size: 3 };
}

function idsOf(files: readonly Attachment[]): string[] {
  return files.map((one) => one.id);
}

function storage(): Storage {
  const kept = new Map<string, string>();
  const methods = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  return new Proxy(methods as unknown as Storage, { ownKeys: () => [...kept.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) });
}

let server: Server;
let world: World;

beforeEach(() => {
  vi.stubGlobal("localStorage", storage());
  vi.stubGlobal("sessionStorage", storage());
  server = new Server();
  world = new World();
});

async function opened(drafts = new Drafts(server.client, world.after)): Promise<{ draft: Draft; drafts: Drafts }> {
  const draft = drafts.open("s1");
  draft.begin({ ...server.kept }, false);
  await settled();
  return { draft, drafts };
}

/** Two tabs that are told of changes. */
async function two(): Promise<[Draft, Draft]> {
  const [{ draft: one, drafts: first }, { draft: other, drafts: second }] = [await opened(), await opened()];
  server.changed = (revision) => [first, second].forEach((drafts) => drafts.noticed("s1", revision));
  return [one, other];
}

function write(draft: Draft, text: string): void {
  draft.text = text;
  draft.typed();
}

test("a pause in typing lets the server have it, once, and this browser lets go of it", async () => {
  const { draft } = await opened();
  for (const text of ["H", "He", "Hel"]) write(draft, text);
  expect(localStorage.getItem("fireside.draft.s1")).toContain("Hel");
  expect(server.puts).toEqual([]);

  await world.pass(PAUSE_MS);

  expect(server.puts).toEqual(["Hel"]);
  expect(localStorage.getItem("fireside.draft.s1")).toBeNull();
});

test("a window in which nothing was typed follows the other", async () => {
  const [one, other] = await two();
  write(one, "From here");
  await world.pass(PAUSE_MS);

  expect(other.text).toBe("From here");
  write(other, "From here to there");
  await world.pass(PAUSE_MS);
  expect(one.text).toBe("From here to there");
});

test.each([
  ["mine", "B"],
  ["theirs", "A"],
  ["both", "B\n\nA"],
] as const)("when both typed, the later one is asked, and %s is what stands in both", async (wanted, text) => {
  const [one, other] = await two();
  write(one, "A");
  write(other, "B");
  await world.pass(PAUSE_MS);
  expect([one.text, other.text, other.rival?.text, server.kept.text]).toEqual(["A", "B", "A", "A"]);

  other.decide(wanted);
  await settled();

  expect([one.text, other.text, server.kept.text, other.rival]).toEqual([text, text, text, null]);
});

test("what was typed while the server was away is put there when it is back, also after a reload", async () => {
  const { draft, drafts } = await opened();
  server.isAway = true;
  write(draft, "Kept meanwhile");
  await world.pass(PAUSE_MS);
  draft.close();

  const reloaded = new Drafts(server.client, world.after);
  expect(reloaded.open("s1").text).toBe("Kept meanwhile");
  server.isAway = false;
  new Drafts(server.client, world.after).lookAgain();
  await settled();
  expect(server.kept.text).toBe("Kept meanwhile");
  drafts.lookAgain();
  await settled();
  expect(server.puts).toEqual(["Kept meanwhile"]);
});

test("what another device typed while the server was away is asked about", async () => {
  const { draft, drafts } = await opened();
  server.isAway = true;
  write(draft, "Mine");
  await world.pass(PAUSE_MS);
  server.isAway = false;
  server.keep("Theirs");

  drafts.lookAgain();
  await settled();

  expect([draft.text, draft.rival?.text, server.kept.text]).toEqual(["Mine", "Theirs", "Theirs"]);
});

test("a draft that was sent does not come back, though it was on its way to be kept", async () => {
  const [one, other] = await two();
  let letGo = (): void => {};
  server.gate = new Promise((resolve) => (letGo = resolve));
  write(one, "Hello");
  await world.pass(PAUSE_MS);
  const sent = one.send("msg-1");
  letGo();
  await settled();
  one.arrived(sent, "s1");
  await settled();

  expect([one.text, other.text, server.kept.text]).toEqual(["", "", ""]);
  expect(localStorage.getItem("fireside.draft.s1")).toBeNull();
});

test("what could not be sent comes back before what was typed since, under the same id", async () => {
  const { draft } = await opened();
  write(draft, "First");
  const sent = draft.send("msg-1");
  write(draft, "second");
  draft.refused(sent);
  expect(draft.text).toBe("First\nsecond");
  await world.pass(PAUSE_MS);

  const after = (await opened()).draft;
  expect(after.text).toBe("First\nsecond");
  after.heedMessages((id) => id === "msg-1"); // it had arrived after all
  expect(after.text).toBe("second");

  write(draft, "First");
  expect(draft.idFor(() => "fresh")).toBe("msg-1");
  write(draft, "Another");
  expect(draft.idFor(() => "fresh")).toBe("fresh");
});

test.each([
  ["the first arrived", [0], "second\nthird"],
  ["the second arrived", [1], "First\nthird"],
  ["neither arrived", [], "First\nsecond\nthird"],
  ["neither arrived, which was known of the second first", [], "First\nsecond\nthird"],
  ["both arrived", [0, 1], "third"],
])("of two that are on their way at once none is lost: %s", async (how, arrived, expected) => {
  const { draft } = await opened();
  write(draft, "First");
  const first = draft.send("msg-1");
  write(draft, "second");
  const second = draft.send("msg-2");
  write(draft, "third");
  const closed = (await opened()).draft;
  expect(closed.text).toBe("First\nsecond\nthird");

  const inOrder = [first, second].map((sent, at) => () => (arrived.includes(at) ? draft.arrived(sent, "s1") : draft.refused(sent)));
  (how.includes("second first") ? inOrder.reverse() : inOrder).forEach((tell) => tell());

  expect(draft.text).toBe(expected);
  expect((await opened()).draft.text).toBe(expected);
  closed.heedMessages((id) => arrived.map((at) => `msg-${at + 1}`).includes(id));
  expect(closed.text).toBe(expected);
});

test("the same words twice are two messages, also while the first is on its way", async () => {
  const { draft } = await opened();
  write(draft, "Yes");
  const first = draft.send("msg-1");
  write(draft, "Yes");
  expect(draft.idFor(() => "msg-2")).toBe("msg-2");

  const second = draft.send("msg-2");
  draft.refused(second);
  expect(draft.idFor(() => "fresh")).toBe("msg-2");
  draft.arrived(first, "s1");
  expect(draft.text).toBe("Yes");
});

test("what is attached in one window is attached in the other, and what is taken out is taken out of both", async () => {
  const [one, other] = await two();
  one.attach(file("a"));
  other.attach(file("b"));
  await settled();
  write(one, "Look");
  await world.pass(PAUSE_MS);
  expect([idsOf(one.attachments), idsOf(other.attachments), other.text]).toEqual([["a", "b"], ["a", "b"], "Look"]);

  other.detach("a");
  await settled();

  expect([idsOf(one.attachments), idsOf(server.kept.attachments)]).toEqual([["b"], ["b"]]);
});

test("files leave with their message, under the same id until it is known to be there, and come back when it is refused", async () => {
  const { draft } = await opened();
  draft.attach(file("a"));
  await settled();
  const sent = draft.send("msg-1");
  expect(draft.attachments).toEqual([]);
  draft.attach(file("b"));
  draft.refused(sent);

  const after = (await opened()).draft;
  expect([idsOf(after.attachments), after.text]).toEqual([["a", "b"], ""]);
  expect(draft.idFor(() => "fresh")).toBe("fresh"); // it is another message by now
  draft.detach("b");
  expect(draft.idFor(() => "fresh")).toBe("msg-1");
  after.heedMessages((id) => id === "msg-1");
  expect(idsOf(after.attachments)).toEqual(["b"]);
});

test("files stay where only the text leaves", async () => {
  const { draft } = await opened();
  draft.attach(file("a"));
  write(draft, "/help");
  draft.arrived(draft.send("", true), "s1");
  await settled();

  expect([draft.text, idsOf(draft.attachments)]).toEqual(["", ["a"]]);
});

test("a new conversation keeps its files, and which session has them, through a reload", () => {
  const draft = new Drafts(server.client, world.after).open(null);
  draft.filesIn = "blank-1";
  draft.attach(file("a"));

  const after = new Drafts(server.client, world.after).open(null);

  expect([idsOf(after.attachments), after.filesIn]).toEqual([["a"], "blank-1"]);
});

test.each([
  ["", "a", "b", "ba"],
  ["a", "", "ab", "b"],
  ["ab", "ab", "b", "b"],
  ["a", "ac", "ab", "abc"],
  ["ab", "a", "b", ""],
])("from the files %j, with %j here and %j there, there are %j", (base, mine, theirs, files) => {
  const [some, here, there] = [base, mine, theirs].map((ids) => [...ids].map(file));
  expect(idsOf(agreedFiles(some!, here!, there!)).join("")).toBe(files);
});

test("the text of a conversation that is gone begins a new one", async () => {
  const { draft } = await opened();
  server.isGone = true;
  write(draft, "Homeless");
  await world.pass(PAUSE_MS);

  expect(new Drafts(server.client, world.after).open(null).text).toBe("Homeless");
  expect(localStorage.getItem("fireside.draft.s1")).toBeNull();
});

test("a tab keeps what it typed into a new conversation, and another follows until it is typed into itself", () => {
  const drafts = new Drafts(server.client, world.after);
  const mine = drafts.open(null);
  write(mine, "Mine");
  vi.stubGlobal("sessionStorage", storage()); // another tab
  const borrowed = drafts.open(null);
  expect(borrowed.text).toBe("Mine");
  borrowed.follow({ text: "Mine, and more" });
  expect(borrowed.text).toBe("Mine, and more");
  write(borrowed, "Its own");

  mine.follow({ text: "Its own" });
  borrowed.follow({ text: "" });
  expect([mine.text, borrowed.text]).toEqual(["Mine", "Its own"]);
});

test("whatever two windows type, in any order, all of it is in the draft or shown beside it", async () => {
  const seed = Date.now() % 100_000;
  let state = seed;
  const chance = (below: number): number => (state = (state * 1103515245 + 12345) % 2147483648) % below;
  for (let round = 0; round < 40; round += 1) {
    vi.stubGlobal("localStorage", storage());
    server = new Server();
    const tabs = await two();
    const typed: string[] = [];
    for (let step = 0; step < 12; step += 1) {
      const tab = tabs[chance(2)]!;
      typed.push(`w${step}`);
      write(tab, `${tab.text} w${step}`);
      if (chance(2)) await world.pass(chance(2) * PAUSE_MS);
      if (chance(4) === 0) tabs[chance(2)]!.decide("both");
    }
    for (let turn = 0; turn < 3; turn += 1) {
      await world.pass(PAUSE_MS);
      tabs.forEach((tab) => tab.decide("both"));
      await settled();
    }
    const lost = typed.filter((word) => !server.kept.text.split(/\s+/).includes(word));
    expect(lost, `seed ${seed}, round ${round}: ${server.kept.text}`).toEqual([]);
    expect(tabs.map((tab) => tab.text)).toEqual([server.kept.text, server.kept.text]);
  }
});

test.each([
  ["", "a", "", "a"],
  ["", "", "b", "b"],
  ["ab", "abc", "abcd", "abcd"],
  ["ab", "abcd", "abc", "abcd"],
  ["same", "same", "", ""],
  ["x", "mine", "theirs", null],
])("from %j, with %j here and %j there, stands %j", (base, mine, theirs, text) => {
  expect(agreed(base, mine, theirs)).toBe(text);
});
