/** Filing sessions, one or many at once: where they belong, what marks them, and files of them. */

import { filing as words, ui } from "../../strings";
import type { Projects } from "../../state/projects.svelte";
import type { Sessions } from "../../state/sessions.svelte";
import type { Toasts } from "../../ui/toasts.svelte";
import { sentenceOf, type Client } from "../../wire/client";
import type { Imported, Row, RowAnswer } from "../../wire/types";
import { tagsIn, withTags } from "./tags";

/** What is asked in a dialog: where to put these sessions, how to mark them, or which projects there are. */
export type Question = { kind: "move" | "tags"; rows: readonly Row[] } | { kind: "projects" };

export class Filing {
  question = $state.raw<Question | null>(null);

  constructor(
    private readonly client: Client,
    private readonly toasts: Toasts,
    readonly projects: Projects,
    private readonly shelves: readonly Sessions[],
    /** Show a session; or none, when those that are open were put away. */
    private readonly go: (sessionId: string | null) => void,
  ) {}

  /** Go on in another session that begins like this one: a copy, or a branch of it. */
  async copy(row: Row, how: "duplicate" | "branch"): Promise<void> {
    await this.#attempt(async () => {
      const { session } = await this.#post(how, row);
      this.#apply(session);
      this.go(session.session_id);
    });
  }

  async clear(row: Row): Promise<void> {
    await this.#attempt(async () => {
      this.#apply((await this.#post("clear", row)).session);
      const putBack = async (): Promise<void> => this.#apply((await this.#post("put_back", row)).session);
      this.#offerUndo(words.cleared(row.title), putBack);
    });
  }

  async import(file: Blob): Promise<void> {
    await this.#attempt(async () => {
      const { imported, skipped } = await this.client.upload<Imported>("/api/session/import", file);
      for (const row of imported) this.#apply(row);
      const [first] = imported;
      const show = first && { label: words.show, run: () => this.go(first.session_id) };
      this.toasts.say(words.imported(imported.length, skipped), show);
    });
  }

  async move(rows: readonly Row[], projectId: string | null): Promise<void> {
    const name = this.projects.find(projectId)?.name ?? null;
    await this.#each(rows, words.moved(rows.length, name), {
      act: (row) => this.#post("move", row, { project_id: projectId }),
      undo: (row) => this.#post("move", row, { project_id: row.project_id }),
    });
  }

  /** Mark one session with exactly what was written, many with what was written besides what they have. */
  async tag(rows: readonly Row[], written: string): Promise<void> {
    const tags = tagsIn(written);
    await this.#each(rows, words.tagged(rows.length), {
      act: (row) => this.#post("tag", row, { tags: rows.length > 1 ? withTags(row.tags, tags) : tags }),
      undo: (row) => this.#post("tag", row, { tags: row.tags }),
    });
  }

  async archive(rows: readonly Row[], archived: boolean, openId: string | null): Promise<void> {
    if (archived) this.#leave(rows, openId);
    const said = archived ? words.archived(rows.length) : words.unarchived(rows.length);
    await this.#each(rows, said, {
      act: (row) => this.#post("archive", row, { archived }),
      undo: (row) => this.#post("archive", row, { archived: !archived }),
    });
  }

  async remove(rows: readonly Row[], openId: string | null): Promise<void> {
    this.#leave(rows, openId);
    await this.#each(rows, words.deleted(rows.length), {
      act: async (row) => {
        await this.client.post("/api/session/delete", { session_id: row.session_id });
        for (const shelf of this.shelves) shelf.apply([], [row.session_id]);
        return null;
      },
      undo: (row) => this.#post("restore", row),
    });
  }

  /** Do the same to each, say it once, and undo it for all that it was done to. */
  async #each(
    rows: readonly Row[],
    said: string,
    { act, undo }: { act: (row: Row) => Promise<RowAnswer | null>; undo: (row: Row) => Promise<RowAnswer> },
  ): Promise<void> {
    const done: Row[] = [];
    const failure = await this.#firstFailure(rows, async (row) => {
      const answer = await act(row);
      done.push(row);
      if (answer) this.#apply(answer.session);
    });
    if (failure && done.length === 0) return this.toasts.say(failure);
    const text = failure ? words.partly(done.length, rows.length, failure) : said;
    this.#offerUndo(text, async () => {
      const notUndone = await this.#firstFailure(done, async (row) => this.#apply((await undo(row)).session));
      if (notUndone) this.toasts.say(notUndone);
    });
  }

  async #firstFailure(rows: readonly Row[], act: (row: Row) => Promise<void>): Promise<string | null> {
    let failure: string | null = null;
    for (const row of rows) {
      try {
        await act(row);
      } catch (error) {
        failure ??= sentenceOf(error);
      }
    }
    return failure;
  }

  #leave(rows: readonly Row[], openId: string | null): void {
    if (rows.some((row) => row.session_id === openId)) this.go(null);
  }

  #offerUndo(text: string, undo: () => Promise<void>): void {
    this.toasts.say(text, { label: ui.undo, run: () => void this.#attempt(undo) });
  }

  #apply(row: Row): void {
    for (const shelf of this.shelves) shelf.apply([row], []);
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.toasts.say(sentenceOf(error));
    }
  }

  #post(action: string, row: Row, fields: object = {}): Promise<RowAnswer> {
    return this.client.post<RowAnswer>(`/api/session/${action}`, { session_id: row.session_id, ...fields });
  }
}
