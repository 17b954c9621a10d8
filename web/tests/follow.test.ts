/** Holding on to a stream, in a world whose clock and network are the test's. */

import { beforeEach, expect, test } from "vitest";
import { ServerError } from "../src/wire/client";
import { Follower, type LinkState } from "../src/wire/follow";
import { FrameParser } from "../src/wire/sse";
import { World, settled } from "./world";

/** A server with a numbered log, which can be cut off, be away, or say goodbye. */
class Server {
  log: string[] = [];
  asked: number[] = [];
  isAway = false;
  refusal: ServerError | null = null;
  #open: { controller: ReadableStreamDefaultController<Uint8Array>; signal: AbortSignal }[] = [];

  get openCount(): number {
    return this.#open.filter(({ signal }) => !signal.aborted).length;
  }

  answer(after: number, signal: AbortSignal): Promise<Response> {
    this.asked.push(after);
    if (this.refusal) return Promise.reject(this.refusal);
    if (this.isAway) return Promise.reject(new ServerError("away", "unreachable", 0));
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#open.push({ controller, signal });
        signal.addEventListener("abort", () => controller.error(signal.reason));
        for (let seq = after + 1; seq <= this.log.length; seq++) controller.enqueue(this.#frame(seq));
      },
    });
    return Promise.resolve(new Response(body));
  }

  async say(text: string): Promise<void> {
    this.log.push(text);
    await this.send(this.#frame(this.log.length));
  }

  async send(bytes: Uint8Array | string): Promise<void> {
    const raw = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    for (const { controller, signal } of this.#open) if (!signal.aborted) controller.enqueue(raw);
    await settled();
  }

  async cut(): Promise<void> {
    for (const { controller, signal } of this.#open.splice(0)) if (!signal.aborted) controller.error(new TypeError("cut"));
    await settled();
  }

  #frame(seq: number): Uint8Array {
    return new TextEncoder().encode(`id: ${seq}\nevent: token\ndata: ${this.log[seq - 1]}\n\n`);
  }
}

let world: World;
let server: Server;
let seen: { seq: number; words: string[]; states: LinkState[]; refused: ServerError[] };
let follower: Follower;

beforeEach(async () => {
  world = new World();
  server = new Server();
  seen = { seq: 0, words: [], states: [], refused: [] };
  follower = new Follower((signal) => server.answer(seen.seq, signal), {
    frame(frame) {
      seen.seq = Number(frame.id);
      seen.words.push(frame.data);
      return frame.data === "end" ? "stop" : "go on";
    },
    state: (state) => seen.states.push(state),
    refused: (error) => seen.refused.push(error),
  }, world);
  follower.start();
  await settled();
});

const phase = (): string | undefined => seen.states.at(-1)?.phase;

test("a cut connection is taken up after the last number, and every word comes once", async () => {
  await server.say("one");
  await server.cut();
  server.log.push("two");
  await world.pass(1_000);
  await server.say("three");

  expect(seen.words).toEqual(["one", "two", "three"]);
  expect(server.asked).toEqual([0, 1]);
});

test("waits grow while nobody answers, up to a limit, and begin anew after a word", async () => {
  server.isAway = true;
  await server.cut();
  const waits: number[] = [];
  for (let turn = 0; turn < 8; turn++) {
    const state = seen.states.at(-1);
    if (state?.phase !== "waiting") throw new Error(`not waiting: ${state?.phase}`);
    waits.push(state.retryAt - world.time);
    await world.pass(state.retryAt - world.time);
  }
  server.isAway = false;
  await world.pass(15_000);
  await server.say("back");
  await server.cut();

  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  expect(seen.states.at(-1)).toMatchObject({ phase: "waiting", retryAt: world.time + 500 });
});

test("a server that says goodbye is asked again almost at once", async () => {
  await server.send("retry: 300\nevent: bye\ndata: {}\n\n");
  await world.pass(300);

  expect(phase()).toBe("open");
  expect(server.asked).toHaveLength(2);
});

test("forty seconds without a sign of life count as a lost connection; pings are signs of life", async () => {
  await world.pass(39_000);
  await server.send(": ping\n\n");
  await world.pass(39_000);
  expect(phase()).toBe("open");

  await world.pass(1_500);

  expect(server.asked).toHaveLength(2);
  expect(server.openCount).toBe(1);
});

test("the last event ends it: nothing is asked again", async () => {
  await server.say("end");
  await world.pass(120_000);

  expect(phase()).toBe("closed");
  expect(server.asked).toHaveLength(1);
  expect(server.openCount).toBe(0);
});

test("a refusal ends it and is told", async () => {
  server.refusal = new ServerError("There is no such run.", "run_not_found", 404);
  await server.cut();
  await world.pass(120_000);

  expect(seen.refused.map((error) => error.code)).toEqual(["run_not_found"]);
  expect(phase()).toBe("closed");
});

test("a tab that is hidden for long gives its connection back, and resumes when it is seen", async () => {
  await world.show("hidden");
  await world.pass(30_000);
  expect(server.openCount).toBe(0);
  server.log.push("meanwhile");

  await world.show("seen");

  expect(phase()).toBe("open");
  expect(seen.words).toEqual(["meanwhile"]);
});

test("a tab that is hidden for a moment keeps its connection", async () => {
  await world.show("hidden");
  await world.pass(29_000);
  await world.show("seen");
  await world.pass(5_000);

  expect(server.asked).toHaveLength(1);
});

test("when the network changes the connection proves itself at once", async () => {
  server.isAway = true;
  await server.cut();
  await world.pass(60_000);
  server.isAway = false;

  await world.show("network");

  expect(phase()).toBe("open");
});

test("what is stopped stays stopped", async () => {
  follower.stop();
  await world.show("network");
  await world.pass(120_000);

  expect(server.openCount).toBe(0);
  expect(server.asked).toHaveLength(1);
});

test("events are read whole however their bytes are cut", () => {
  const text = ": ping\r\n\r\nid: r:1\r\nevent: token\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nid: r:2\nevent: token\ndata: é🔥\n\nretry: 300\n\n";
  for (let size = 1; size < text.length; size++) {
    const parser = new FrameParser();
    const frames = [];
    for (let at = 0; at < text.length; at += size) frames.push(...parser.push(text.slice(at, at + size)));

    expect(frames).toEqual([
      { id: "r:1", event: "token", data: '{"a":\n1}' },
      { id: "r:2", event: "token", data: "é🔥" },
    ]);
  }
});
