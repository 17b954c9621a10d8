/** Files of the session's folder that what stands after an @ may mean. */

import { sentenceOf, type Client } from "../../wire/client";
import type { FileList } from "../../wire/types";

/** Where in a text a mention begins, before the @, and what of it is typed. */
export interface Mention {
  readonly from: number;
  readonly begun: string;
}

/** The mention that is being typed at the caret. */
export function mentionAt(text: string, caret: number): Mention | null {
  const begun = /(?:^|[\s(])@([^\s@]*)$/.exec(text.slice(0, caret))?.[1];
  return begun === undefined ? null : { from: caret - begun.length - 1, begun };
}

export class Mentioning {
  paths = $state.raw<readonly string[]>([]);
  #asking: AbortController | null = null;

  constructor(
    private readonly client: Client,
    private readonly session: () => Promise<string>,
  ) {}

  /** Look for what is begun, or with null for nothing any more. What was found before stays until then. */
  async look(begun: string | null): Promise<void> {
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    if (begun === null) {
      this.paths = [];
      return;
    }
    try {
      const query = { session_id: await this.session(), q: begun, limit: 20 };
      if (asking.signal.aborted) return;
      const { files } = await this.client.get<FileList>("/api/workspace/files", query, asking.signal);
      this.paths = files;
    } catch (error) {
      if (asking.signal.aborted) return;
      sentenceOf(error); // nothing to complete with: what is typed stays text
      this.paths = [];
    }
  }
}
