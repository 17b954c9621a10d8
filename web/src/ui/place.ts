/** Where a floating panel stands: beside what opened it, inside the window. */

const MARGIN = 8;
const GAP = 6;

export interface Point {
  x: number;
  y: number;
}

/**
 * Put `panel` below `anchor`, or above it where there is more room, its edge along the anchor's: without `edge` so that
 * it grows towards the middle of the window. What fits into the window, but on neither side, lies over the anchor.
 */
export function placeBeside(panel: HTMLElement, anchor: HTMLElement | Point, edge?: "start" | "end"): void {
  const box = anchor instanceof HTMLElement ? anchor.getBoundingClientRect() : new DOMRect(anchor.x, anchor.y, 0, 0);
  panel.style.maxHeight = "";
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = window.innerHeight - box.bottom - GAP - MARGIN;
  const above = box.top - GAP - MARGIN;
  const whole = window.innerHeight - 2 * MARGIN;
  const goesOver = height > Math.max(above, below) && height <= whole;
  const goesUp = height > below && above > below;
  const room = goesOver ? whole : Math.max(160, goesUp ? above : below);
  const isLeft = edge ? (edge === "start") === (getComputedStyle(document.documentElement).direction !== "rtl") : box.left + box.right < window.innerWidth;
  const left = isLeft ? box.left : box.right - width;
  const top = goesUp ? box.top - GAP - Math.min(height, room) : box.bottom + GAP;
  const lowest = goesOver ? window.innerHeight - height - MARGIN : Infinity;
  panel.style.maxHeight = `${room}px`;
  panel.style.left = `${Math.max(MARGIN, Math.min(left, window.innerWidth - width - MARGIN))}px`;
  panel.style.top = `${Math.max(MARGIN, Math.min(top, lowest))}px`;
}
