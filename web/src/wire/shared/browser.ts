/** The shared worker of this browser, and what a tab notices for it. */

import { overMessagePort } from "./messages";
import type { Connect, TabSigns } from "./tab";
import workerUrl from "./worker?sharedworker&url";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The one script that this page may start: the worker that was built with it. */
const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy("fireside-worker", {
  createScriptURL(url) {
    if (url !== workerUrl) throw new TypeError("This is not our worker.");
    return url;
  },
});

export const connect: Connect = (failed) => {
  if (!("SharedWorker" in globalThis)) return null;
  try {
    const worker = new SharedWorker(policy?.createScriptURL(workerUrl) ?? workerUrl, { name: "fireside", type: "module" });
    worker.addEventListener("error", failed);
    return overMessagePort(worker.port);
  } catch {
    return null; // forbidden here, as in some private windows: the tab can do without
  }
};

export const tabSigns: TabSigns = {
  watch(call) {
    document.addEventListener("visibilitychange", () => document.hidden || call("seen"));
    window.addEventListener("online", () => call("online"));
    window.addEventListener("offline", () => call("offline"));
    window.addEventListener("pagehide", () => call("leaving"));
    window.addEventListener("pageshow", (event) => event.persisted && call("shown again"));
  },
};
