/** Every language says everything, about the same things. */

import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { LANGUAGES, languageFor, refusalFor, speak, type Language } from "../src/strings";
import * as firstEnglish from "../src/strings/en";
import * as firstFrench from "../src/strings/fr";
import * as firstGerman from "../src/strings/de";
import { commands, groups, refusals, tools } from "../src/strings/server/fr";
import * as laterEnglish from "../src/strings/later/later-en";
import * as laterFrench from "../src/strings/later/later-fr";
import * as laterGerman from "../src/strings/later/later-de";

const english = { ...firstEnglish, ...laterEnglish };
const french = { ...firstFrench, ...laterFrench };
const german = { ...firstGerman, ...laterGerman };

/** What each key says when its placeholders are filled with marks that can be found again; numbers stay countable. */
function said(words: object, path = ""): Record<string, string> {
  return Object.entries(words).reduce<Record<string, string>>((all, [key, value]) => {
    const name = `${path}${key}`;
    if (typeof value === "string") return { ...all, [name]: value };
    if (typeof value === "function") return { ...all, [name]: (value as (...given: unknown[]) => string)(...MARKS.slice(0, value.length)) };
    return { ...all, ...said(value as object, `${name}.`) };
  }, {});
}

const MARKS = ["4711", "815"];
const marksIn = (text: string): string[] => MARKS.filter((mark) => text.includes(mark));

test.each([
  ["de", german],
  ["fr", french],
])("%s has every key, with the same placeholders and no empty words", (_tag, words) => {
  const [wanted, found] = [said(english), said(words)];

  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
  for (const [key, text] of Object.entries(wanted)) expect([key, marksIn(found[key]!)]).toEqual([key, marksIn(text)]);
  expect(Object.entries(found).filter(([, text]) => text.trim() === "")).toEqual([]);
});

test("a language is a translation, not a copy", () => {
  for (const words of [german, french]) {
    const [wanted, found] = [said(english), said(words)];
    const same = Object.keys(wanted).filter((key) => found[key] === wanted[key]);
    expect(same.length / Object.keys(wanted).length).toBeLessThan(0.15);
  }
});

test("French keeps its signs on the line of the word that they belong to", () => {
  const page = Object.values(said(french));
  const server = Object.values(said({ refusals, commands, tools, groups }));
  expect([...page, ...server].filter((text) => / [:;?!»…]|« /.test(text))).toEqual([]);
});

test.each([
  [["de-AT", "en"], "de"],
  [["pt-BR", "fr-CA", "en"], "fr"],
  [["constructor", "ja"], "en"],
  [[], "en"],
])("who reads %j is spoken to in %s", (read, spoken) => {
  expect(languageFor(read)).toBe(spoken);
  expect(Object.keys(LANGUAGES)).toContain(spoken);
});

/** The codes that the documentation says a person can meet. */
function documentedCodes(): string[] {
  const page = readFileSync(new URL("../../docs/http-api.md", import.meta.url), "utf8");
  const [, meets = ""] = /What a person can meet[^:]*:\n\n([^]*?)\n\n/.exec(page) ?? [];
  return [...meets.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code!);
}

afterEach(() => speak("en"));

test.each(["de", "fr"] satisfies Language[])("%s has a sentence for every code that a person can meet, with what the error brings", async (tag) => {
  await speak(tag);
  const facts = { most: 4711, name: "4711", retry_after_s: 4711, entry: 4711 };
  const telling = ["agent_not_found", "not_a_session", "too_many", "too_many_projects", "too_many_tasks", "unknown_command"];

  expect(documentedCodes().length).toBeGreaterThan(80);
  expect(documentedCodes().filter((code) => !refusalFor(code, facts)?.trim())).toEqual([]);
  expect(telling.filter((code) => !refusalFor(code, facts)!.includes("4711"))).toEqual([]);
  expect(refusalFor("constructor")).toBeNull();
});

test("a code without a sentence, and English, leave the server's own", async () => {
  expect(refusalFor("session_not_found")).toBeNull();
  await speak("de");
  expect(refusalFor("of_another_server")).toBeNull();
});
