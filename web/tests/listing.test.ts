/** The list of sessions, whatever order pages and news come in. */

import { expect, test } from "vitest";
import { Sessions } from "../src/state/sessions.svelte";
import type { Client } from "../src/wire/client";
import type { Row, SessionList } from "../src/wire/types";
import { settled } from "./world";

const row = (id: string, at: number, fields: Partial<Row> = {}): Row =>
  ({ session_id: id, title: id, last_message_at: at, updated_at: 0, pinned: false, archived: false, project_id: null, ...fields }) as Row;
const page = (rows: Row[], next: string | null = null): Partial<SessionList> =>
  ({ sessions: rows, next_cursor: next, version: "1", indexing: false });
const titles = (list: Sessions): string[] => list.rows.map((one) => one.title);

/** A list whose questions the test answers, in any order. */
function asked(): { list: Sessions; answers: ((answer: object) => void)[] } {
  const answers: ((answer: object) => void)[] = [];
  const get = (): Promise<object> => new Promise((resolve) => answers.push(resolve));
  return { list: new Sessions({ get } as unknown as Client, "sessions"), answers };
}

test("what is told while a page is on its way is not undone by that page", async () => {
  const { list, answers } = asked();
  void list.load();
  list.apply([row("new", 9), row("b", 2, { title: "renamed" })], ["a"]);
  list.apply([row("c", 3, { archived: true })], []);

  answers[0]!(page([row("c", 3), row("b", 2), row("a", 1)]));
  await settled();

  expect(titles(list)).toEqual(["new", "renamed"]);
});

test("more is loaded also when the list was loaded anew meanwhile", async () => {
  const { list, answers } = asked();
  void list.load();
  answers[0]!(page([row("a", 9)], "after a"));
  await settled();

  void list.loadMore();
  void list.load();
  answers[2]!(page([row("b", 10), row("a", 9)], "after a, of the new list"));
  await settled();
  answers[1]!(page([row("z", 1)]));
  await settled();
  answers[3]!(page([row("z", 1)]));
  await settled();

  expect(titles(list)).toEqual(["b", "a", "z"]);
});
