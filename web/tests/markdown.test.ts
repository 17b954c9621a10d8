/** Reading Markdown as it grows ends where reading it whole does. */

import type { Token } from "marked";
import { describe, expect, test } from "vitest";
import { blocksIn, hasReferences, htmlOf, isInlinePicture, isVisible, safeAddress } from "../src/ui/markdown/dialect";
import { TailReader } from "../src/ui/markdown/tail";
import { languageOf } from "../src/ui/markdown/code";

const PIECES = [
  "A paragraph with **bold** and `code`.\n\n",
  "Two lines\nof one paragraph\n\n",
  "# Heading\n",
  "Setext\n======\n\n",
  "- one\n- two\n  - nested\n\n",
  "1. first\n\n   loose\n2. second\n",
  "```python\nprint('a')\n\nx = 1\n```\n",
  "~~~\nno language\n~~~\n\n",
  "    indented code\n\n",
  "> quote\n> goes on\n\n",
  "> lazy\ncontinuation\n\n",
  "| a | b |\n| - | - |\n| 1 | 2 |\n\n",
  "---\n\n",
  "<div>html</div>\n\n",
  "text right after\n",
  "\n\n\n",
  "- [ ] task\n",
  "Line with trailing spaces  \nbroken\n\n",
];

/** The same sequence in every run, so that a failure can be looked at again. */
function* chances(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    yield state / 2_147_483_648;
  }
}

function readGrowing(text: string, sizes: () => number): Token[] {
  const reader = new TailReader();
  const seen: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const size = sizes();
    const { settled, blocks } = reader.push(text.slice(at, at + size));
    seen.length = settled;
    seen.push(...blocks);
    at += size;
  }
  return seen;
}

const shape = (tokens: readonly Token[]): string[] => tokens.map((token) => `${token.type}:${htmlOf(token)}`);

test("reading the tail only ends in the blocks that reading the whole gives, however it is cut", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const chance = chances(seed);
    const next = (): number => chance.next().value as number;
    const text = Array.from({ length: 2 + Math.floor(next() * 14) }, () => PIECES[Math.floor(next() * PIECES.length)]).join("");

    const grown = readGrowing(text, () => 1 + Math.floor(next() * 9));

    expect(shape(grown), JSON.stringify(text)).toEqual(shape(blocksIn(text).filter(isVisible)));
  }
});

test("the tail stays short while a long text of many blocks grows", () => {
  const reader = new TailReader();

  for (let block = 0; block < 500; block++) reader.push(`Paragraph number ${block}.\n\n`);

  expect(reader.tailLength).toBeLessThan(200);
});

describe("what a hostile model writes", () => {
  test.each(["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '<a href="https://x" ping="https://y">a</a>', "<b onclick=x>b</b>"])(
    "%s is shown, not run",
    (source) => {
      const html = blocksIn(source).map(htmlOf).join("");

      expect(html).not.toMatch(/<(script|img|a|b)\b/i);
    },
  );

  test("a tag that does no more than it says is kept", () => {
    expect(blocksIn("H<sub>2</sub>O<br>").map(htmlOf).join("")).toContain("H<sub>2</sub>O<br>");
  });

  test("a remote picture is its address, never a picture", () => {
    const html = blocksIn('![a "cat"](https://leak.test/?d=1&e=2)').map(htmlOf).join("");

    expect(html).not.toContain("<img");
    expect(html).toContain('href="https://leak.test/?d=1&#38;e=2"');
  });

  test.each(["javascript:alert(1)", "JaVa\tScript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vscode://x", "//evil.test", "/api/x", "#a", ""])(
    "%j is no address to link to",
    (href) => expect(safeAddress(href)).toBeNull(),
  );

  test.each(["https://a.test/?b=c#d", "http://a.test", "mailto:a@b.test"])("%s is", (href) => expect(safeAddress(href)).toBe(href));

  test("only a picture that is in the text itself may be shown", () => {
    expect(isInlinePicture("data:image/png;base64,iVBORw0KGgo=")).toBe(true);
    expect(isInlinePicture("data:image/svg+xml;base64,PHN2Zz4=")).toBe(false);
    expect(isInlinePicture("https://leak.test/a.png")).toBe(false);
  });

  test.each([
    ["a deep quote", ">".repeat(20_000) + " x"],
    ["many open brackets", "[".repeat(5_000)],
    ["many stars", "*a".repeat(5_000)],
    ["a long line", "x".repeat(1_000_000)],
  ])("%s is read in time", { timeout: 5_000 }, (_name, text) => {
    expect(blocksIn(text).map(htmlOf).join("")).not.toBe("");
  });
});

test("references are noticed wherever they are defined", () => {
  expect(hasReferences("See [a].\n\n[a]: https://a.test\n")).toBe(true);
  expect(hasReferences("See [a](https://a.test).")).toBe(false);
});

test("a fence's first word names its language", () => {
  expect(languageOf("Python title=x")).toBe("python");
  expect(languageOf(undefined)).toBe("");
});
