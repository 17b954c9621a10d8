/** What the shared worker does: it holds the streams of all tabs of a browser and hands each what it follows. */

import type { ServerError } from "../client";
import type { Sign, Surroundings, Watcher } from "../follow";
import type { Frame } from "../sse";
import type { Line, Streams } from "../streams";
import { AccountFeed } from "./accountFeed";
import { ASK_MS, type FromTab, type Port, type Refusal, type ToTab } from "./messages";
import { Outbox } from "./outbox";

/** A tab that was asked so often and said nothing is gone, or asleep. */
const UNANSWERED = 3;
/** All tabs tell of the same change of the network. */
const SAME_SIGN_MS = 1_000;

interface Tab {
  readonly outbox: Outbox;
  readonly lines: Map<number, Line>;
  unanswered: number;
  stopAsking: () => void;
}

export class Hub {
  #tabs = new Set<Tab>();
  #account: AccountFeed;
  #lastSign = { name: "", at: -Infinity };

  /** `streams` follow through surroundings whose signs are `signs`. */
  constructor(
    private readonly streams: Streams,
    private readonly world: Pick<Surroundings, "now" | "after">,
    private readonly signs: Signs,
  ) {
    this.#account = new AccountFeed(streams);
  }

  get tabCount(): number {
    return this.#tabs.size;
  }

  /** A request of the worker was refused, or found nobody. */
  trouble(error: ServerError): void {
    if (error.isUnreachable) return this.#account.doubt();
    for (const tab of this.#tabs) tab.outbox.send({ kind: "trouble", error: asRefusal(error) });
  }

  welcome(port: Port<ToTab, FromTab>): void {
    const tab: Tab = { outbox: new Outbox(port, this.world), lines: new Map(), unanswered: 0, stopAsking: () => {} };
    port.listen((message) => this.#heard(tab, message));
    this.#tabs.add(tab);
    this.#ask(tab);
  }

  #ask(tab: Tab): void {
    if (tab.unanswered >= UNANSWERED) return this.#giveUp(tab);
    tab.unanswered += 1;
    tab.outbox.send({ kind: "are you there" });
    tab.stopAsking = this.world.after(ASK_MS, () => this.#ask(tab));
  }

  #giveUp(tab: Tab): void {
    tab.stopAsking();
    tab.outbox.close();
    this.#tabs.delete(tab);
    for (const line of tab.lines.values()) line.stop();
    tab.lines.clear();
  }

  #heard(tab: Tab, message: FromTab): void {
    if (message.kind === "leaving") return this.#giveUp(tab);
    tab.unanswered = 0;
    if (!this.#tabs.has(tab)) this.#takeBack(tab);
    switch (message.kind) {
      case "run":
        return this.#followRun(tab, message);
      case "account":
        return this.#add(tab, message.line, (watcher) => this.#account.follow(message.after, watcher));
      case "stop":
        tab.lines.get(message.line)?.stop();
        return void tab.lines.delete(message.line);
      case "retry":
        return tab.lines.get(message.line)?.retryNow();
      case "sign":
        return this.#sign(message.sign);
      case "here":
        return;
    }
  }

  #takeBack(tab: Tab): void {
    this.#tabs.add(tab);
    tab.outbox.send({ kind: "given up" });
    this.#ask(tab);
  }

  #followRun(tab: Tab, { line, streamId, after }: FromTab & { kind: "run" }): void {
    let has = after;
    this.#add(tab, line, (watcher) => {
      const frame = (one: Frame): "go on" | "stop" => {
        const number = one.id.split(":")[1];
        if (number) has = Number(number);
        return watcher.frame(one);
      };
      return this.streams.run(streamId, () => has, { ...watcher, frame });
    });
  }

  #add(tab: Tab, line: number, follow: (watcher: Watcher) => Line): void {
    tab.lines.get(line)?.stop();
    const isRefused = { already: false };
    const followed = follow({
      frame: (frame) => {
        tab.outbox.send({ kind: "frame", line, frame });
        return "go on";
      },
      state: (state) => tab.outbox.send({ kind: "state", line, state }),
      refused: (error) => {
        isRefused.already = true;
        tab.lines.delete(line);
        tab.outbox.send({ kind: "refused", line, error: asRefusal(error) });
      },
    });
    if (!isRefused.already) tab.lines.set(line, followed);
  }

  #sign(sign: (FromTab & { kind: "sign" })["sign"]): void {
    const { name, at } = this.#lastSign;
    if (sign !== "seen" && sign === name && this.world.now() - at < SAME_SIGN_MS) return;
    if (sign !== "seen") this.#lastSign = { name: sign, at: this.world.now() };
    this.signs.tell(sign === "seen" ? "seen" : "network");
  }
}

/** Where the followers of the worker listen, which has no page whose signs it could see by itself. */
export class Signs {
  #calls = new Set<(sign: Sign) => void>();

  watch(call: (sign: Sign) => void): () => void {
    this.#calls.add(call);
    return () => void this.#calls.delete(call);
  }

  tell(sign: Sign): void {
    for (const call of [...this.#calls]) call(sign);
  }
}

function asRefusal({ message, code, status, fields }: ServerError): Refusal {
  return { message, code, status, fields };
}
