/** The list as lines of known height, and which of them the window shows. */

import { language, sessions as words } from "../../strings";
import type { Row } from "../../wire/types";
import { groupOf, type Group } from "./groups";

export type ListLine =
  | { kind: "heading"; key: string; label: string; top: number; height: number }
  | { kind: "row"; key: string; row: Row; index: number; top: number; height: number };

export interface Heights {
  row: number;
  heading: number;
}

/** Headings and rows from top to bottom; `top` in pixels from the first. */
export function linesOf(rows: readonly Row[], now: number, heights: Heights): ListLine[] {
  const lines: ListLine[] = [];
  let top = 0;
  let lastLabel = "";
  rows.forEach((row, index) => {
    const at = (row.last_message_at ?? row.updated_at) * 1000;
    const label = labelOf(row.pinned ? { kind: "pinned" } : groupOf(at, now, language));
    if (label !== lastLabel) {
      lines.push({ kind: "heading", key: `heading ${label}`, label, top, height: heights.heading });
      top += heights.heading;
      lastLabel = label;
    }
    lines.push({ kind: "row", key: row.session_id, row, index, top, height: heights.row });
    top += heights.row;
  });
  return lines;
}

/** The lines between two heights, and a few beyond, so that scrolling never meets a blank. */
export function visible(lines: readonly ListLine[], from: number, to: number, beyond = 400): readonly ListLine[] {
  const first = firstWhere(lines, (line) => line.top + line.height >= from - beyond);
  const end = firstWhere(lines, (line) => line.top > to + beyond);
  return lines.slice(first, end);
}

export function heightOf(lines: readonly ListLine[]): number {
  const last = lines.at(-1);
  return last ? last.top + last.height : 0;
}

function firstWhere(lines: readonly ListLine[], isReached: (line: ListLine) => boolean): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReached(lines[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function labelOf(group: Group): string {
  return group.kind === "month" ? group.label : words[group.kind];
}
