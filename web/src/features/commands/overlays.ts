/** What opens over the page, loaded together when the browser is idle. */

export { default as Palette } from "./Palette.svelte";
export { default as ShortcutSheet } from "./ShortcutSheet.svelte";
