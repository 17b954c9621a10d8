/** What the worker says to one tab: words of an answer that come in a flood go out together, in order with all else. */

import type { Surroundings } from "../follow";
import type { FromTab, Port, ToTab, ToTabAlone } from "./messages";

/** No screen shows more in that time, and each message costs the tab a task of its own. */
const GATHER_MS = 24;
const FLOWING = new Set(["token", "reasoning", "tool_arguments", "tool_output"]);

export class Outbox {
  #waiting: ToTabAlone[] = [];
  #lastFlowed = -Infinity;
  #cancelTimer: (() => void) | null = null;

  constructor(
    private readonly port: Port<ToTab, FromTab>,
    private readonly world: Pick<Surroundings, "now" | "after">,
  ) {}

  /** The first after a pause goes out at once, and so does, with all before it, what is no mere word of an answer. */
  send(message: ToTabAlone): void {
    this.#waiting.push(message);
    if (message.kind !== "frame" || !FLOWING.has(message.frame.event)) return this.#flush();
    const rest = this.#lastFlowed + GATHER_MS - this.world.now();
    if (rest <= 0) this.#flow();
    else this.#cancelTimer ??= this.world.after(rest, () => this.#flow());
  }

  /** Nobody is there any more: what waits is for nobody. */
  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#waiting = [];
  }

  #flow(): void {
    this.#lastFlowed = this.world.now();
    this.#flush();
  }

  #flush(): void {
    const messages = this.#waiting;
    this.close();
    const [first, ...others] = messages;
    if (first) this.port.send(others.length === 0 ? first : { kind: "several", messages });
  }
}
