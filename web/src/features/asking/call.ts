/** What is to be seen of a call that an agent asks about. */

import type { Approval } from "../../run/transcript";

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

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
