/** One worker for many tabs, without browser: ports, clock and server are the test's. */

import { beforeEach, expect, test } from "vitest";
import { ServerError } from "../src/wire/client";
import type { Line, LinkState, Watcher } from "../src/wire/follow";
import { Hub, Signs } from "../src/wire/shared/hub";
import type { FromTab, Port, ToTab } from "../src/wire/shared/messages";
import { SharedStreams, type ToWorker } from "../src/wire/shared/tab";
import type { Frame } from "../src/wire/sse";
import type { Streams } from "../src/wire/streams";
import { World, settled } from "./world";

/** What is followed at the server; the test speaks through the lines. */
class Upstream implements Streams {
  lines: { name: string; after: () => number | string; watcher: Watcher; isOpen: boolean; retries: number }[] = [];

  run(streamId: string, after: () => number, watcher: Watcher): Line {
    return this.#add(streamId, after, watcher);
  }

  account(after: () => string, watcher: Watcher): Line {
    return this.#add("account", after, watcher);
  }

  #add(name: string, after: () => number | string, watcher: Watcher): Line {
    const line = { name, after, watcher, isOpen: true, retries: 0 };
    this.lines.push(line);
    watcher.state?.({ phase: "open" });
    return { stop: () => void (line.isOpen = false), retryNow: () => void (line.retries += 1) };
  }

  open(name: string): Upstream["lines"] {
    return this.lines.filter((line) => line.isOpen && line.name === name);
  }

  async tell(name: string, frame: Frame): Promise<void> {
    for (const line of this.open(name)) line.watcher.frame(frame);
    await settled();
  }
}

/** Two ends; what is sent comes a turn later. `isAsleep`: the tab does not come to read. */
class Way {
  isAsleep = false;
  sentCount = 0;
  #waiting: ToTab[] = [];
  #toTab: (message: ToTab) => void = () => {};
  #toWorker: (message: FromTab) => void = () => {};

