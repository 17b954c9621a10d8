/** Which of the loaded entries are drawn: a stretch around what is being read. */

/** The first and the last entry drawn, by key; null stands for the first and the last that there are. */
export interface Span {
  readonly first: string | null;
  readonly last: string | null;
}

/** An entry as something to be drawn. `weight`: how much text is in it, in characters. */
export interface Drawable {
  readonly key: string;
  readonly weight: number;
}

export const TO_THE_END: Span = { first: null, last: null };

/** So many entries are drawn at most, and so much text. */
export const MOST = 200;
export const HEAVIEST = 256_000;
/** So many more are drawn when the reader comes near an end of what is drawn. */
const STEP = 60;
/** So many are drawn however long they are: the turn that is being read, and the one before or after it. */
export const LEAST = 4;

/** The indices that a span stands for, the second one exclusive. A key that is gone counts as null. */
export function rangeOf(all: readonly Drawable[], { first, last }: Span): [number, number] {
  const at = last === null ? -1 : indexOf(all, last);
  const end = at < 0 ? all.length : at + 1;
  const start = first === null ? -1 : indexOf(all, first);
  return [start < 0 ? back(all, end, MOST, HEAVIEST) : Math.min(Math.max(start, end - MOST), end), end];
}

/** The span further up, without what is then far below. */
export function earlier(all: readonly Drawable[], span: Span): Span {
  const [start, end] = rangeOf(all, span);
  const first = back(all, start, STEP, HEAVIEST / 3);
  return spanOf(all, first, Math.min(end, Math.max(on(all, first, MOST, HEAVIEST), start + LEAST)));
}

/** The span further down, without what is then far above. */
export function later(all: readonly Drawable[], span: Span): Span {
  const [start, end] = rangeOf(all, span);
  const last = on(all, end, STEP, HEAVIEST / 3);
  return spanOf(all, Math.max(start, Math.min(back(all, last, MOST, HEAVIEST), end - LEAST)), last);
}

/** The span around an entry that is to be shown. */
export function around(all: readonly Drawable[], key: string): Span {
  const at = Math.max(0, indexOf(all, key));
  const start = back(all, at, MOST / 2, HEAVIEST / 2);
  return spanOf(all, start, Math.max(on(all, start, MOST, HEAVIEST), at + 1));
}

function spanOf(all: readonly Drawable[], start: number, end: number): Span {
  // At the end of all it is open, so that what is said next belongs to it.
  return { first: all[start]?.key ?? null, last: end >= all.length ? null : (all[end - 1]?.key ?? null) };
}

function indexOf(all: readonly Drawable[], key: string): number {
  return all.findLastIndex((one) => one.key === key);
}

/** How far up one comes from before `end` with so many entries and so much text. */
function back(all: readonly Drawable[], end: number, most: number, heaviest: number): number {
  let at = end;
  for (let weight = 0; at > 0 && end - at < most; at--) {
    weight += all[at - 1]!.weight;
    if (weight > heaviest && end - at >= LEAST) break;
  }
  return at;
}

/** How far down one comes from `start` on. */
function on(all: readonly Drawable[], start: number, most: number, heaviest: number): number {
  let at = start;
  for (let weight = 0; at < all.length && at - start < most; at++) {
    weight += all[at]!.weight;
    if (weight > heaviest && at - start >= LEAST) break;
  }
  return at;
}
