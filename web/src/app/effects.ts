/** Doing what a command asks of the page. */

import { theme, type Theme } from "../state/theme.svelte";
import { app, commands as words, refusalFor } from "../strings";
import { sentenceOf } from "../wire/client";
import { saveAsFile } from "../wire/exporting";
import type { Effect } from "../wire/types";
import type { Home } from "./home.svelte";

/** What only the screen can do. */
export interface Hands {
  help(): void;
  chooseModel(): void;
}

/** Run the command in `line` and carry out what it brings. Answers why not, or null. */
export async function runLine(home: Home, line: string, hands: Hands): Promise<string | null> {
  const open = home.conversation;
  const isBlank = open?.status.phase === "blank";
  try {
    const effects = await home.commands.run(line, isBlank ? null : (open?.sessionId ?? null), open?.chosenModel ?? null);
    for (const effect of effects) await carryOut(effect, home, hands);
    return null;
  } catch (error) {
    return sentenceOf(error);
  }
}

async function carryOut(effect: Effect, home: Home, hands: Hands): Promise<void> {
  switch (effect.type) {
    case "open_session":
      home.router.go(effect.session_id ? `/s/${effect.session_id}` : "/");
      return home.show(home.router.place);
    case "follow_run":
    case "reload":
      if (home.conversation?.sessionId === effect.session_id) await home.conversation.lookAgain();
      return;
    case "compose":
      if (home.conversation) home.conversation.composed = effect.text;
      return;
    case "say":
      return home.toasts.say(refusalFor(effect.code, { ...effect }) ?? effect.message);
    case "show_aside":
    case "show_task":
      return; // the account's stream tells of it, in every tab
    case "do":
      return act(effect.action, effect.argument ?? "", home, hands);
  }
}

function act(action: "export" | "help" | "model" | "theme", argument: string, home: Home, hands: Hands): void {
  if (action === "help") hands.help();
  else if (action === "export") download(home, argument);
  else if (action === "theme") changeTheme(home, argument);
  else if (argument === "") hands.chooseModel();
  else chooseModel(home, argument);
}

function changeTheme(home: Home, wanted: string): void {
  const names = app.themes;
  const known = Object.keys(names) as Theme[];
  const name = wanted === "" ? known[(known.indexOf(theme.current) + 1) % known.length] : themeCalled(wanted);
  if (name) theme.choose(name);
  else home.toasts.say(words.unknownTheme(wanted, known.join(", ")));
}

function themeCalled(wanted: string): Theme | undefined {
  const entries = Object.entries(app.themes) as [Theme, string][];
  return entries.find(([id, name]) => id === wanted || name.toLowerCase() === wanted)?.[0];
}

function chooseModel(home: Home, wanted: string): void {
  const part = wanted.toLowerCase();
  const models = home.models.list;
  const found = models.find(({ id, name }) => id === wanted || name.toLowerCase() === part) ?? models.find(({ id, name }) => `${id} ${name}`.toLowerCase().includes(part));
  if (!found || !home.conversation) return home.toasts.say(words.unknownModel(wanted));
  home.conversation.chosenModel = found.id;
  home.toasts.say(words.chosenModel(found.name));
}

function download(home: Home, format: string): void {
  const sessionId = home.conversation?.sessionId;
  if (!sessionId) return;
  saveAsFile(sessionId, format);
  home.toasts.say(words.exporting);
}
