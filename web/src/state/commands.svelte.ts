/** The commands that the server offers and those of an agent's own, and running one. */

import { wordsOfCommand } from "../strings";
import { sentenceOf, type Client } from "../wire/client";
import type { AgentCommand, AgentCommands, Command, CommandDone, CommandList, Effect } from "../wire/types";

/** A command as it is offered. `line` is what one writes to call it; `agent` whose own it is, "" for ours. */
export interface Offer extends Command {
  readonly line: string;
  readonly agent: string;
}

export class Commands {
  #loaded = $state.raw<readonly Command[]>([]);
  #loading: Promise<void> | null = null;
  /** What the agent that was last asked about has, and which that is. */
  #learnt = $state.raw<{ model: string; commands: readonly AgentCommand[] }>({ model: "", commands: [] });

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

  /** Ask which commands an agent has for a conversation. Each time: it may have said by now. */
  async learn(model: string, sessionId: string | null): Promise<void> {
    const query = { model, session_id: sessionId ?? undefined };
    try {
      this.#learnt = { model, ...(await this.client.get<AgentCommands>("/api/agents/commands", query)) };
    } catch (error) {
      sentenceOf(error); // without them it is a little less to choose from
    }
  }

  /** All that a slash may become where a model answers, `agent` by name. */
  offersOf(model: string | null, agent: string): readonly Offer[] {
    const ours = this.list.map((command) => ({ ...command, line: `/${command.name}`, agent: "" }));
    const theirs = this.#learnt.model === model ? this.#learnt.commands : [];
    return [...ours, ...theirs.map((command) => offerOf(command, ours, agent))];
  }

  async run(text: string, sessionId: string | null, model: string | null): Promise<readonly Effect[]> {
    const body = { text, session_id: sessionId ?? undefined, model: model ?? undefined };
    return (await this.client.post<CommandDone>("/api/commands/run", body)).effects;
  }
}

/** An agent's own is a message that begins with a slash; where we have one of that name, it takes two to write that. */
function offerOf(command: AgentCommand, ours: readonly Command[], agent: string): Offer {
  const isOurs = ours.some(({ name }) => name === command.name.toLowerCase());
  return { ...command, needs_session: false, line: `${isOurs ? "//" : "/"}${command.name}`, agent };
}

/** What a line in the composer is. Two slashes begin a message that begins with one. */
export function lineOf(text: string, offers: readonly Offer[]): { kind: "command" | "message"; text: string } {
  if (text.startsWith("//")) return { kind: "message", text: text.slice(1) };
  const isTheirs = offers.some(({ agent, line }) => agent !== "" && line === /^\S+/.exec(text)?.[0]);
  return { kind: text.startsWith("/") && !isTheirs ? "command" : "message", text };
}

/** What of a command's line `text` is so far after its slash, "" for the slash alone, null when it begins none. */
export function begunBy(text: string): string | null {
  return /^\/(\/?[\w:.-]*)$/.exec(text)?.[1]?.toLowerCase() ?? null;
}

/** What a beginning may become: what begins so, then what says it in its help. */
export function matching(offers: readonly Offer[], begun: string, inSession: boolean): readonly Offer[] {
  const usable = offers.filter((one) => inSession || !one.needs_session);
  const byName = usable.filter(({ name, line }) => [name, line.slice(1)].some((word) => word.toLowerCase().startsWith(begun)));
  if (begun.length < 3) return byName;
  return [...byName, ...usable.filter((one) => !byName.includes(one) && one.help.toLowerCase().includes(begun))];
}

/** What `text` calls with something still to follow, for a hint at what that is. */
export function called(offers: readonly Offer[], text: string): Offer | undefined {
  const written = /^(\/\S+)\s/.exec(text)?.[1];
  const line = written && (offers.some((one) => one.line === written) ? written : written.toLowerCase());
  return line ? offers.find((one) => one.line === line && one.argument !== "") : undefined;
}
