/** A conversation in a world of its own: the server and its streams are the test's. */

import { beforeEach, expect, test } from "vitest";
import { Conversation } from "../src/features/chat/conversation.svelte";
import { answerText, type Answer, type Entry } from "../src/run/answers";
import { ServerError, type Client } from "../src/wire/client";
import type { Watcher } from "../src/wire/follow";
import type { Line, Streams } from "../src/wire/streams";
import type { Message, Row, SessionPage } from "../src/wire/types";

const ROW = { session_id: "s1", title: "Hello", model: "m/one", is_streaming: false, active_stream_id: null, revision: 7 } as Row;

const QUEUE = { session_id: "s1", revision: 0, is_held: false, can_put_back: false, items: [] };

/** Answers as the server does, from a list of messages and perhaps a run. */
class Server {
  messages: Message[] = [];
  run: { stream_id: string; seq: number; transcript: object } | null = null;
  posts: { path: string; body: Record<string, unknown> }[] = [];
  refusal: ServerError | null = null;
  asked = 0;

  client = {
    get: async () => {
      this.asked += 1;
      return this.page();
    },
    post: async (path: string, body: Record<string, unknown> = {}) => {
      this.posts.push({ path, body });
      if (path === "/api/session/new") return { session: { ...ROW, messages: [] } };
      if (this.refusal) throw this.refusal;
      return { stream_id: "r1", session_id: "s1", turn_id: "t", message_id: body["message_id"], title: "Hello", revision: 1 };
    },
  } as unknown as Client;

  page(): SessionPage {
    const active_run = this.run && { session_id: "s1", message_id: "u1", started_at: 0, ...this.run };
    const session = { ...ROW, messages: this.messages };
    return { session, _messages_offset: 0, _messages_truncated: false, active_run, queue: QUEUE } as unknown as SessionPage;
  }
}

/** The streams that are followed; the test speaks through the last one. */
class Wire implements Streams {
  lines: { streamId: string; after: number; watcher: Watcher; isOpen: boolean }[] = [];

  run(streamId: string, after: () => number, watcher: Watcher): Line {
    const line = { streamId, after: after(), watcher, isOpen: true };
    this.lines.push(line);
    return { stop: () => void (line.isOpen = false), retryNow: () => {} };
  }

  account(): Line {
    throw new Error("a conversation follows no account");
  }

