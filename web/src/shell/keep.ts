/** Having the browser keep the page's own files, so that it opens while nobody answers. */

type Policies = { createPolicy(name: string, rules: { createScriptURL: (address: string) => string }): { createScriptURL(address: string): string } };

const WORKER = "/worker.js";

/** When the first visit has all it needs. A browser that cannot, or may not, loses only that. */
export function keepShell(): void {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  const register = (): void => {
    navigator.serviceWorker.register(trusted(WORKER), { updateViaCache: "none" }).catch((cause: unknown) => console.warn("The page is not kept:", cause));
  };
  const later = (): void => void setTimeout(register, 3_000);
  if (document.readyState === "complete") later();
  else window.addEventListener("load", later, { once: true });
}

/** The address of our worker, and of nothing else. */
function trusted(address: typeof WORKER): string {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  return policies ? policies.createPolicy("fireside-shell", { createScriptURL: () => WORKER }).createScriptURL(address) : address;
}
