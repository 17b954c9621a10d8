/** The browser's clock, chance and signs of life, as a follower asks for them. */

import type { Surroundings } from "./follow";

/** What a worker has of them too. */
export const clock: Omit<Surroundings, "watch"> = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export const browser: Surroundings = {
  ...clock,
  watch(call) {
    const end = new AbortController();
    const { signal } = end;
    document.addEventListener("visibilitychange", () => call(document.hidden ? "hidden" : "seen"), { signal });
    window.addEventListener("pageshow", (event) => event.persisted && call("network"), { signal });
    window.addEventListener("online", () => call("network"), { signal });
    window.addEventListener("offline", () => call("network"), { signal });
    if (document.hidden) call("hidden");
    return () => end.abort();
  },
};
