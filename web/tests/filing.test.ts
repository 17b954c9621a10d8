/** Doing the same to many sessions, and taking it back. */

import { beforeEach, expect, test } from "vitest";
import { Filing } from "../src/features/filing/filing.svelte";
import { tagsIn, withTags, written } from "../src/features/filing/tags";
import { Projects } from "../src/state/projects.svelte";
import { Sessions } from "../src/state/sessions.svelte";
import { Toasts } from "../src/ui/toasts.svelte";
import { ServerError, type Client } from "../src/wire/client";
import type { Row } from "../src/wire/types";

const row = (session_id: string, more: Partial<Row> = {}): Row =>
  ({ session_id, title: session_id, archived: false, pinned: false, tags: [], project_id: null, updated_at: 0, ...more }) as Row;

let posts: string[];
let refused: string[];
let sessions: Sessions;
let toasts: Toasts;
let filing: Filing;
let shown: (string | null)[];

beforeEach(() => {
  posts = [];
  refused = [];
  shown = [];
  const client = {
    post: async (path: string, body: Record<string, unknown>) => {
      const id = body["session_id"] as string;
      if (refused.includes(id)) throw new ServerError(`${id} is being answered.`, "run_active", 409);
      posts.push(`${path.split("/").at(-1)} ${id} ${JSON.stringify(body["tags"] ?? body["archived"] ?? body["project_id"] ?? "")}`);
      return { session: row(id, { archived: body["archived"] === true }) };
    },
  } as unknown as Client;
  sessions = new Sessions(client, "sessions");
  sessions.apply([row("a"), row("b"), row("c")], []);
  toasts = new Toasts();
  filing = new Filing(client, toasts, new Projects(client), [sessions], (id) => void shown.push(id));
});

const listed = (): string[] => sessions.rows.map((one) => one.session_id);
const undo = async (): Promise<void> => {
  toasts.list.at(-1)?.action?.run();
  await new Promise((resolve) => setImmediate(resolve));
};

test("many are archived with one word about it, and one undo brings them all back", async () => {
  await filing.archive([row("a"), row("b")], true, "b");

  expect(listed()).toEqual(["c"]);
  expect(shown).toEqual([null]);
  expect(toasts.list.map((toast) => toast.text)).toEqual(["Archived 2 sessions."]);
  await undo();
  expect(listed()).toEqual(["a", "b", "c"]);
});

test("what was refused is said, and only what was done is undone", async () => {
  refused = ["a"];
  await filing.remove([row("a"), row("b")], null);

  expect(listed()).toEqual(["a", "c"]);
  expect(toasts.list[0]?.text).toBe("Done for 1 of 2. a is being answered.");
  posts = [];
  await undo();
  expect(posts).toEqual(['restore b ""']);
});

test("many get a tag besides those they have, and one gets exactly what was written", async () => {
  await filing.tag([row("a", { tags: ["old"] }), row("b")], "#new");
  await filing.tag([row("c", { tags: ["old"] })], "new");

  expect(posts).toEqual(['tag a ["old","new"]', 'tag b ["new"]', 'tag c ["new"]']);
  await undo();
  expect(posts.at(-1)).toBe('tag c ["old"]');
});

test("tags are read as people write them", () => {
  expect(tagsIn("#garden, plans  ##plans #")).toEqual(["garden", "plans"]);
  expect(withTags(["a", "b"], ["b", "c"])).toEqual(["a", "b", "c"]);
  expect(written(["a", "b"])).toBe("#a #b");
});
