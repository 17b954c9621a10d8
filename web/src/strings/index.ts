/** What the page says, in the language it speaks now. */

import type { Catalogue } from "./catalogue";
import type { LaterWords } from "./later/words";
import { SERVER_WORDS } from "./server";
import type { Facts, ServerWords } from "./server/words";

export type Language = keyof typeof CATALOGUES;

const CATALOGUES = {
  en: (): Promise<Catalogue> => import("./en"),
  de: (): Promise<Catalogue> => import("./de"),
  fr: (): Promise<Catalogue> => import("./fr"),
};

/** The words of what few people come to see. */
const LATER = {
  en: (): Promise<LaterWords> => import("./later/later-en"),
  de: (): Promise<LaterWords> => import("./later/later-de"),
  fr: (): Promise<LaterWords> => import("./later/later-fr"),
};

/** Each language by its own name for itself. */
export const LANGUAGES: Record<Language, string> = { en: "English", de: "Deutsch", fr: "Français" };

export let language: Language = "en";
export let ui: Catalogue["ui"];
export let app: Catalogue["app"];
export let sessions: Catalogue["sessions"];
export let chat: Catalogue["chat"];
export let composer: Catalogue["composer"];
export let attaching: Catalogue["attaching"];
export let costs: Catalogue["costs"];
export let signin: Catalogue["signin"];
export let find: Catalogue["find"];
export let commands: Catalogue["commands"];
export let palette: Catalogue["palette"];
export let shortcuts: Catalogue["shortcuts"];
export let beside: Catalogue["beside"];
export let filing: Catalogue["filing"];
export let queue: Catalogue["queue"];
export let trash: Catalogue["trash"];
export let asking: Catalogue["asking"];
export let work: Catalogue["work"];

/** There once `speakMore` is done, and from then on in every language that is spoken. */
export let mcp: LaterWords["mcp"];
export let skills: LaterWords["skills"];
export let sandbox: LaterWords["sandbox"];
export let settings: LaterWords["settings"];
export let modelList: LaterWords["modelList"];
export let chatSettings: LaterWords["chatSettings"];
export let carrying: LaterWords["carrying"];

let speaksMore = false;
let server: ServerWords = { refusals: {}, commands: {}, tools: {}, groups: {} };

/** Fetch the words of a language and speak it from then on; what stands on the screen has to be drawn anew. */
export async function speak(wanted: Language): Promise<void> {
  const [words, ofServer, more] = await Promise.all([CATALOGUES[wanted](), SERVER_WORDS[wanted](), speaksMore ? LATER[wanted]() : null]);
  server = ofServer;
  use(wanted, words);
  if (more) useMore(more);
}

/** A part of the page, together with the words of what few people come to see. */
export async function withMore<Part>(part: Promise<Part>): Promise<Part> {
  const [here] = await Promise.all([part, speakMore()]);
  return here;
}

/** Fetch the words of what few people come to see, in the language that is spoken now. */
export async function speakMore(): Promise<void> {
  if (speaksMore) return;
  const spoken = language;
  const more = await LATER[spoken]();
  if (spoken !== language) return speakMore();
  speaksMore = true;
  useMore(more);
}

/** The sentence for a code of the server, or null where the server's own is to be shown. */
export function refusalFor(code: string, facts: Facts = {}): string | null {
  const sentence = Object.hasOwn(server.refusals, code) ? server.refusals[code] : undefined;
  return (typeof sentence === "function" ? sentence(facts) : sentence) ?? null;
}

/** Speak with words that are there already. */
export function use(wanted: Language, words: Catalogue): void {
  language = wanted;
  ({ ui, app, sessions, chat, composer, attaching, costs, signin, find, commands, palette, shortcuts, beside, filing, queue, trash, asking, work } = words);
  if (globalThis.document) document.documentElement.lang = wanted;
}

/** What a command of the server is for and takes, where its own words are not to be shown. */
export function wordsOfCommand(name: string): { argument: string; help: string } | undefined {
  return Object.hasOwn(server.commands, name) ? server.commands[name] : undefined;
}

/** What a tool of the built-in agent does, where the server's own title is not to be shown. */
export function wordsOfTool(name: string): string | undefined {
  return Object.hasOwn(server.tools, name) ? server.tools[name] : undefined;
}

/** What models that belong to no provider are listed under, where the server's own heading is not to be shown. */
export function wordsOfGroup(kind: string): string | undefined {
  return Object.hasOwn(server.groups, kind) ? server.groups[kind] : undefined;
}

export function useMore(words: LaterWords): void {
  ({ mcp, skills, sandbox, settings, modelList, chatSettings, carrying } = words);
}

/** The first of the languages someone reads that the page speaks, else English. */
export function languageFor(read: readonly string[]): Language {
  const known = read.map((tag) => tag.toLowerCase().split("-")[0] ?? "").find((tag) => Object.hasOwn(LANGUAGES, tag));
  return (known as Language | undefined) ?? "en";
}
