/** Several runs through one connection: each reader gets what it lacks, once. */

import { beforeEach, expect, test } from "vitest";
import { RunBundle } from "../src/wire/bundle";
import type { ServerError } from "../src/wire/client";
import type { Line } from "../src/wire/follow";
import { World, settled } from "./world";

/** A server with a log for each run. */
class Server {
  logs = new Map<string, string[]>();
  asked: Record<string, number>[] = [];
  #open: { runs: Set<string>; controller: ReadableStreamDefaultController<Uint8Array>; signal: AbortSignal }[] = [];

  get openCount(): number {
    return this.#open.filter(({ signal }) => !signal.aborted).length;
  }

  answer(runs: ReadonlyMap<string, number>, signal: AbortSignal): Promise<Response> {
    this.asked.push(Object.fromEntries(runs));
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#open.push({ runs: new Set(runs.keys()), controller, signal });
        signal.addEventListener("abort", () => controller.error(signal.reason));
        for (const [run, after] of runs) {
          const log = this.logs.get(run);
          if (!log) controller.enqueue(bytes(run, "gone", { error: "There is no such run.", code: "run_not_found" }));
          else log.slice(after).forEach((_, index) => controller.enqueue(this.#frame(run, after + index + 1)));
        }
      },
    });
    return Promise.resolve(new Response(body));
  }

  async say(run: string, text: string): Promise<void> {
    const log = this.logs.get(run) ?? [];
    this.logs.set(run, [...log, text]);
    for (const { runs, controller, signal } of this.#open) {
      if (runs.has(run) && !signal.aborted) controller.enqueue(this.#frame(run, log.length + 1));
    }
    await settled();
  }

  async cut(): Promise<void> {
    for (const { controller, signal } of this.#open.splice(0)) if (!signal.aborted) controller.error(new TypeError("cut"));
    await settled();
  }

  #frame(run: string, seq: number): Uint8Array {
    const text = this.logs.get(run)![seq - 1]!;
    return bytes(`${run}:${seq}`, text === "end" ? "stream_end" : "token", { text });
  }
}

function bytes(id: string, event: string, data: object): Uint8Array {
  return new TextEncoder().encode(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

class Reader {
  seq = 0;
  words: string[] = [];
  refused: ServerError[] = [];
  line: Line;

  constructor(bundle: RunBundle, run: string, after = 0) {
    this.seq = after;
    this.line = bundle.follow(run, () => this.seq, {
      frame: (frame) => {
        this.seq = Number(frame.id.split(":")[1]);
        this.words.push((JSON.parse(frame.data) as { text: string }).text);
        return frame.event === "stream_end" ? "stop" : "go on";
      },
      refused: (error) => this.refused.push(error),
    });
  }
}

let world: World;
let server: Server;
let bundle: RunBundle;

beforeEach(() => {
  world = new World();
  server = new Server();
  server.logs = new Map([["a", ["a1", "a2"]], ["b", ["b1"]]]);
  bundle = new RunBundle((runs, signal) => server.answer(runs, signal), world);
});

test("two runs share one connection, and a cut one is taken up after each one's number", async () => {
  const [a, b] = [new Reader(bundle, "a"), new Reader(bundle, "b")];
  await settled();
  expect(server.openCount).toBe(1);

  await server.cut();
  server.logs.set("b", ["b1", "b2"]);
  await world.pass(1_000);
  await server.say("a", "a3");

  expect(server.asked).toEqual([{ a: 0, b: 0 }, { a: 2, b: 1 }]);
  expect(a.words).toEqual(["a1", "a2", "a3"]);
  expect(b.words).toEqual(["b1", "b2"]);
});

test("who joins late gets what it lacks and nobody gets it twice", async () => {
  const first = new Reader(bundle, "a");
  await settled();
  const behind = new Reader(bundle, "a");
  const level = new Reader(bundle, "a", 2);
  const ahead = new Reader(bundle, "a", 3);
  await settled();
  await server.say("a", "a3");
  await server.say("a", "a4");

  expect(first.words).toEqual(["a1", "a2", "a3", "a4"]);
  expect(behind.words).toEqual(["a1", "a2", "a3", "a4"]);
  expect(level.words).toEqual(["a3", "a4"]);
  expect(ahead.words).toEqual(["a4"]);
  expect(server.openCount).toBe(1);
});

test("who has as much as the others does not make the connection begin anew", async () => {
  new Reader(bundle, "a");
  await settled();

  new Reader(bundle, "a", 2);
  await settled();

  expect(server.asked).toHaveLength(1);
});

test("a run that ended is asked for no more, and with the last one the connection goes", async () => {
  const [a, b] = [new Reader(bundle, "a"), new Reader(bundle, "b")];
  await settled();
  await server.say("a", "end");
  await server.cut();
  await world.pass(1_000);
  await server.say("b", "end");
  await world.pass(60_000);

  expect(server.asked).toEqual([{ a: 0, b: 0 }, { b: 1 }]);
  expect(server.openCount).toBe(0);
  expect([a.words.at(-1), b.words.at(-1)]).toEqual(["end", "end"]);

  const again = new Reader(bundle, "b", 1);
  await settled();
  expect(again.words).toEqual(["end"]);
});

test("a run that is left is no longer carried, and with the last reader the connection goes", async () => {
  const [a, b] = [new Reader(bundle, "a"), new Reader(bundle, "b")];
  await settled();
  a.line.stop();
  await settled();
  await server.say("a", "a3");
  expect(server.asked.at(-1)).toEqual({ b: 1 });

  b.line.stop();
  await settled();
  expect(server.openCount).toBe(0);
  expect(a.words).toEqual(["a1", "a2"]);
});

test("a run that there is not is refused to its readers, and the others go on", async () => {
  const missing = new Reader(bundle, "missing");
  const a = new Reader(bundle, "a");
  await settled();
  await server.say("a", "a3");

  expect(missing.refused.map((error) => [error.status, error.code])).toEqual([[404, "run_not_found"]]);
  expect(a.words).toEqual(["a1", "a2", "a3"]);
});
