/** What is to be seen of a call: its command, and what else it was given. */

import type { ToolKind } from "../wire/types";
import type { Approval } from "./transcript";

export interface Argument {
  readonly name: string;
  /** As it stands in the arguments, to the character. */
  readonly value: string;
}

/** A command apart from the other arguments, where there is one and no doubt about which. */
export interface CommandCall {
  readonly command: string;
  readonly others: readonly Argument[];
}

/** What a person sees it to be: an edit that has programs run something counts as more, and is one all the same. */
export function kindAsked(asked: Pick<Approval, "kind" | "sets_off">): ToolKind {
  return asked.sets_off ? "edit" : asked.kind;
}

export function commandCall(asked: Pick<Approval, "kind" | "arguments">): CommandCall | null {
  if (asked.kind !== "execute") return null;
  const all = argumentsOf(asked.arguments);
  const command = all?.find(({ name }) => name === "command");
  if (!all || !command?.value.startsWith('"')) return null;
  return { command: JSON.parse(command.value) as string, others: all.filter((one) => one !== command) };
}

/**
 * The members of a JSON object, as they were written; null when it is none, or names one of them twice: programs differ in
 * which of the two they take.
 */
export function argumentsOf(json: string): Argument[] | null {
  if (!isObject(json)) return null;
  const found: Argument[] = [];
  const tokens = [...json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g)];
  let depth = 0;
  let name: string | null = null;
  let from = 0;
  for (const [index, token] of tokens.entries()) {
    const [text] = token;
    const ends = depth === 1 && (text === "," || text === "}");
    if (ends && name !== null) found.push({ name, value: json.slice(from, token.index).trim() });
    if (ends) name = null;
    if (text === "{" || text === "[") depth += 1;
    else if (text === "}" || text === "]") depth -= 1;
    else if (text === ":" && depth === 1 && name === null) {
      name = JSON.parse(tokens[index - 1]?.[0] ?? '""') as string;
      from = token.index + 1;
    }
  }
  return new Set(found.map((one) => one.name)).size === found.length ? found : null;
}

/** JSON to be read: a text without its quotes, what is nested line by line. Where that would be another, it stays as it is. */
export function readable(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "string") return value === "" ? json : value;
    const indented = JSON.stringify(value, null, 2);
    return bare(indented) === bare(json) ? indented : json;
  } catch {
    return json; // still arriving, or no JSON at all
  }
}

function bare(json: string): string {
  return json.replace(/\s/g, "");
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
