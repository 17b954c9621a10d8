/** What tabs and the worker that holds their streams say to each other. */

import type { LinkState } from "../follow";
import type { Frame } from "../sse";

/** From a tab. `line` is the tab's own number of something it follows. */
export type FromTab =
  | { kind: "run"; line: number; streamId: string; after: number }
  | { kind: "account"; line: number; after: string }
  | { kind: "stop"; line: number }
  | { kind: "retry"; line: number }
  | { kind: "sign"; sign: "seen" | "online" | "offline" | "shown again" }
  | { kind: "here" }
  | { kind: "leaving" };

/** To a tab. */
export type ToTab = ToTabAlone | { kind: "several"; messages: readonly ToTabAlone[] };

export type ToTabAlone =
  /** Say that you are here. */
  | { kind: "are you there" }
  /** You did not say so for long, and were given up: ask anew for what you follow. */
  | { kind: "given up" }
  | { kind: "frame"; line: number; frame: Frame }
  | { kind: "state"; line: number; state: LinkState }
  | { kind: "refused"; line: number; error: Refusal }
  /** A request of the worker was refused. */
  | { kind: "trouble"; error: Refusal };

/** A `ServerError`, as it passes from one to the other. */
export interface Refusal {
  message: string;
  code: string;
  status: number;
  fields: Readonly<Record<string, unknown>>;
}

/** One end of the way between a tab and the worker. */
export interface Port<Sent, Heard> {
  send(message: Sent): void;
  listen(call: (message: Heard) => void): void;
  close(): void;
}

export function overMessagePort<Sent, Heard>(port: MessagePort): Port<Sent, Heard> {
  return {
    send: (message) => port.postMessage(message),
    listen: (call) => void (port.onmessage = (event: MessageEvent<Heard>) => call(event.data)),
    close: () => port.close(),
  };
}

/** The worker asks so often whether a tab is there. */
export const ASK_MS = 15_000;
