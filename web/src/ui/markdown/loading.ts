/** What draws Markdown is fetched with the first text: a first visit shows none. */

import { Lazy } from "../lazy.svelte";

export type Drawing = typeof import("./view");

export const drawing = new Lazy<Drawing>(() => import("./view"));
