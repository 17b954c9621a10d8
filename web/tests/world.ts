/** A world whose clock, chance and signs are the test's. */

import type { Sign, Surroundings } from "../src/wire/follow";

export class World implements Surroundings {
  time = 0;
  #timers: { at: number; call: () => void }[] = [];
  #sign: (sign: Sign) => void = () => {};

  now = (): number => this.time;
  random = (): number => 1;

  after = (ms: number, call: () => void): (() => void) => {
    const timer = { at: this.time + ms, call };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((one) => one !== timer));
  };

  watch = (call: (sign: Sign) => void): (() => void) => {
    this.#sign = call;
    return () => void (this.#sign = () => {});
  };

  async show(sign: Sign): Promise<void> {
    this.#sign(sign);
    await settled();
  }

  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.time = next.at;
      next.call();
      await settled();
    }
    this.time = end;
  }
}

export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
