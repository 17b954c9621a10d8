/** What keys mean where one writes. */

import { sendKey } from "../../state/theme.svelte";

/** Does a key press send? A phone's keyboard never does: it has no other key to break a line with. */
export function sends(event: KeyboardEvent, isTouch: boolean): boolean {
  if (event.key !== "Enter" || event.shiftKey || isTouch) return false;
  return sendKey.current === "enter" || event.ctrlKey || event.metaKey;
}

/** Is a key press meant for the agent at work, rather than for after its answer? */
export function steers(event: KeyboardEvent): boolean {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return false;
  return event.shiftKey === (sendKey.current !== "enter");
}

/** Is a key press meant to choose files to attach? */
export function attaches(event: KeyboardEvent): boolean {
  return event.key.toLowerCase() === "u" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
}
