/** The account's stream, held once for all tabs: who comes later is told what it missed. */

import type { LinkState, Watcher } from "../follow";
import type { Frame } from "../sse";
import type { Line, Streams } from "../streams";

const KEEP = 500;

interface Version {
  epoch: string;
  number: number;
}

interface Told {
  frame: Frame;
  number: number;
}

export class AccountFeed {
  #watchers = new Set<Watcher>();
  #line: Line | null = null;
  #state: LinkState = { phase: "connecting" };
  #version = "";
  /** What came, oldest first, and the number from which on nothing is missing. */
  #told: Told[] = [];
  #floor: Version | null = null;

  constructor(private readonly streams: Streams) {}

  follow(after: string, watcher: Watcher): Line {
    this.#watchers.add(watcher);
    if (this.#line) this.#catchUp(after, watcher);
    else this.#begin(after);
    return {
      stop: () => this.#leave(watcher),
      retryNow: () => this.#line?.retryNow(),
    };
  }

  /** Someone's request found nobody. When the stream believes to be open, have it prove so. */
  doubt(): void {
    if (this.#state.phase === "open") this.#line?.retryNow();
  }

  #begin(after: string): void {
    this.#startAt(after);
    this.#line = this.streams.account(() => this.#version, {
      frame: (frame) => this.#take(frame),
      state: (state) => this.#enter(state),
      refused: (error) => this.#end((watcher) => watcher.refused?.(error)),
    });
  }

  #startAt(version: string): void {
    this.#version = version;
    this.#told = [];
    this.#floor = parse(version);
  }

  #leave(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
    this.#line?.stop();
    this.#line = null;
  }

  #end(tell: (watcher: Watcher) => void): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    this.#line = null;
    watchers.forEach(tell);
  }

  #take(frame: Frame): "go on" {
    if (frame.event === "resync") this.#startAt(frame.id || this.#version);
    else this.#keep(frame);
    for (const watcher of [...this.#watchers]) watcher.frame(frame);
    return "go on";
  }

  #keep(frame: Frame): void {
    if (frame.id) this.#version = frame.id;
    const version = parse(this.#version);
    if (!version) return;
    this.#told.push({ frame, number: version.number });
    if (this.#told.length <= KEEP) return;
    const [dropped] = this.#told.splice(0, 1);
    this.#floor = { ...version, number: dropped!.number + 1 };
  }

  #catchUp(after: string, watcher: Watcher): void {
    watcher.state?.(this.#state);
    const missed = this.#since(after);
    const resync: Frame = { id: this.#version, event: "resync", data: "{}" };
    for (const frame of missed ?? [resync]) watcher.frame(frame);
  }

  /** What came after a version, or null when that cannot be told. */
  #since(after: string): Frame[] | null {
    const version = parse(after);
    if (!version || !this.#floor || version.epoch !== this.#floor.epoch || version.number < this.#floor.number) return null;
    // A topic has the number of the change before it: it is told again rather than never.
    const first = this.#told.findIndex((one) => one.number >= version.number);
    if (first < 0) return [];
    const isKnown = this.#told[first]!.number === version.number && this.#told[first]!.frame.event === "sessions_changed";
    return this.#told.slice(isKnown ? first + 1 : first).map((one) => one.frame);
  }

  #enter(state: LinkState): void {
    this.#state = state;
    for (const watcher of [...this.#watchers]) watcher.state?.(state);
  }
}

function parse(version: string): Version | null {
  const [epoch, number] = version.split(".");
  return epoch && number && /^\d+$/.test(number) ? { epoch, number: Number(number) } : null;
}
