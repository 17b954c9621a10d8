/** Which page the address means. */

import { soughtIn, type Sought } from "../state/addresses";

export type Place = { page: "new" } | { page: "session"; sessionId: string; sought: Sought | null } | { page: "settings"; connects: boolean } | { page: "trash" };

export function placeOf(path: string, hash: string): Place {
  const session = /^\/s\/([A-Za-z0-9][A-Za-z0-9_-]{0,127})$/.exec(path);
  if (session?.[1]) return { page: "session", sessionId: session[1], sought: soughtIn(hash) };
  if (path === "/settings") return { page: "settings", connects: hash === "#connect" };
  if (path === "/trash") return { page: "trash" };
  return { page: "new" };
}

export class Router {
  place = $state.raw<Place>(placeOf(location.pathname, location.hash));

  constructor() {
    window.addEventListener("popstate", () => this.#read());
  }

  go(path: string): void {
    if (path !== location.pathname + location.hash) history.pushState(null, "", path);
    this.#read();
  }

  /** Another address for what is shown already. */
  rename(path: string): void {
    history.replaceState(null, "", path);
    this.#read();
  }

  #read(): void {
    this.place = placeOf(location.pathname, location.hash);
  }
}

/** The path that a plain click on a link of ours leads to, or null when the browser should follow it by itself. */
export function ownLink(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = (event.target as Element).closest("a");
  if (!link || link.target || link.download || link.origin !== location.origin) return null;
  return link.pathname + link.hash;
}
