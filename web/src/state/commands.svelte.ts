/** The commands that the server offers, and running one. */

import { wordsOfCommand } from "../strings";
import { sentenceOf, type Client } from "../wire/client";
import type { Command, CommandDone, CommandList, Effect } from "../wire/types";

export class Commands {
  #loaded = $state.raw<readonly Command[]>([]);
  #loading: Promise<void> | null = null;

  constructor(private readonly client: Client) {}

  /** In the language that is spoken as it is read. */
  get list(): readonly Command[] {
    return this.#loaded.map((command) => ({ ...command, ...wordsOfCommand(command.name) }));
  }

  /** Ask for them, once. Failing leaves the list empty, and the next call asks again. */
  load(): Promise<void> {
    this.#loading ??= this.client.get<CommandList>("/api/commands").then(
      ({ commands }) => void (this.#loaded = commands),
      (error: unknown) => {
        sentenceOf(error);
        this.#loading = null;
      },
    );
    return this.#loading;
  }

  async run(text: string, sessionId: string | null, model: string | null): Promise<readonly Effect[]> {
    const body = { text, session_id: sessionId ?? undefined, model: model ?? undefined };
    return (await this.client.post<CommandDone>("/api/commands/run", body)).effects;
  }
}

/** What a line in the composer is. Two slashes begin a message that begins with one. */
export function lineOf(text: string): { kind: "command" | "message"; text: string } {
  if (text.startsWith("//")) return { kind: "message", text: text.slice(1) };
  return { kind: text.startsWith("/") ? "command" : "message", text };
}

/** The name of a command of which `text` is so far the beginning, "" after the slash alone, null when it is none. */
export function nameBegun(text: string): string | null {
  return /^\/([a-z]*)$/i.exec(text)?.[1]?.toLowerCase() ?? null;
}

/** The commands that a beginning may become: those that begin so, then those whose help says it. */
export function matching(commands: readonly Command[], begun: string, inSession: boolean): readonly Command[] {
  const usable = commands.filter((command) => inSession || !command.needs_session);
  const byName = usable.filter((command) => command.name.startsWith(begun));
  if (begun.length < 3) return byName;
  return [...byName, ...usable.filter((one) => !byName.includes(one) && one.help.toLowerCase().includes(begun))];
}

/** The command that `text` calls with something still to follow, for a hint at what that is. */
export function called(commands: readonly Command[], text: string): Command | undefined {
  const name = /^\/([a-z]+)\s/i.exec(text)?.[1]?.toLowerCase();
  return name ? commands.find((command) => command.name === name && command.argument !== "") : undefined;
}
