/** Text as it is, character for character: what cannot be seen, or moves what can, is named by its code point. */

export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tabs"; readonly text: string }
  /** `code` as "U+202E", `times` in a row. */
  | { readonly kind: "sign"; readonly code: string; readonly times: number };

/** Controls, marks that order or join, blanks that are no space, what has no glyph; but neither space nor line end. */
const UNSEEN = /(?![ \n])([\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800])\1*/gu;

export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    const [run, one = ""] = match;
    if (match.index > from) pieces.push({ kind: "text", text: text.slice(from, match.index) });
    pieces.push(one === "\t" ? { kind: "tabs", text: run } : { kind: "sign", code: codeOf(one), times: run.length / one.length });
    from = match.index + run.length;
  }
  if (from < text.length) pieces.push({ kind: "text", text: text.slice(from) });
  return pieces;
}

/** The same in one piece, for where no signs can be drawn. */
export function spelled(text: string): string {
  return piecesOf(text).map((piece) => (piece.kind === "sign" ? `[${piece.code}]` : piece.text)).join("");
}

/** How many lines a text has; a line end at its end begins no further one. */
export function linesIn(text: string): number {
  return text === "" ? 0 : text.replace(/\n$/, "").split("\n").length;
}

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
