/** What is to stand in a draft that two windows have worked on. */

import type { Attachment } from "../wire/types";

/**
 * `base` is what both began with. Null when neither text holds the other, so that a person has to decide: whatever was
 * typed anywhere is in what comes out, or in both that are shown.
 */
export function agreed(base: string, mine: string, theirs: string): string | null {
  if (mine === base) return theirs;
  if (theirs === base || mine.startsWith(theirs)) return mine;
  return theirs.startsWith(mine) ? theirs : null;
}

type Files = readonly Attachment[];

/** What was attached in either window, without what was taken out in either. */
export function agreedFiles(base: Files, mine: Files, theirs: Files): Files {
  const kept = theirs.filter((one) => holds(mine, one.id) || !holds(base, one.id));
  return [...kept, ...mine.filter((one) => !holds(theirs, one.id) && !holds(base, one.id))];
}

export function areSame(some: Files, others: Files): boolean {
  return some.length === others.length && some.every((one, at) => one.id === others[at]?.id);
}

export function without(some: Files, others: Files): Files {
  return some.filter((one) => !holds(others, one.id));
}

function holds(files: Files, id: string): boolean {
  return files.some((one) => one.id === id);
}

/** Both texts, one after the other. */
export function joined(first: string, second: string): string {
  if (first.trim() === "") return second;
  return second.trim() === "" ? first : `${first.trimEnd()}\n\n${second}`;
}
