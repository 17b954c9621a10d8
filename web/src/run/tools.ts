/** What a person sees of a tool that was called. */

import type { ToolKind } from "../wire/types";
import type { ToolBlock } from "./transcript";

/** The icon that stands for what a tool does to the world. */
export const kindIcons = { read: "file", edit: "pencil", execute: "terminal", fetch: "globe", other: "tool" } as const satisfies Record<ToolKind, string>;

/** What a tool did, where that is known: the words for it are in the catalogue. */
export type Verb = "read" | "list" | "search" | "edit" | "execute" | "fetch";

/** What names the thing that a call is about, by the names that tools give it. */
const TARGETS = ["command", "path", "file_path", "url", "pattern", "query"];
const SOUGHT = ["pattern", "query", "regex", "words", ...TARGETS];
const SEARCHES = /search|grep|find|glob/;
/** So much of a target stands in a line. */
const LONGEST = 300;

const BY_NAME: readonly (readonly [RegExp, ToolKind])[] = [
  [/shell|bash|exec|terminal|command|run_/, "execute"],
  [/fetch|http|web|url|browse/, "fetch"],
  [/edit|write|patch|replace/, "edit"],
  [/file|read|list|dir|search|grep|find|glob/, "read"],
];

export function kindOf({ tool_kind, name }: Pick<ToolBlock, "tool_kind" | "name">): ToolKind {
  return tool_kind ?? BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}

/** What a call did and to what; null where its arguments do not say so, or have not all arrived. The folder itself has no name to show. */
export function deedOf(tool: Pick<ToolBlock, "tool_kind" | "name" | "arguments">): { verb: Verb; target: string } | null {
  const kind = kindOf(tool);
  const searches = kind === "read" && SEARCHES.test(tool.name);
  const target = targetOf(tool.arguments, searches ? SOUGHT : TARGETS);
  if (kind === "other" || target === null) return null;
  if (kind !== "read") return { verb: kind, target };
  if (searches) return { verb: "search", target };
  if (!/list|dir|^ls/.test(tool.name)) return { verb: "read", target };
  return target === "." ? null : { verb: "list", target };
}

function targetOf(json: string, names: readonly string[]): string | null {
  try {
    const given = JSON.parse(json) as Record<string, unknown>;
    const target = names.map((name) => given?.[name]).find((value) => typeof value === "string" && value.trim() !== "");
    return typeof target === "string" ? target.trim().replace(/\s+/g, " ").slice(0, LONGEST) : null;
  } catch {
    return null; // still arriving, or no JSON at all
  }
}