  say(event: string, data: object): string {
    return this.lines.at(-1)!.watcher.frame({ id: "", event, data: JSON.stringify(data) });
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const texts = (entries: readonly Entry[]): string[] =>
  entries.map((entry) => (entry.kind === "said" ? entry.text : answerText(entry)));
const told = (run_id: string, content: string): Message => ({ id: `${run_id}.0`, role: "assistant", content, run_id });

let server: Server;
let wire: Wire;
let news: string[];

beforeEach(() => {
  server = new Server();
  wire = new Wire();
  news = [];
});

function open(sessionId: string | null): Conversation {
  const surprises = { named: (id: string) => void news.push(`named ${id}`), failed: (why: string) => void news.push(why) };
  return new Conversation(server.client, wire, surprises, sessionId);
}

test("a message is shown at once, and its answer keeps its place when it ends", async () => {
  const conversation = open(null);
  const sending = conversation.send("Hi", "u1");
  expect(texts(conversation.entries)).toEqual(["Hi"]);
  expect(conversation.isBusy).toBe(true);

  expect(await sending).toEqual({ accepted: true });
  wire.say("token", { seq: 1, text: "Good " });
  wire.say("token", { seq: 2, text: "evening" });
  const live = conversation.live as Answer;
  wire.say("done", { session: { ...ROW, title: "Greeting" }, messages: [told("r1", "Good evening")], usage: null });
  const last = wire.say("stream_end", { seq: 3, outcome: "done", duration_ms: 5 });

  expect(last).toBe("stop");
  expect(conversation.live).toBeNull();
  expect(texts(conversation.entries)).toEqual(["Hi", "Good evening"]);
  expect(conversation.entries[1]!.key).toBe(live.key);
  expect(conversation.title).toBe("Greeting");
  expect(news).toEqual(["named s1"]);
});

test("a refused message is taken back, and nothing is left of it", async () => {
  const conversation = open(null);
  server.refusal = new ServerError("The disk is full.", "storage_failed", 507);

  const sent = await conversation.send("Hi", "u1");

  expect(sent).toEqual({ accepted: false, failure: "The disk is full.", code: "storage_failed" });
  expect(conversation.entries).toEqual([]);
  expect(conversation.isEmpty).toBe(true);
});

test("what is to wait for a message that was refused is not sent without it", async () => {
  const conversation = open(null);
  server.refusal = new ServerError("The disk is full.", "disk_full", 507);
  const first = conversation.send("Hello", "u1");
  const second = conversation.wait("And you?", "u2", [], false);

  expect(await first).toMatchObject({ accepted: false });
  expect(await second).toEqual({ became: null, failure: "The disk is full." });
  expect(server.posts.map((post) => post.path)).toEqual(["/api/session/new", "/api/chat/start"]);

  server.refusal = null;
  expect(await conversation.send("Hello", "u1")).toEqual({ accepted: true });
});

test("an opened session goes on from the number of its snapshot, and ignores what it has", async () => {
  server.messages = [{ id: "u1", role: "user", content: "Hi" }];
  server.run = { stream_id: "r9", seq: 2, transcript: { seq: 2, blocks: [{ kind: "text", text: "Good " }] } };
  const conversation = open("s1");
  await settled();

  wire.say("token", { seq: 2, text: "Good " });
  wire.say("token", { seq: 3, text: "morning" });

  expect(wire.lines[0]).toMatchObject({ streamId: "r9", after: 2 });
  expect(answerText({ ...conversation.live!, key: "" })).toBe("Good morning");
});

test.each([
  ["a gap", () => wire.say("token", { seq: 7, text: "lost" })],
  ["a resync", () => wire.say("resync", {})],
])("%s asks for the session anew", async (_name, happen) => {
  server.run = { stream_id: "r9", seq: 1, transcript: { seq: 1, blocks: [] } };
  const conversation = open("s1");
  await settled();
  server.run = { stream_id: "r9", seq: 8, transcript: { seq: 8, blocks: [{ kind: "text", text: "all of it" }] } };

  expect(happen()).toBe("stop");
  await settled();

  expect(wire.lines.at(-1)).toMatchObject({ after: 8, isOpen: true });
  expect(conversation.live?.blocks).toEqual([{ kind: "text", text: "all of it" }]);
});

test("a run that another tab began is followed, and its question is kept when it ends", async () => {
  const conversation = open("s1");
  await settled();
  // The server names the run on the question too.
  server.messages = [{ id: "u1", role: "user", content: "Hi", run_id: "r5" }];
  server.run = { stream_id: "r5", seq: 0, transcript: {} };

  conversation.notice({ ...ROW, is_streaming: true, active_stream_id: "r5" });
  await settled();
  wire.say("token", { seq: 1, text: "Hello" });
  wire.say("done", { session: ROW, messages: [told("r5", "Hello")], usage: null });
  wire.say("stream_end", { seq: 2, outcome: "done", duration_ms: 1 });

  expect(texts(conversation.entries)).toEqual(["Hi", "Hello"]);
});

test("what arrives the moment the run is over is shown, though it is told before the ending", async () => {
  const conversation = open(null);
  await conversation.send("Hi", "u1");
  wire.say("token", { seq: 1, text: "Good" });
  server.messages = [{ id: "u1", role: "user", content: "Hi" }, told("r1", "Good"), told("r2", "From the background")];

  conversation.notice({ ...ROW, message_count: 3, revision: 4 });
  wire.say("done", { session: { ...ROW, message_count: 2, revision: 3 }, messages: [told("r1", "Good")], usage: null });
  wire.say("stream_end", { seq: 2, outcome: "done", duration_ms: 1 });
  await settled();

  expect(texts(conversation.entries)).toEqual(["Hi", "Good", "From the background"]);
});

test("news about its own run does not disturb it", async () => {
  const conversation = open(null);
  await conversation.send("Hi", "u1");

  conversation.notice({ ...ROW, is_streaming: true, active_stream_id: "r1", message_count: 1 });
  await settled();

  expect(server.asked).toBe(0);
  expect(wire.lines).toHaveLength(1);
});

test("Stop before the run has a name is told to it as soon as it has one", async () => {
  const conversation = open(null);
  const sending = conversation.send("Hi", "u1");
  await conversation.stop();
  await sending;
  await settled();

  expect(server.posts.at(-1)).toEqual({ path: "/api/chat/cancel", body: { stream_id: "r1" } });
});

test("a session that a restart took from memory before its first message is made anew", async () => {
  const conversation = open(null);
  server.refusal = new ServerError("gone", "session_not_found", 404);
  await conversation.send("Hi", "u1");
  server.refusal = null;

  const sent = await conversation.send("Hi", "u1");

  expect(sent.accepted).toBe(true);
  expect(server.posts.filter((post) => post.path === "/api/session/new").length).toBeGreaterThan(1);
});

test("a closed conversation lets go of its stream", async () => {
  const conversation = open(null);
  await conversation.send("Hi", "u1");

  conversation.close();

  expect(wire.lines[0]!.isOpen).toBe(false);
});

test("retrying asks the model that was chosen meanwhile, and shows the old answer no more", async () => {
  server.messages = [{ id: "u1", role: "user", content: "Hi" }, { ...told("r0", "No."), outcome: "failed" }];
  const conversation = open("s1");
  await settled();
  conversation.chosenModel = "m/other";

  await conversation.retry();

  expect(server.posts.at(-1)).toEqual({ path: "/api/chat/retry", body: { session_id: "s1", message_id: "u1", model: "m/other", revision: 7 } });
  expect(texts(conversation.entries)).toEqual(["Hi"]);
  expect(wire.lines.at(-1)).toMatchObject({ streamId: "r1", after: 0 });
});

test("a conversation that two tabs began is left to the one that sends first", async () => {
  const conversation = open(null);
  const begun = await conversation.begin();
  conversation.notice({ ...ROW, message_count: 1 } as Row);
  expect([begun, conversation.sessionId, conversation.isEmpty]).toEqual(["s1", null, true]);

  await conversation.send("Hi", "u1");

  expect(server.posts.filter((one) => one.path === "/api/session/new").length).toBe(2);
});

test("files are told of with their message, and those of a session that is gone are missing", async () => {
  const conversation = open(null);
  await conversation.begin();
  server.refusal = new ServerError("gone", "session_not_found", 404);
  const files = [{ id: "a", name: "a.png", media_type: "image/png" as const, size: 3, width: null, height: null }];

  const sent = await conversation.send("", "u1", files);

  expect(server.posts.at(-1)?.body).toMatchObject({ message: "", attachments: ["a"], session_id: "s1" });
  expect(sent).toMatchObject({ accepted: false, code: "attachment_not_found" });
  expect([conversation.sessionId, conversation.entries]).toEqual([null, []]);
});
