/** The agents that are programs of their own. */

import { sentenceOf, type Client } from "../wire/client";
import type { AgentAdd, AgentAdded, AgentChecked, AgentInstallable, AgentProgram, AgentPrograms } from "../wire/types";

export class Programs {
  /** Null until someone comes to see them. */
  list = $state.raw<readonly AgentProgram[] | null>(null);
  installable = $state.raw<readonly AgentInstallable[]>([]);
  /** The names of the MCP servers that an agent can be given. */
  servers = $state.raw<readonly string[]>([]);
  failure = $state("");

  constructor(private readonly client: Client) {}

  async load(): Promise<void> {
    try {
      const { agents, installable, servers } = await this.client.get<AgentPrograms>("/api/agents");
      this.list = agents;
      this.installable = installable;
      this.servers = servers;
      this.failure = "";
    } catch (error) {
      this.failure = sentenceOf(error);
    }
  }

  /** The exact command that would be started, word by word. Nothing is kept. */
  async preview(draft: AgentAdd): Promise<readonly string[]> {
    return (await this.client.post<AgentAdded>("/api/agents/add", { ...draft, confirm: false })).argv;
  }

  /** Keep it; `argv` is what the person was shown. */
  async add(draft: AgentAdd, argv: readonly string[]): Promise<void> {
    await this.client.post("/api/agents/add", { ...draft, confirm: true, argv });
    await this.load();
  }

  /** Begin; `load` tells how far it is. */
  async install(one: AgentInstallable): Promise<void> {
    await this.client.post("/api/agents/install", { name: one.name });
    await this.load();
  }

  get isInstalling(): boolean {
    return this.installable.some((one) => one.phase === "installing");
  }

  /** Give it these MCP servers, and no others. */
  async handOn(program: AgentProgram, servers: readonly string[]): Promise<void> {
    await this.client.post("/api/agents/mcp", { name: program.name, servers });
    await this.load();
  }

  async remove(program: AgentProgram): Promise<void> {
    await this.client.post("/api/agents/remove", { name: program.name });
    await this.load();
  }

  check(program: AgentProgram): Promise<AgentChecked> {
    return this.client.post<AgentChecked>("/api/agents/check", { name: program.name });
  }
}
