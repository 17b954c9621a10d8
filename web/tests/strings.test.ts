/** Every language says everything, about the same things. */

import { expect, test } from "vitest";
import { LANGUAGES, languageFor } from "../src/strings";
import * as english from "../src/strings/en";
import * as french from "../src/strings/fr";
import * as german from "../src/strings/de";

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

test.each([
  [["de-AT", "en"], "de"],
  [["pt-BR", "fr-CA", "en"], "fr"],
  [["constructor", "ja"], "en"],
  [[], "en"],
])("who reads %j is spoken to in %s", (read, spoken) => {
  expect(languageFor(read)).toBe(spoken);
  expect(Object.keys(LANGUAGES)).toContain(spoken);
});
