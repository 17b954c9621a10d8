/** Where a floating panel stands: beside what opened it, inside the window. */

const MARGIN = 8;
const GAP = 6;

export interface Point {
  x: number;
  y: number;
}

/** Put `panel` below `anchor`, or above it where there is more room, its edge along the anchor's. */
export function placeBeside(panel: HTMLElement, anchor: HTMLElement | Point, edge: "start" | "end"): void {
  const box = anchor instanceof HTMLElement ? anchor.getBoundingClientRect() : new DOMRect(anchor.x, anchor.y, 0, 0);
  panel.style.maxHeight = "";
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = window.innerHeight - box.bottom - GAP - MARGIN;
  const above = box.top - GAP - MARGIN;
  const goesUp = height > below && above > below;
  const room = Math.max(160, goesUp ? above : below);
  const isLeft = (edge === "start") === (getComputedStyle(document.documentElement).direction !== "rtl");
  const left = isLeft ? box.left : box.right - width;
  panel.style.maxHeight = `${room}px`;
  panel.style.left = `${Math.max(MARGIN, Math.min(left, window.innerWidth - width - MARGIN))}px`;
  panel.style.top = `${Math.max(MARGIN, goesUp ? box.top - GAP - Math.min(height, room) : box.bottom + GAP)}px`;
}
