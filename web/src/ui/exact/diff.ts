/** The lines of a unified diff. */

export interface DiffLine {
  readonly kind: "added" | "removed" | "same" | "about";
  readonly text: string;
}

const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;

/**
 * Each line with what it does, its sign still before it. What a line begins with counts only inside a hunk, and a hunk has
 * as many lines as it says: a line of a file that looks like a heading of the diff is none.
 */
export function diffLines(diff: string): DiffLine[] {
  let removed = 0;
  let added = 0;
  return diff.replace(/\n$/, "").split("\n").map((text) => {
    if (removed <= 0 && added <= 0) {
      const hunk = HUNK.exec(text);
      if (hunk) [removed, added] = [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)];
      return { kind: "about", text };
    }
    const kind = KINDS[text[0] ?? " "] ?? "about";
    if (kind === "removed" || kind === "same") removed -= 1;
    if (kind === "added" || kind === "same") added -= 1;
    return { kind, text };
  });
}

const KINDS: Record<string, DiffLine["kind"]> = { "+": "added", "-": "removed", " ": "same" };

/** How many lines a diff adds and removes. */
export function diffCounts(lines: readonly DiffLine[]): { added: number; removed: number } {
  const count = (kind: DiffLine["kind"]): number => lines.filter((line) => line.kind === kind).length;
  return { added: count("added"), removed: count("removed") };
}
