/** Text and changes shown as they are. */

import { expect, test } from "vitest";
import { diffCounts, diffLines } from "../src/ui/exact/diff";
import { linesIn, piecesOf } from "../src/ui/exact/pieces";

const shown = (text: string): string =>
  piecesOf(text)
    .map((piece) => (piece.kind === "sign" ? `[${piece.code}${piece.times > 1 ? `*${piece.times}` : ""}]` : piece.text))
    .join("");

test.each([
  ["ls -l\nüber 日本 👍 é", "ls -l\nüber 日本 👍 é"],
  ["rm \u202Egnp.txt", "rm [U+202E]gnp.txt"],
  ["a\u200B\u200B\u200Bb", "a[U+200B*3]b"],
  ["a\u0000\u001B[31m\rb\u0085", "a[U+0000][U+001B][31m[U+000D]b[U+0085]"],
  ["a\u00A0b\u3000c\u2028d", "a[U+00A0]b[U+3000]c[U+2028]d"],
  ["a\u3164b\u2800c\uFE0Fd\u{E0041}", "a[U+3164]b[U+2800]c[U+FE0F]d[U+E0041]"],
  ["half \uD83D of a pair", "half [U+D83D] of a pair"],
  ["\tindented", "\tindented"],
  ["", ""],
])("%j shows everything that is in it", (text, wanted) => {
  expect(shown(text)).toBe(wanted);
});

test("of no character there is a way to be drawn as nothing or to move others", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    const isPlain = piecesOf(character)[0]?.kind === "text";
    if (isPlain && /[\p{C}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{White_Space}]/u.test(character)) {
      expect([" ", "\n"]).toContain(character);
    }
  }
});

test("the lines of a text are counted as a person does", () => {
  expect(["", "one", "one\n", "one\ntwo", "\n\n"].map(linesIn)).toEqual([0, 1, 1, 2, 2]);
});

test("a line of a file that looks like a heading of the diff is a line of the file", () => {
  const diff = "--- a/x\n+++ b/x\n@@ -1,3 +1,2 @@\n same\n--- gone\n-@@ -1 +1 @@\n+++ new\n\\ No newline at end of file\n";

  const lines = diffLines(diff);

  expect(lines.map((line) => line.kind)).toEqual(["about", "about", "about", "same", "removed", "removed", "added", "about"]);
  expect(lines.map((line) => line.text).join("\n")).toBe(diff.trimEnd());
  expect(diffCounts(lines)).toEqual({ added: 1, removed: 2 });
});
