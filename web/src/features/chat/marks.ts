/** Marking the words that someone looks for, without touching the nodes they stand in. */

const ALL = "found";
const HERE = "found-here";
/** Beyond so many marks nobody sees one more. */
const MOST = 2_000;

/** What matches any of `words`, longest first; null when there is nothing to look for. */
export function patternOf(words: string): RegExp | null {
  const each = [...new Set(words.split(/[\s"]+/u).filter(Boolean))].toSorted((a, b) => b.length - a.length);
  if (each.length === 0) return null;
  const escaped = each.map((word) => (/^[a-z0-9]/i.test(word) ? "(?<![A-Za-z0-9])" : "") + literally(word));
  return new RegExp(escaped.join("|"), "giu");
}

function literally(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Where a pattern matches in a text, as pairs of start and end. */
export function matchesIn(text: string, pattern: RegExp): [number, number][] {
  return Array.from(text.matchAll(pattern), (match) => [match.index, match.index + match[0].length]);
}

/** Mark the words below `root`, those in `here` as the ones being looked at. Answers the first of these. */
export function mark(root: Element, words: string, here: Element | null): Range | null {
  const pattern = patternOf(words);
  const all: Range[] = [];
  const near: Range[] = [];
  if (pattern) {
    for (const node of textsIn(root)) {
      const into = here?.contains(node) ? near : all;
      for (const [start, end] of matchesIn(node.data, pattern)) into.push(rangeOf(node, start, end));
      if (all.length + near.length > MOST) break;
    }
  }
  put(ALL, all);
  put(HERE, near);
  return near[0] ?? null;
}

export function unmark(): void {
  put(ALL, []);
  put(HERE, []);
}

/** What was said and answered, not the names of buttons around it. */
function* textsIn(root: Element): Generator<Text> {
  for (const part of root.querySelectorAll(".bubble, .markdown")) {
    const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) yield walker.currentNode as Text;
  }
}

function rangeOf(node: Text, start: number, end: number): Range {
  const range = document.createRange();
  range.setStart(node, start);
  range.setEnd(node, end);
  return range;
}

function put(name: string, ranges: Range[]): void {
  if (!("highlights" in CSS)) return; // an older browser shows the message, without marks
  if (ranges.length > 0) CSS.highlights.set(name, new Highlight(...ranges));
  else CSS.highlights.delete(name);
}
