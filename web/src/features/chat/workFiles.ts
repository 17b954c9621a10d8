/** What the answers of a conversation changed in its folder, and the way back. */

import type { Block } from "../../run/transcript";
import type { Client } from "../../wire/client";
import type { ChangedFile, ChangesAnswer, FilesRestored } from "../../wire/types";

export class WorkFiles {
  constructor(
    private readonly client: Client,
    private readonly conversation: { readonly sessionId: string | null },
  ) {}

  /** What can still be undone of an answer, by its run. */
  async changedBy(runId: string): Promise<readonly ChangedFile[]> {
    const { changes } = await this.client.get<ChangesAnswer>("/api/session/changes", { session_id: this.#sessionId });
    return changes.find((one) => one.stream_id === runId)?.files ?? [];
  }

  /** Bring the files back to what they were before an answer. `force`: also those that someone else changed since. */
  async putBack(runId: string, force = false): Promise<FilesRestored> {
    const body = { session_id: this.#sessionId, stream_id: runId, force };
    return this.client.post<FilesRestored>("/api/session/changes/restore", body);
  }

  get #sessionId(): string {
    return this.conversation.sessionId ?? "";
  }
}

/** Tools of the built-in agent whose changes are shown as those of files are, and are none. */
const KEEPS_ELSEWHERE = "remember";

const FILE = /^(?:\+\+\+ b|--- a)\/(.+?)\r?$/gm;

/** The files that an answer changed, as far as its calls told, each once. */
export function changedFiles(blocks: readonly Block[]): readonly string[] {
  const diffs = blocks.flatMap((block) => (block.kind === "tool" && block.approval !== "deny" && block.name !== KEEPS_ELSEWHERE ? [block.diff] : []));
  return [...new Set(diffs.flatMap((diff) => [...diff.matchAll(FILE)].map((match) => match[1]!)))];
}