  tab: ToWorker = {
    send: (message) => queueMicrotask(() => this.#toWorker(message)),
    listen: (call) => void (this.#toTab = call),
    close: () => void (this.#toTab = () => {}),
  };
  worker: Port<ToTab, FromTab> = {
    send: (message) => {
      this.sentCount += 1;
      queueMicrotask(() => (this.isAsleep ? this.#waiting.push(message) : this.#toTab(message)));
    },
    listen: (call) => void (this.#toWorker = call),
    close: () => {},
  };

  get waitingCount(): number {
    return this.#waiting.length;
  }

  async wake(): Promise<void> {
    this.isAsleep = false;
    for (const message of this.#waiting.splice(0)) this.#toTab(message);
    await settled();
  }
}

/** A tab that follows the account and one run. */
class Tab {
  frames: string[] = [];
  states: LinkState[] = [];
  seq = 0;
  version: string;
  way = new Way();
  direct = new Upstream();
  heeded: ServerError[] = [];
  fail = (): void => {};
  sign: (sign: "seen" | "online" | "offline" | "shown again" | "leaving") => void = () => {};
  streams: SharedStreams;
  account: Line;

  constructor(world: World, connect: (way: Way) => ToWorker | null, version = "e.5") {
    this.version = version;
    const reach = (failed: () => void): ToWorker | null => {
      this.fail = failed;
      this.way = new Way();
      return connect(this.way);
    };
    this.streams = new SharedStreams(reach, this.direct, world, (error) => this.heeded.push(error), {
      watch: (call) => void (this.sign = call),
    });
    this.account = this.streams.account(() => this.version, {
      frame: (frame) => {
        this.version = frame.id || this.version;
        this.frames.push(`${frame.event} ${frame.id}`);
        return "go on";
      },
      state: (state) => this.states.push(state),
    });
  }

  follow(run: string): Line {
    return this.streams.run(run, () => this.seq, {
      frame: (frame) => {
        this.seq = Number(frame.id.split(":")[1]);
        this.frames.push(frame.id);
        return frame.event === "stream_end" ? "stop" : "go on";
      },
    });
  }
}

let world: World;
let upstream: Upstream;
let hub: Hub;
const reach = (way: Way): ToWorker => {
  hub.welcome(way.worker);
  return way.tab;
};
const changed = (version: string): Frame => ({ id: version, event: "sessions_changed", data: "{}" });
const token = (seq: number): Frame => ({ id: `r:${seq}`, event: "token", data: "{}" });

beforeEach(() => {
  world = new World();
  upstream = new Upstream();
  hub = new Hub(upstream, world, new Signs());
});

test("many tabs share one line of the account, and each is told each change once", async () => {
  const tabs = [new Tab(world, reach), new Tab(world, reach), new Tab(world, reach)];
  await settled();
  await upstream.tell("account", changed("e.6"));

  expect(upstream.lines).toHaveLength(1);
  for (const tab of tabs) expect(tab.frames).toEqual(["sessions_changed e.6"]);
  for (const tab of tabs) expect(tab.states.at(-1)).toEqual({ phase: "open" });
});

test("a tab that comes later is told what it missed, and one that cannot be told looks afresh", async () => {
  new Tab(world, reach);
  await settled();
  for (const version of ["e.6", "e.8", "e.9"]) await upstream.tell("account", changed(version));

  const frames = (version: string): Promise<string[]> => {
    const tab = new Tab(world, reach, version);
    return settled().then(() => tab.frames);
  };

  expect(await frames("e.9")).toEqual([]);
  expect(await frames("e.12")).toEqual([]); // it looked just now, and the worker will hear of it in a moment
  expect(await frames("e.6")).toEqual(["sessions_changed e.8", "sessions_changed e.9"]);
  expect(await frames("e.7")).toEqual(["sessions_changed e.8", "sessions_changed e.9"]);
  for (const unknown of ["e.3", "f.9", ""]) expect(await frames(unknown)).toEqual(["resync e.9"]);
});

test("a tab that closes, or leaves, is followed for no more; with the last one the line goes", async () => {
  const [first, second] = [new Tab(world, reach), new Tab(world, reach)];
  second.follow("r");
  await settled();
  second.sign("leaving");
  await settled();
  expect([hub.tabCount, upstream.open("r").length, upstream.open("account").length]).toEqual([1, 0, 1]);

  first.account.stop();
  await settled();
  expect(upstream.open("account")).toEqual([]);
});

test("a tab that was killed is given up after three questions", async () => {
  const [alive, dead] = [new Tab(world, reach), new Tab(new World(), reach)];
  dead.follow("r");
  await settled();
  dead.way.isAsleep = true;
  await world.pass(60_000);

  expect([hub.tabCount, upstream.open("r").length]).toEqual([1, 0]);
  await upstream.tell("account", changed("e.6"));
  expect(alive.frames).toEqual(["sessions_changed e.6"]);
  expect(dead.way.waitingCount).toBeLessThan(10);
});

test("a tab that slept asks anew for what it follows, after its own numbers", async () => {
  const [awake, asleep] = [new Tab(world, reach), new Tab(new World(), reach)];
  asleep.follow("r");
  await settled();
  await upstream.tell("r", token(1));
  asleep.way.isAsleep = true;
  await world.pass(60_000);
  await upstream.tell("account", changed("e.6"));

  await asleep.way.wake();

  expect(awake.frames).toEqual(["sessions_changed e.6"]);
  expect(asleep.frames).toEqual(["r:1", "sessions_changed e.6"]);
  expect(upstream.open("r").map((line) => line.after())).toEqual([1]);
});

test("the last event of a run is followed by nothing", async () => {
  const tab = new Tab(world, reach);
  tab.follow("r");
  await settled();
  await upstream.tell("r", token(1));
  await upstream.tell("r", { id: "r:2", event: "stream_end", data: "{}" });

  expect(tab.frames).toEqual(["r:1", "r:2"]);
  expect(upstream.open("r")).toEqual([]);
});

test("words that come in a flood go out together, and the last of them with what ends the run", async () => {
  const tab = new Tab(world, reach);
  tab.follow("r");
  await settled();
  await world.pass(1_000);
  const before = tab.way.sentCount;
  for (let seq = 1; seq <= 10; seq++) await upstream.tell("r", token(seq));
  expect(tab.frames).toEqual(["r:1"]);

  await world.pass(100);
  expect(tab.frames).toHaveLength(10);
  expect(tab.way.sentCount - before).toBe(2);
  for (let seq = 11; seq <= 13; seq++) await upstream.tell("r", token(seq));
  await upstream.tell("r", { id: "r:14", event: "stream_end", data: "{}" });

  expect(tab.frames).toEqual(Array.from({ length: 14 }, (_, at) => `r:${at + 1}`));
  expect(tab.way.sentCount - before).toBe(4);
});

test("a worker that fell silent is replaced, and what is followed goes on after its number", async () => {
  const tab = new Tab(world, reach);
  tab.follow("r");
  await settled();
  await upstream.tell("r", token(1));
  upstream = new Upstream();
  tab.way.isAsleep = true; // the browser ended the worker: nothing comes from it any more
  hub = new Hub(upstream, world, new Signs());
  await world.pass(46_000);
  await upstream.tell("r", token(2));

  expect(upstream.open("r").map((line) => line.after())).toEqual([2]);
  expect(tab.frames).toEqual(["r:1", "r:2"]);
  expect(tab.direct.lines).toEqual([]);
});

test("without a worker, or with one that never says a word or fails, a tab follows by itself", async () => {
  const none = new Tab(world, () => null);
  const mute = new Tab(world, (way) => way.tab);
  const failing = new Tab(world, reach);
  await settled();
  failing.fail();
  await world.pass(11_000);

  for (const tab of [none, mute, failing]) {
    await tab.direct.tell("account", changed("e.6"));
    expect(tab.frames).toEqual(["sessions_changed e.6"]);
    tab.follow("r");
    expect(tab.direct.open("r")).toHaveLength(1);
    tab.account.stop();
    expect(tab.direct.open("account")).toEqual([]);
  }
});

test("when the login ended, every tab is told; a request that found nobody has the stream prove itself", async () => {
  const tabs = [new Tab(world, reach), new Tab(world, reach)];
  await settled();
  hub.trouble(new ServerError("Nobody.", "unreachable", 0));
  hub.trouble(new ServerError("Sign in first.", "not_signed_in", 401));
  await settled();

  for (const tab of tabs) expect(tab.heeded.map((error) => error.isSignedOut)).toEqual([true]);
  expect(upstream.lines[0]!.retries).toBe(1);
});
