/** The streams of a tab that are held by a worker for all tabs, or by the tab itself where there is no such worker. */

import { ServerError } from "../client";
import type { Surroundings, Watcher } from "../follow";
import type { Line, Streams } from "../streams";
import { ASK_MS, type FromTab, type Port, type Refusal, type ToTab, type ToTabAlone } from "./messages";

export type ToWorker = Port<FromTab, ToTab>;

/** A way to the worker, or null where there can be none. `failed` is called when it turns out so later. */
export type Connect = (failed: () => void) => ToWorker | null;

/** What the tab notices for the worker. */
export interface TabSigns {
  watch(call: (sign: (FromTab & { kind: "sign" })["sign"] | "leaving") => void): void;
}

interface Followed {
  readonly ask: (line: number) => FromTab;
  readonly directly: (streams: Streams) => Line;
  readonly watcher: Watcher;
  own: Line | null;
}

/** A worker that says nothing for so long is gone: the browser ended it, or it never began. */
const SILENCE_MS = 3 * ASK_MS;
const FIRST_WORD_MS = 10_000;

export class SharedStreams implements Streams {
  #worker: ToWorker | null = null;
  #lines = new Map<number, Followed>();
  #next = 1;
  #hasHeard = false;
  #cancelSilence = (): void => {};

  constructor(
    private readonly connect: Connect,
    private readonly direct: Streams,
    private readonly world: Pick<Surroundings, "after">,
    private readonly heed: (error: ServerError) => void,
    signs: TabSigns,
  ) {
    this.#open();
    signs.watch((sign) => this.#noticed(sign));
  }

  run(streamId: string, after: () => number, watcher: Watcher): Line {
    return this.#follow({
      ask: (line) => ({ kind: "run", line, streamId, after: after() }),
      directly: (streams) => streams.run(streamId, after, watcher),
      watcher,
      own: null,
    });
  }

  account(after: () => string, watcher: Watcher): Line {
    return this.#follow({
      ask: (line) => ({ kind: "account", line, after: after() }),
      directly: (streams) => streams.account(after, watcher),
      watcher,
      own: null,
    });
  }

  #follow(followed: Followed): Line {
    const line = this.#next++;
    this.#lines.set(line, followed);
    if (this.#worker) this.#worker.send(followed.ask(line));
    else followed.own = followed.directly(this.direct);
    return {
      stop: () => this.#stop(line),
      retryNow: () => (followed.own ? followed.own.retryNow() : this.#worker?.send({ kind: "retry", line })),
    };
  }

  #stop(line: number): void {
    const followed = this.#lines.get(line);
    if (!followed) return;
    this.#lines.delete(line);
    if (followed.own) followed.own.stop();
    else this.#worker?.send({ kind: "stop", line });
    followed.watcher.state?.({ phase: "closed" });
  }

  #open(): void {
    const worker = this.connect(() => this.#worker === worker && this.#doWithout());
    this.#worker = worker;
    if (!worker) return this.#doWithout();
    worker.listen((message) => this.#worker === worker && this.#heard(worker, message));
    this.#listenForSilence();
    this.#askAnew();
  }

  #askAnew(): void {
    for (const [line, followed] of this.#lines) this.#worker?.send(followed.ask(line));
  }

  /** Each tab for itself, as if there were no such workers. */
  #doWithout(): void {
    this.#cancelSilence();
    this.#worker?.close();
    this.#worker = null;
    for (const followed of this.#lines.values()) followed.own ??= followed.directly(this.direct);
  }

  #listenForSilence(): void {
    this.#cancelSilence();
    this.#cancelSilence = this.world.after(this.#hasHeard ? SILENCE_MS : FIRST_WORD_MS, () => this.#fellSilent());
  }

  #fellSilent(): void {
    if (!this.#hasHeard) return this.#doWithout();
    this.#hasHeard = false; // the next one has to prove itself
    this.#worker?.send({ kind: "leaving" });
    this.#worker?.close();
    this.#open();
  }

  #heard(worker: ToWorker, message: ToTab): void {
    this.#hasHeard = true;
    this.#listenForSilence();
    for (const one of message.kind === "several" ? message.messages : [message]) this.#take(worker, one);
  }

  #take(worker: ToWorker, message: ToTabAlone): void {
    if (message.kind === "are you there") return worker.send({ kind: "here" });
    if (message.kind === "given up") return this.#askAnew();
    if (message.kind === "trouble") return this.heed(asError(message.error));
    const watcher = this.#lines.get(message.line)?.watcher;
    if (message.kind === "state") watcher?.state?.(message.state);
    else if (message.kind === "refused") {
      this.#lines.delete(message.line);
      watcher?.refused?.(asError(message.error));
    } else if (watcher?.frame(message.frame) === "stop") this.#stop(message.line);
  }

  #noticed(sign: Parameters<Parameters<TabSigns["watch"]>[0]>[0]): void {
    if (sign === "leaving") return this.#worker?.send({ kind: "leaving" });
    this.#worker?.send({ kind: "sign", sign });
  }
}

function asError({ message, code, status, fields }: Refusal): ServerError {
  return new ServerError(message, code, status, fields);
}
