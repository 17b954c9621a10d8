/** What is to stand in a draft that two windows have typed into. */

/**
 * `base` is what both began with. Null when neither text holds the other, so that a person has to decide: whatever was
 * typed anywhere is in what comes out, or in both that are shown.
 */
export function agreed(base: string, mine: string, theirs: string): string | null {
  if (mine === base) return theirs;
  if (theirs === base || mine.startsWith(theirs)) return mine;
  return theirs.startsWith(mine) ? theirs : null;
}

/** Both texts, one after the other. */
export function joined(first: string, second: string): string {
  if (first.trim() === "") return second;
  return second.trim() === "" ? first : `${first.trimEnd()}\n\n${second}`;
}
