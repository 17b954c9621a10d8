/** The runs that are followed, all through one connection, whoever follows them. */

import { ServerError } from "./client";
import { Follower, type Line, type Open, type Surroundings, type Watcher } from "./follow";
import type { Frame } from "./sse";

/** Opens the stream of these runs, each after its number. */
export type OpenRuns = (runs: ReadonlyMap<string, number>, signal: AbortSignal) => ReturnType<Open>;

interface Reader {
  /** The number of the last event it has. */
  after(): number;
  readonly watcher: Watcher;
}

interface Run {
  readonly readers: Set<Reader>;
  /** How far the connection is, or null while it does not carry this run. */
  reached: number | null;
}

/** After these nothing more comes of a run: its three endings, a lost place, and that there is no such run. */
const LAST = new Set(["stream_end", "cancel", "apperror", "resync", "gone"]);

export class RunBundle {
  #runs = new Map<string, Run>();
  #follower: Follower | null = null;
  #isRenewing = false;

  constructor(
    private readonly open: OpenRuns,
    private readonly world: Surroundings,
  ) {}

  /** Follow a run. Each reader is given what lies above its own number, once. */
  follow(streamId: string, after: () => number, watcher: Watcher): Line {
    const run = this.#runs.get(streamId) ?? { readers: new Set(), reached: null };
    this.#runs.set(streamId, run);
    const reader = { after, watcher };
    run.readers.add(reader);
    if (run.reached === null || after() < run.reached) this.#renew();
    return {
      stop: () => this.#leave(streamId, reader),
      retryNow: () => this.#follower?.retryNow(),
    };
  }

  #leave(streamId: string, reader: Reader): void {
    const run = this.#runs.get(streamId);
    if (!run?.readers.delete(reader) || run.readers.size > 0) return;
    this.#runs.delete(streamId);
    this.#renew();
  }

  /** Have the connection carry what is wanted now: once for all that changes in the same moment. */
  #renew(): void {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    queueMicrotask(() => {
      this.#isRenewing = false;
      if (this.#runs.size === 0) this.#end();
      else if (this.#follower) this.#follower.renew();
      else this.#begin();
    });
  }

  #begin(): void {
    const watcher: Watcher = {
      frame: (frame) => this.#take(frame),
      state: (state) => this.#everyone((reader) => reader.watcher.state?.(state)),
      refused: (error) => this.#refused(error),
    };
    this.#follower = new Follower((signal) => this.open(this.#wanted(), signal), watcher, this.world);
    this.#follower.start();
  }

  #end(): void {
    this.#follower?.stop();
    this.#follower = null;
  }

  #wanted(): Map<string, number> {
    const wanted = new Map<string, number>();
    for (const [streamId, run] of this.#runs) {
      run.reached = Math.min(...[...run.readers].map((reader) => reader.after()));
      wanted.set(streamId, run.reached);
    }
    return wanted;
  }

  #take(frame: Frame): "go on" | "stop" {
    const [streamId = "", number] = frame.id.split(":");
    const run = this.#runs.get(streamId);
    if (!run) return "go on"; // it was left a moment ago
    if (number) run.reached = Number(number);
    const isLast = LAST.has(frame.event);
    if (isLast) this.#runs.delete(streamId);
    for (const reader of [...run.readers]) this.#give(streamId, reader, frame, number, isLast);
    if (this.#runs.size > 0) return "go on";
    this.#follower = null;
    return "stop";
  }

  #give(streamId: string, reader: Reader, frame: Frame, number: string | undefined, isLast: boolean): void {
    if (frame.event === "gone") return reader.watcher.refused?.(refusalOf(frame));
    // Who has it all already is told the ending again.
    if (number && !isLast && Number(number) <= reader.after()) return;
    const own = { ...frame, id: number ? frame.id : "" };
    if (reader.watcher.frame(own) === "stop") this.#leave(streamId, reader);
  }

  #refused(error: ServerError): void {
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    this.#follower = null;
    for (const run of runs) for (const reader of run.readers) reader.watcher.refused?.(error);
  }

  #everyone(call: (reader: Reader) => void): void {
    for (const run of this.#runs.values()) for (const reader of run.readers) call(reader);
  }
}

function refusalOf(frame: Frame): ServerError {
  const { error, code } = JSON.parse(frame.data) as { error: string; code: string };
  return new ServerError(error, code, 404);
}
