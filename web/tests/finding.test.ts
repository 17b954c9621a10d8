import { expect, test } from "vitest";
import { shortcutOf } from "../src/app/shortcuts";
import { matchesIn, patternOf } from "../src/features/chat/marks";
import { fitting, wantedOf, withoutEmpty, type Choice } from "../src/features/commands/choices";
import { pathOfSession, soughtIn } from "../src/state/addresses";
import { begunBy, called, Commands, lineOf, matching, type Offer } from "../src/state/commands.svelte";
import { Finding } from "../src/state/finding.svelte";
import { hasOperator, operator, toggled, wordsOf } from "../src/state/queries";
import { Client } from "../src/wire/client";

function command(name: string, fields: Partial<Offer> = {}): Offer {
  return { name, help: "", argument: "", needs_session: false, line: `/${name}`, agent: "", ...fields };
}

test("what is marked are the words, without what narrows them", () => {
  expect(wordsOf('tag:home "red bicycle" brake -lock is:pinned project:"My garden"')).toBe("red bicycle brake");
});

test("a filter is written behind the words, and taken out again", () => {
  const narrowed = toggled("red", operator("project", "My garden"));

  expect(narrowed).toBe('red project:"My garden" ');
  expect(hasOperator(narrowed, 'project:"My garden"')).toBe(true);
  expect(toggled(narrowed, 'project:"My garden"')).toBe("red ");
});

test("the address of a message is read as it was written", () => {
  const sought = { messageId: "m-1", words: "a & b # c" };
  const path = pathOfSession("s1", sought);

  expect(soughtIn(path.slice(path.indexOf("#")))).toEqual(sought);
  expect(soughtIn("")).toBeNull();
  expect(soughtIn("#connect")).toBeNull();
});

test.each([
  ["red bike", "A RED bike, biker, unbiked", ["RED", "bike", "bike"]],
  ["c++ (x)", "C++ and (x)", ["C++", "(x)"]],
  ["数据", "我的数据库", ["数据"]],
  ["bike biker", "biker", ["biker"]],
])("%j marks %j", (words, text, expected) => {
  const found = matchesIn(text, patternOf(words)!);

  expect(found.map(([start, end]) => text.slice(start, end))).toEqual(expected);
});

test("nothing to look for marks nothing", () => expect(patternOf(' " ')).toBeNull());

test("two slashes begin a message that begins with one", () => {
  expect(lineOf("//etc", [])).toEqual({ kind: "message", text: "/etc" });
  expect(lineOf("/help", [])).toEqual({ kind: "command", text: "/help" });
  expect(lineOf("a /help", [])).toEqual({ kind: "message", text: "a /help" });
});

test("a beginning offers the commands that it may become here", () => {
  const all = [command("new"), command("rename", { needs_session: true, argument: "<title>" }), command("retry", { needs_session: true })];

  expect(begunBy("/RE")).toBe("re");
  expect(begunBy("/re now")).toBeNull();
  expect(matching(all, "re", true).map(({ name }) => name)).toEqual(["rename", "retry"]);
  expect(matching(all, "", false).map(({ name }) => name)).toEqual(["new"]);
  expect(called(all, "/rename x")?.argument).toBe("<title>");
  expect(called(all, "/retry now")).toBeUndefined();
});

test("an agent's own commands are messages, and stand behind two slashes where we have one of that name", async () => {
  const theirs = [command("init"), command("mcp:Look_up", { argument: "words" }), command("help")].map(({ name, help, argument }) => ({ name, help, argument }));
  const answers: Record<string, unknown> = { "/api/commands": { commands: [command("help"), command("rename")] }, "/api/agents/commands": { commands: theirs } };
  const get = (path: string) => Promise.resolve(answers[path]);
  const commands = new Commands({ get } as unknown as Client);
  await commands.load();
  await commands.learn("acp/fake", "s1");

  const offers = commands.offersOf("acp/fake", "Fake");

  expect(offers.filter(({ agent }) => agent === "Fake").map(({ line }) => line)).toEqual(["/init", "/mcp:Look_up", "//help"]);
  expect(commands.offersOf("other/model", "Other").some(({ agent }) => agent !== "")).toBe(false);
  expect(lineOf("/init all", offers)).toEqual({ kind: "message", text: "/init all" });
  expect(lineOf("/initial", offers).kind).toBe("command");
  expect(lineOf("/help", offers).kind).toBe("command");
  expect(matching(offers, begunBy("/he") ?? "", true).map(({ line }) => line)).toEqual(["/help", "//help"]);
  expect(matching(offers, begunBy("//he") ?? "", true).map(({ line }) => line)).toEqual(["//help"]);
  expect(matching(offers, begunBy("/mcp:l") ?? "", true).map(({ line }) => line)).toEqual(["/mcp:Look_up"]);
  expect(called(offers, "/mcp:Look_up x")?.argument).toBe("words");
});

test("the palette finds by all words, what begins so first, and nothing twice", () => {
  const choice = (label: string): Choice => ({ id: label, label, hint: "", icon: "gear", run: () => {} });
  const choices = [choice("The new garden"), choice("/new [message]")];

  expect(fitting(choices, "new", 5).map(({ label }) => label)).toEqual(["/new [message]", "The new garden"]);
  expect(fitting(choices, "garden new", 5)).toEqual([choices[0]].map((one) => expect.objectContaining({ id: one!.id })));
  expect(wantedOf("> new")).toEqual({ words: "new", onlyCommands: true });
  const sections = withoutEmpty([{ label: "A", options: choices }, { label: "B", options: [choices[0]!] }]);
  expect(sections.map(({ label }) => label)).toEqual(["A"]);
});

test("plain keys are text where one writes, and shortcuts elsewhere", () => {
  const key = (name: string, held: object = {}) => ({ key: name, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, isComposing: false, ...held });

  expect(shortcutOf(key("/"), false)).toBe("find");
  expect(shortcutOf(key("/"), true)).toBeNull();
  expect(shortcutOf(key("?", { shiftKey: true }), false)).toBe("help");
  expect(shortcutOf(key("k", { metaKey: true }), true)).toBe("palette");
  expect(shortcutOf(key("F", { ctrlKey: true, shiftKey: true }), true)).toBe("find");
  expect(shortcutOf(key("f", { ctrlKey: true }), false)).toBeNull();
  expect(shortcutOf(key("g", { ctrlKey: true }), true)).toBe("within");
});

test("only the newest question is answered, however late the others come", async () => {
  const answers = new Map<string, (value: object) => void>();
  const client = new Client();
  client.get = ((_path: string, query: { q: string }) => new Promise((answer) => answers.set(query.q, answer))) as Client["get"];
  const finding = new Finding(client);
  const page = (q: string) => ({ results: [{ message_id: q }], next_cursor: null, took_ms: 0 });

  const first = finding.ask("a");
  const second = finding.ask("ab");
  answers.get("ab")!(page("ab"));
  await second;
  answers.get("a")!(page("a"));
  await first;

  expect(finding.results.map((one) => one.message_id)).toEqual(["ab"]);
  expect(finding.status).toBe("ready");
});
