/** The MCP servers, whose tools the built-in agent may use. */

import { sentenceOf, type Client } from "../wire/client";
import type { McpAdd, McpAdded, McpAnswer, McpChecked, McpServer, McpServers } from "../wire/types";

export class ToolServers {
  /** Null until someone comes to see them. */
  list = $state.raw<readonly McpServer[] | null>(null);
  failure = $state("");
  /** So many tools of all servers together may be on. */
  mostOn = $state(0);

  constructor(private readonly client: Client) {}

  async load(): Promise<void> {
    try {
      const found = await this.client.get<McpServers>("/api/mcp");
      this.list = found.servers;
      this.mostOn = found.most_on;
      this.failure = "";
    } catch (error) {
      this.failure = sentenceOf(error);
    }
  }

  /** What would be started, word by word, or reached. Nothing is started or kept. */
  preview(draft: McpAdd): Promise<McpAdded> {
    return this.client.post<McpAdded>("/api/mcp/add", { ...draft, confirm: false });
  }

  /** Start it and keep it; `argv` is what the person was shown, `token` says once more who asks. */
  async add(draft: McpAdd, argv: readonly string[], token: string): Promise<McpServer | null> {
    const { server } = await this.client.post<McpAdded>("/api/mcp/add", { ...draft, confirm: true, argv, token });
    await this.load();
    return server;
  }

  async remove(server: McpServer): Promise<void> {
    await this.client.post("/api/mcp/remove", { name: server.name });
    await this.load();
  }

  async check(server: McpServer): Promise<McpChecked> {
    const checked = await this.client.post<McpChecked>("/api/mcp/check", { name: server.name });
    this.#put(checked.server);
    return checked;
  }

  /** Turn one tool on or off, or all of them. */
  async turn(server: McpServer, on: boolean, tool?: string): Promise<void> {
    await this.#switch(server, tool === undefined ? { on } : { on, tools: [tool] });
  }

  /** Whether to believe it where it says that a tool only reads. */
  async believe(server: McpServer, believed: boolean): Promise<void> {
    await this.#switch(server, { only_reads: believed });
  }

  async #switch(server: McpServer, what: object): Promise<void> {
    try {
      this.#put((await this.client.post<McpAnswer>("/api/mcp/switch", { name: server.name, ...what })).server);
    } catch (error) {
      await this.load(); // what stands on the screen is what holds
      throw error;
    }
  }

  #put(server: McpServer): void {
    this.list = (this.list ?? []).map((one) => (one.name === server.name ? server : one));
  }
}
