/** What waits, as one window knows it, whatever order the server's answers come in. */

import { expect, test } from "vitest";
import { Queue } from "../src/features/chat/queue.svelte";
import { ServerError, type Client } from "../src/wire/client";
import type { Queue as QueueNote, Waiting } from "../src/wire/types";

const item = (id: string, text = id): Waiting => ({ message_id: id, text, model: null, agent: null, created_at: 0, revision: 1, steers: false });
const numbered = (revision: number, ...ids: string[]): QueueNote => ({ session_id: "s1", revision, is_held: false, can_put_back: false, items: ids.map((id) => item(id)) });
const note = (...ids: string[]): QueueNote => numbered(1, ...ids);
const ids = (queue: Queue): string[] => queue.items.map((one) => one.message_id);

/** A queue whose requests the test answers, in any order. */
function asked(): { queue: Queue; answers: ((answer: object | ServerError) => void)[]; failures: string[] } {
  const answers: ((answer: object | ServerError) => void)[] = [];
  const failures: string[] = [];
  const ask = (): Promise<object> =>
    new Promise((resolve, reject) => answers.push((answer) => (answer instanceof ServerError ? reject(answer) : resolve(answer))));
  const client = { get: ask, post: ask } as unknown as Client;
  return { queue: new Queue(client, () => "s1", (sentence) => failures.push(sentence)), answers, failures };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("an older answer does not take the place of a newer one", async () => {
  const { queue, answers } = asked();
  void queue.look();
  void queue.look();

  answers[1]!({ queue: note("b") });
  await settled();
  answers[0]!({ queue: note("a", "b") });
  await settled();

  expect(ids(queue)).toEqual(["b"]);
});

test("a later question that fails does not make an earlier answer void", async () => {
  const { queue, answers } = asked();
  void queue.look();
  void queue.look();

  answers[1]!(new ServerError("Away.", "unreachable", 0));
  answers[0]!({ queue: note("a") });
  await settled();

  expect(ids(queue)).toEqual(["a"]);
});

test("a move is seen at once, and taken back when what was moved waits no more", async () => {
  const { queue, answers, failures } = asked();
  queue.take(note("a", "b", "c"), queue.ask());

  void queue.move("c", "a");
  expect(ids(queue)).toEqual(["c", "a", "b"]);
  await settled();
  answers[0]!(new ServerError("It waits no more.", "not_waiting", 404));
  await settled();
  answers[1]!({ queue: note("a", "b") });
  await settled();

  expect(ids(queue)).toEqual(["a", "b"]);
  expect(failures).toHaveLength(1);
});

test("a move stands, whatever was asked around it and is answered meanwhile or afterwards", async () => {
  const { queue, answers } = asked();
  queue.take(note("a", "b", "c"), queue.ask());
  void queue.look();
  void queue.move("c", "b");
  await settled();
  void queue.look();
  void queue.look();
  const [before, move, during, late] = answers;

  for (const answer of [before, during]) {
    answer!({ queue: numbered(1, "a", "b", "c") });
    await settled();
    expect(ids(queue)).toEqual(["a", "c", "b"]);
  }
  move!({ queue: numbered(2, "a", "c", "b") });
  await settled();
  late!({ queue: numbered(1, "a", "b", "c") });
  await settled();

  expect(ids(queue)).toEqual(["a", "c", "b"]);
});

test("a server that began anew is believed, though its numbers are lower", async () => {
  const { queue, answers } = asked();
  queue.take(numbered(9, "a"), queue.ask());

  void queue.look();
  answers[0]!({ queue: numbered(1, "b") });
  await settled();

  expect(ids(queue)).toEqual(["b"]);
});

test("what is changed quickly is asked for in that order, also after a refusal", async () => {
  const { queue, answers } = asked();
  queue.take(note("a", "b", "c"), queue.ask());
  void queue.move("c", "b");
  void queue.move("c", "a");
  void queue.add("d", "d", [], undefined);
  expect(ids(queue)).toEqual(["c", "a", "b"]);

  await settled();
  expect(answers).toHaveLength(1);
  answers[0]!({ queue: numbered(2, "a", "c", "b") });
  await settled();
  expect(ids(queue)).toEqual(["c", "a", "b"]);
  expect(answers).toHaveLength(2);
  answers[1]!(new ServerError("The disk is full.", "storage", 507));
  await settled();
  answers[2]!({ queue: numbered(2, "a", "c", "b") });
  answers[3]!({ queue: numbered(3, "a", "c", "b", "d") });
  await settled();

  expect(ids(queue)).toEqual(["a", "c", "b", "d"]);
});

test("a text that another window changed is not overwritten but told", async () => {
  const { queue, answers } = asked();

  const changed = queue.edit(item("a", "old"), "mine", []);
  await settled();
  answers[0]!(new ServerError("Changed.", "stale_revision", 409, { text: "theirs", revision: 2 }));
  await settled();
  answers[1]!({ queue: note("a") });

  expect(await changed).toEqual({ kind: "stale", theirs: "theirs" });
});
