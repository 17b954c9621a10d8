/** Command lines as people write them: words apart, kept together by quotes. */

/** The words of a command line. A quote that is not closed reaches to the end. */
export function wordsOf(line: string): string[] {
  const pieces = line.matchAll(/"((?:\\.|[^"\\])*)"?|'([^']*)'?|\\(.)|(\s+)|([^\s"'\\]+)|\\$/gs);
  const words: string[] = [];
  let word: string | null = null;
  for (const [, double, single, escaped, space, plain] of pieces) {
    if (space !== undefined) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + (double?.replace(/\\(["\\$`])/g, "$1") ?? single ?? escaped ?? plain ?? "");
    }
  }
  return word === null ? words : [...words, word];
}

/** Lines of `NAME=value` as an object; null when one of them is something else. */
export function environmentOf(lines: string): Record<string, string> | null {
  return pairsOf(lines, /^([A-Za-z_]\w*)=(.*)$/);
}

/** Lines of `Name: value` as an object; null when one of them is something else. */
export function headersOf(lines: string): Record<string, string> | null {
  return pairsOf(lines, /^([A-Za-z0-9-]+):\s*(\S.*)$/);
}

/** A name of at most `most` plain letters, out of what a person calls it: for the id of a model, or of a tool. */
export function nameOf(title: string, most = 40, nameless = "agent"): string {
  const plain = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  return plain.slice(0, most).replace(/-+$/, "") || nameless;
}

function pairsOf(lines: string, form: RegExp): Record<string, string> | null {
  const pairs = lines.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => form.exec(line));
  return pairs.some((pair) => pair === null) ? null : Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""]));
}
