/** What is not among the sessions: deleted ones that can come back, and files that cannot be shown. */

import { sentenceOf, type Client } from "../wire/client";
import type { Row, RowAnswer, TrashAnswer, TrashItem, UnreadableFile, UnreadableFiles } from "../wire/types";

export class Keeping {
  trash = $state.raw<TrashAnswer | null>(null);
  /** Why the trash could not be loaded, where it could not. */
  failure = $state("");
  unreadable = $state.raw<readonly UnreadableFile[]>([]);
  #newestLoad = 0;

  constructor(private readonly client: Client) {}

  async loadTrash(): Promise<void> {
    const load = ++this.#newestLoad;
    try {
      const trash = await this.client.get<TrashAnswer>("/api/trash");
      if (load !== this.#newestLoad) return;
      this.trash = trash;
      this.failure = "";
    } catch (error) {
      if (load === this.#newestLoad) this.failure = sentenceOf(error);
    }
  }

  async loadUnreadable(): Promise<void> {
    try {
      this.unreadable = (await this.client.get<UnreadableFiles>("/api/unreadable")).files;
    } catch (error) {
      sentenceOf(error); // those known stay; opening the settings again asks again
    }
  }

  /** Make a session of what can still be read of a file, which stays as it is. */
  async rescue(file: UnreadableFile): Promise<Row> {
    return (await this.client.post<RowAnswer>("/api/unreadable/rescue", { name: file.name })).session;
  }

  async restore(item: TrashItem): Promise<void> {
    await this.client.post("/api/session/restore", { session_id: item.session_id });
    this.#forget(item);
  }

  async remove(item: TrashItem): Promise<void> {
    await this.client.post("/api/trash/remove", { session_id: item.session_id });
    this.#forget(item);
  }

  #forget(item: TrashItem): void {
    this.#newestLoad += 1; // an answer that is under way would bring it back
    if (!this.trash) return;
    const items = this.trash.items.filter((one) => one.session_id !== item.session_id);
    this.trash = { ...this.trash, items, total: this.trash.total - 1 };
  }
}
