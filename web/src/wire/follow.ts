/** Holding on to one event stream: reconnecting, resuming after the last number, waiting while nobody looks. */

import { ServerError } from "./client";
import { FrameParser, type Frame } from "./sse";

/** Where a stream stands. `retryAt` is in milliseconds since 1970. */
export type LinkState =
  | { phase: "connecting" }
  | { phase: "open" }
  | { phase: "waiting"; retryAt: number; attempt: number }
  | { phase: "resting" }
  | { phase: "closed" };

export interface Watcher {
  /** One event. Answer "stop" when it was the last one worth following. */
  frame(frame: Frame): "go on" | "stop";
  state?(state: LinkState): void;
  /** The server refused for good (4xx): following has stopped. */
  refused?(error: ServerError): void;
}

/** Something that is followed. */
export interface Line {
  stop(): void;
  retryNow(): void;
}

/** Opens the stream after what the watcher already has. It must reject when the signal aborts. */
export type Open = (signal: AbortSignal) => Promise<Response>;

export type Sign = "seen" | "hidden" | "network";

/** What the follower asks of the world around it, so that tests can be that world. */
export interface Surroundings {
  now(): number;
  after(ms: number, call: () => void): () => void;
  random(): number;
  /** Call back when the page is seen or hidden, and when the network changes; answers how to stop. */
  watch(call: (sign: Sign) => void): () => void;
}

const SILENCE_MS = 40_000; // the server pings every 15 s: two missed and a bit
const HIDDEN_MS = 30_000; // a browser has six connections for all its tabs: one that nobody sees gives its own back
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const AFTER_BYE_MS = 300;

export class Follower implements Line {
  #abort: AbortController | null = null;
  #cancelTimer = (): void => {};
  #cancelSilence = (): void => {};
  #cancelHidden = (): void => {};
  #unwatch = (): void => {};
  #attempt = 0;
  #phase: LinkState["phase"] = "closed";

  constructor(
    private readonly open: Open,
    private readonly watcher: Watcher,
    private readonly world: Surroundings,
  ) {}

  start(): void {
    if (this.#phase !== "closed") return;
    this.#unwatch = this.world.watch((sign) => this.#heed(sign));
    this.#connect();
  }

  stop(): void {
    if (this.#phase === "closed") return;
    this.#drop();
    this.#cancelHidden();
    this.#unwatch();
    this.#enter({ phase: "closed" });
  }

  /** Do not wait for the next try; and when a connection is only believed to be open, prove it by a new one. */
  retryNow(): void {
    if (this.#phase === "closed" || this.#phase === "connecting") return;
    this.#connect();
  }

  /** What is to be asked for has changed: ask anew, whatever is on its way. */
  renew(): void {
    if (this.#phase !== "closed" && this.#phase !== "resting") this.#connect();
  }

  #heed(sign: Sign): void {
    // Being offline proves nothing (the server may be on this machine), so the network's changes are tried out.
    if (sign === "network") return this.#phase === "resting" ? undefined : this.retryNow();
    this.#cancelHidden();
    if (sign === "hidden") this.#cancelHidden = this.world.after(HIDDEN_MS, () => this.#rest());
    else if (this.#phase === "resting" || this.#phase === "waiting") this.retryNow();
  }

  #rest(): void {
    this.#drop();
    this.#enter({ phase: "resting" });
  }

  #connect(): void {
    this.#drop();
    const abort = new AbortController();
    this.#abort = abort;
    this.#enter({ phase: "connecting" });
    this.#listenForSilence();
    this.#read(abort.signal).then(
      (ending) => this.#ended(abort, ending),
      (cause: unknown) => this.#failed(abort, cause),
    );
  }

  async #read(signal: AbortSignal): Promise<"stop" | "bye" | "end"> {
    const answer = await this.open(signal);
    this.#enter({ phase: "open" });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new FrameParser();
    while (reader) {
      const { value, done } = await reader.read();
      if (done || signal.aborted) break;
      this.#attempt = 0;
      this.#listenForSilence();
      for (const frame of parser.push(value)) {
        if (frame.event === "bye") return "bye";
        if (this.watcher.frame(frame) === "stop") return "stop";
        if (signal.aborted) return "end";
      }
    }
    return "end";
  }

  #ended(abort: AbortController, ending: "stop" | "bye" | "end"): void {
    if (this.#abort !== abort) return;
    if (ending === "stop") this.stop();
    else this.#retryLater(ending === "bye" ? AFTER_BYE_MS : undefined);
  }

  #failed(abort: AbortController, cause: unknown): void {
    if (this.#abort !== abort) return;
    if (cause instanceof ServerError && cause.status >= 400 && cause.status < 500 && cause.status !== 429) {
      this.stop();
      this.watcher.refused?.(cause);
    } else this.#retryLater();
  }

  #retryLater(waitMs?: number): void {
    this.#drop();
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempt);
    // Half of it by chance, so that the tabs of a restarted server do not all knock at once.
    const wait = waitMs ?? longest / 2 + (this.world.random() * longest) / 2;
    this.#attempt += 1;
    this.#cancelTimer = this.world.after(wait, () => this.#connect());
    this.#enter({ phase: "waiting", retryAt: this.world.now() + wait, attempt: this.#attempt });
  }

  #listenForSilence(): void {
    this.#cancelSilence();
    this.#cancelSilence = this.world.after(SILENCE_MS, () => this.#retryLater());
  }

  #drop(): void {
    this.#cancelTimer();
    this.#cancelSilence();
    const abort = this.#abort;
    this.#abort = null;
    abort?.abort();
  }

  #enter(state: LinkState): void {
    this.#phase = state.phase;
    this.watcher.state?.(state);
  }
}
