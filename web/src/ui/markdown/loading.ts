/** What draws Markdown is fetched with the first text: a first visit shows none. */

export type Drawing = typeof import("./view");

let loaded: Drawing | null = null;

/** It, when it is here. */
export function drawing(): Drawing | null {
  return loaded;
}

export async function loadDrawing(): Promise<Drawing> {
  loaded ??= await import("./view");
  return loaded;
}
