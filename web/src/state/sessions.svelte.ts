/** The list of sessions, as far as it was looked at, kept live. */

import { sentenceOf, type Client } from "../wire/client";
import type { Row, RowAnswer, SessionList } from "../wire/types";

const PAGE = 60;
const LONGEST_PAGE = 200;
/** While the server still reads older sessions, the list is asked for again so often. */
const INDEXING_MS = 1_500;

export type Shelf = "sessions" | "archive";

interface News {
  readonly changed: readonly Row[];
  readonly removed: readonly string[];
}

export class Sessions {
  rows = $state.raw<readonly Row[]>([]);
  status = $state<"loading" | "ready" | "failed">("loading");
  failure = $state("");
  isIndexing = $state(false);
  hasMore = $state(false);
  /** The project whose sessions are shown, or null for those of all. */
  projectId = $state<string | null>(null);
  #cursor: string | null = null;
  #isLoadingMore = false;
  #newestLoad = 0;
  /** For each page that is on its way, what was told since it was asked for. */
  readonly #told = new Set<News[]>();

  constructor(
    private readonly client: Client,
    readonly shelf: Shelf,
  ) {}

  find(sessionId: string): Row | undefined {
    return this.rows.find((row) => row.session_id === sessionId);
  }

  /** Show the sessions of one project, or with null of all. */
  async show(projectId: string | null): Promise<void> {
    if (projectId === this.projectId) return;
    this.projectId = projectId;
    this.rows = [];
    this.hasMore = false;
    this.status = "loading";
    await this.load();
  }

  /** Load the list from its top. Answers the version to follow changes from, or null when it failed. */
  async load(): Promise<string | null> {
    const load = ++this.#newestLoad;
    try {
      const { version } = await this.#ask(null, (list) => {
        if (load !== this.#newestLoad) return false;
        this.rows = ordered(list.sessions);
        this.#turned(list);
        this.status = "ready";
        this.isIndexing = list.indexing;
        return true;
      });
      if (load === this.#newestLoad && this.isIndexing) setTimeout(() => load === this.#newestLoad && void this.load(), INDEXING_MS);
      return version;
    } catch (error) {
      if (load !== this.#newestLoad) return null;
      this.failure = sentenceOf(error);
      if (this.rows.length === 0) this.status = "failed";
      return null;
    }
  }

  async loadMore(): Promise<void> {
    if (!this.hasMore || this.#isLoadingMore) return;
    this.#isLoadingMore = true;
    try {
      let isHere = false;
      while (this.hasMore && !isHere) isHere = await this.#askForMore();
    } catch (error) {
      this.failure = sentenceOf(error); // scrolling on tries again
    } finally {
      this.#isLoadingMore = false;
    }
  }

  /** Answers whether there is more now: not, where the list was loaded anew meanwhile and ends elsewhere. */
  async #askForMore(): Promise<boolean> {
    const load = this.#newestLoad;
    let isHere = false;
    await this.#ask(this.#cursor, (list) => {
      isHere = load === this.#newestLoad;
      if (!isHere) return false;
      const known = new Set(this.rows.map((row) => row.session_id));
      this.rows = ordered([...this.rows, ...list.sessions.filter((row) => !known.has(row.session_id))]);
      this.#turned(list);
      return true;
    });
    return isHere;
  }

  /** What the server tells of sessions, here or elsewhere. */
  apply(changed: readonly Row[], removed: readonly string[]): void {
    for (const told of this.#told) told.push({ changed, removed });
    const gone = new Set(removed);
    const news = new Map(changed.map((row) => [row.session_id, row]));
    const kept = this.rows.filter((row) => !gone.has(row.session_id) && !news.has(row.session_id));
    const mine = [...news.values()].filter((row) => this.#belongs(row) && !gone.has(row.session_id));
    this.rows = ordered([...kept, ...mine]);
  }

  async rename(row: Row, title: string): Promise<void> {
    await this.#change(row, { ...row, title }, "/api/session/rename", { title });
  }

  async pin(row: Row, pinned: boolean): Promise<void> {
    await this.#change(row, { ...row, pinned }, "/api/session/pin", { pinned });
  }

  async archive(row: Row, archived: boolean): Promise<void> {
    await this.#change(row, { ...row, archived }, "/api/session/archive", { archived });
  }

  async remove(row: Row): Promise<void> {
    this.apply([], [row.session_id]);
    try {
      await this.client.post("/api/session/delete", { session_id: row.session_id });
    } catch (error) {
      this.apply([row], []);
      throw error;
    }
  }

  async restore(row: Row): Promise<void> {
    const answer = await this.client.post<RowAnswer>("/api/session/restore", { session_id: row.session_id });
    this.apply([answer.session], []);
  }

  /** Show the change at once, and take it back when the server refuses it. */
  async #change(before: Row, after: Row, path: string, fields: object): Promise<void> {
    this.apply([after], []);
    try {
      const answer = await this.client.post<RowAnswer>(path, { session_id: before.session_id, ...fields });
      this.apply([answer.session], []);
    } catch (error) {
      this.apply([before], []);
      throw error;
    }
  }

  /** Ask for a page. What is told while it is on its way may be newer, and is applied again over what `show` makes of it. */
  async #ask(cursor: string | null, show: (list: SessionList) => boolean): Promise<SessionList> {
    const archived = this.shelf === "archive" ? 1 : 0;
    // As far as it was looked at: nobody who scrolled down is thrown back, and who scrolls far gets the more at once.
    const limit = Math.max(PAGE, Math.min(this.rows.length, LONGEST_PAGE));
    const told: News[] = [];
    this.#told.add(told);
    try {
      const list = await this.client.get<SessionList>("/api/sessions", { limit, cursor, archived, project_id: this.projectId });
      this.#told.delete(told);
      if (show(list)) for (const { changed, removed } of told) this.apply(changed, removed);
      return list;
    } finally {
      this.#told.delete(told);
    }
  }

  #turned(list: SessionList): void {
    this.#cursor = list.next_cursor;
    this.hasMore = list.next_cursor !== null;
  }

  /** Is it on this shelf, and among what was loaded? What lies further down comes by scrolling. */
  #belongs(row: Row): boolean {
    if (row.archived !== (this.shelf === "archive")) return false;
    if (this.projectId && row.project_id !== this.projectId) return false;
    const last = this.rows.at(-1);
    return !this.hasMore || this.find(row.session_id) !== undefined || !last || byNewest(row, last) < 0;
  }
}

function ordered(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted(byNewest);
}

function byNewest(a: Row, b: Row): number {
  return (
    Number(b.pinned) - Number(a.pinned) || timeOf(b) - timeOf(a) || (a.session_id < b.session_id ? -1 : 1)
  );
}

export function timeOf(row: Row): number {
  return row.last_message_at ?? row.updated_at;
}
