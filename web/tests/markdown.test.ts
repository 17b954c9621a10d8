/** Reading Markdown as it grows ends where reading it whole does. */

import type { Token, Tokens } from "marked";
import { describe, expect, test } from "vitest";
import { blocksIn, htmlOf, isInlinePicture, isVisible, linksIn, safeAddress } from "../src/ui/markdown/dialect";
import { LONGEST_BLOCK, TailReader } from "../src/ui/markdown/tail";
import { fileName, languageOf } from "../src/ui/markdown/code";

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
    seen.push(...blocks.map((block) => block.token));
    at += size;
  }
  return seen;
}

const shape = (tokens: readonly Token[]): string[] => tokens.map((token) => `${token.type}:${htmlOf(token)}`);

test("reading the tail only ends in the blocks that reading the whole gives, however it is cut", { timeout: 30_000 }, () => {
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

test("links are known by name wherever they are defined, but not out of code or notes", () => {
  expect(Object.keys(linksIn("See [a].\n\n[a]: https://a.test\n\n```\n[b]: https://b.test\n```\n\n[^c]: note"))).toEqual(["a"]);
  expect(linksIn("See [a](https://a.test).")).toEqual({});
  expect(blocksIn("See [a].", linksIn("[a]: https://a.test")).map(htmlOf).join("")).toContain('href="https://a.test"');
});

describe("a block that is too long", () => {
  const HUGE: [string, string, string][] = [
    ["list", Array.from({ length: 5_000 }, (_, n) => `${n + 1}. item **number** ${n}`).join("\n"), "list"],
    ["table", `| a | b |\n| - | - |\n${Array.from({ length: 5_000 }, (_, n) => `| row ${n} | ${n * n} |`).join("\n")}`, "table"],
    ["code", `\`\`\`python\n${Array.from({ length: 5_000 }, (_, n) => `value_${n} = ${n}`).join("\n")}\n\`\`\``, "code"],
    ["paragraph", "many words ".repeat(10_000), "paragraph"],
    ["line", "x".repeat(200_000), "paragraph"],
    ["quote", Array.from({ length: 3_000 }, (_, n) => `> said ${n}`).join("\n"), "blockquote"],
  ];

  test.each(HUGE)("%s is read in parts of its own kind, and never much of it at once", (_name, text, type) => {
    const reader = new TailReader();
    const seen: Token[] = [];
    let longest = 0;
    for (let at = 0; at < text.length; at += 500) {
      const { settled, blocks } = reader.push(text.slice(at, at + 500));
      seen.length = settled;
      seen.push(...blocks.map((block) => block.token));
      longest = Math.max(longest, reader.tailLength);
    }

    expect(longest).toBeLessThan(1.5 * LONGEST_BLOCK);
    expect(new Set(seen.map((token) => token.type))).toEqual(new Set([type]));
    expect(seen.length).toBeGreaterThan(2);
  });

  test.each(["**many bold words of it**", "`code of several words`", "[a link of words](https://example.org)", "*so **deep** a thing*"])(
    "%s is not cut in two, wherever it stands and however it comes",
    (phrase) => {
      for (let before = LONGEST_BLOCK - 40; before <= LONGEST_BLOCK + 10; before += 7) {
        const text = `${"x".repeat(before % 10)} ${"words go on ".repeat(before / 12)}${phrase} ${"and on ".repeat(800)}`;
        const whole = blocksIn(phrase).map(htmlOf).join("").replace(/<\/?p>|\n/g, "");

        for (const size of [333, 4_000]) expect(shape(readGrowing(text, () => size)).join("")).toContain(whole);
      }
    },
  );

  test("table keeps every row once", () => {
    const grown = readGrowing(HUGE[1]![1], () => 777);
    const rows = grown.flatMap((token) => (token as Tokens.Table).rows.map((row) => row[0]!.text));

    expect(rows).toEqual(Array.from({ length: 5_000 }, (_, n) => `row ${n}`));
  });

  test("list keeps every item once, and its numbers", () => {
    const grown = readGrowing(HUGE[0]![1], () => 777) as Tokens.List[];

    let next = 1;
    for (const list of grown) {
      expect(list.start).toBe(next);
      next += list.items.length;
    }
    expect(next).toBe(5_001);
  });

  test("code keeps every line once", () => {
    const grown = readGrowing(HUGE[2]![1], () => 777) as Tokens.Code[];

    expect(grown.map((token) => token.text.replace(/\n$/, "")).join("\n").split("\n").length).toBe(5_000);
    expect(new Set(grown.map((token) => token.lang))).toEqual(new Set(["python"]));
  });
});

describe("formulas and footnotes", () => {
  const html = (text: string): string => blocksIn(text).map(htmlOf).join("");

  test.each(["$x^2$", "$5$", "\\(a+b\\)", "so $n$, or $m$."])("%j is a formula", (text) => expect(html(text)).toContain('<code class="formula">'));

  test.each(["$$\\frac12$$", "\\[x = 1\\]", "$$\nx\n= y\n$$"])("%j stands by itself", (text) =>
    expect(html(text)).toContain("formula-display"),
  );

  test.each(["It costs $5 and $10.", "$5, not 6$", "US$ 5 or $ 6", "\\[not a link\\]", "`$x$`", "\\$5 and \\$6", "a $20/month plan, not $30"])("%j is text", (text) =>
    expect(html(text)).not.toContain("formula"),
  );

  test("a note is its own block, and called by a mark", () => {
    expect(html("Said[^1].\n\n[^1]: By **whom**?\n[^b]: And\n    more")).toBe(
      '<p>Said<sup class="footnote-reference">1</sup>.</p>\n' +
        '<blockquote class="footnote"><sup class="footnote-label">1</sup><p>By <strong>whom</strong>?</p>\n</blockquote>' +
        '<blockquote class="footnote"><sup class="footnote-label">b</sup><p>And\nmore</p>\n</blockquote>',
    );
  });
});

test("what is downloaded ends as files of its language do", () => {
  expect([fileName("python"), fileName("go"), fileName(""), fileName("../../x"), fileName("constructor")]).toEqual([
    "code.py", "code.go", "code.txt", "code.txt", "code.txt",
  ]);
});

test("a fence's first word names its language", () => {
  expect(languageOf("Python title=x")).toBe("python");
  expect(languageOf(undefined)).toBe("");
});
