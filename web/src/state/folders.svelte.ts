/** The folders that agents work in. */

import { sentenceOf, type Client } from "../wire/client";
import type { FolderList, Row } from "../wire/types";

const MOST_RECENT = 5;

export class Folders {
  /** Where everything of a person lies: no folder to work in. */
  #home = $state<string | null>(null);
  /** What new conversations work in, or null. */
  #default = $state<string | null>(null);

  constructor(private readonly client: Client) {}

  async load(): Promise<void> {
    try {
      const { home, default: first } = await this.look("~");
      this.#home = home;
      this.#default = first;
    } catch (error) {
      sentenceOf(error); // what it would say here, the choice of a folder says when someone comes to it
    }
  }

  look(path: string): Promise<FolderList> {
    return this.client.get<FolderList>("/api/workspace/folders", { path });
  }

  /** The folder that is worked in, or null. A conversation that has not begun and says nothing takes the server's own. */
  real(folder: string | null | undefined): string | null {
    const named = folder === undefined ? this.#default : folder;
    return named === this.#home ? null : named || null;
  }

  /** Those that were worked in last. */
  recent(rows: readonly Row[]): string[] {
    const all = rows.map((row) => this.real(row.workspace)).filter((folder) => folder !== null);
    return [...new Set(all)].slice(0, MOST_RECENT);
  }
}

export function nameOf(folder: string): string {
  return folder.replace(/\/+$/, "").split("/").at(-1) || folder;
}
