/** Which of the loaded entries are drawn: a stretch around what is being read. */

/** The first and the last entry drawn, by key; null stands for the first and the last that there are. */
export interface Span {
  readonly first: string | null;
  readonly last: string | null;
}

export const TO_THE_END: Span = { first: null, last: null };

/** So many entries are drawn at most. */
export const MOST = 200;
/** So many more are drawn when the reader comes near an end of what is drawn. */
const STEP = 60;

/** The indices that a span stands for, the second one exclusive. A key that is gone counts as null. */
export function rangeOf(keys: readonly string[], { first, last }: Span): [number, number] {
  const at = last === null ? -1 : keys.lastIndexOf(last);
  const end = at < 0 ? keys.length : at + 1;
  const start = first === null ? -1 : keys.indexOf(first);
  return [Math.min(Math.max(start, end - MOST, 0), end), end];
}

/** The span further up, without what is then far below. */
export function earlier(keys: readonly string[], span: Span): Span {
  const [start, end] = rangeOf(keys, span);
  const first = Math.max(0, start - STEP);
  return spanOf(keys, first, Math.min(end, first + MOST));
}

/** The span further down, without what is then far above. */
export function later(keys: readonly string[], span: Span): Span {
  const [start, end] = rangeOf(keys, span);
  const last = Math.min(keys.length, end + STEP);
  return spanOf(keys, Math.max(start, last - MOST), last);
}

/** The span around an entry that is to be shown. */
export function around(keys: readonly string[], key: string): Span {
  const at = Math.max(0, keys.indexOf(key));
  const start = Math.max(0, at - MOST / 2);
  return spanOf(keys, start, Math.min(keys.length, start + MOST));
}

function spanOf(keys: readonly string[], start: number, end: number): Span {
  // At the end of all it is open, so that what is said next belongs to it.
  return { first: keys[start] ?? null, last: end >= keys.length ? null : (keys[end - 1] ?? null) };
}
