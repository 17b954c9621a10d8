/** The language the page speaks: one that was chosen, or the first the browser's owner reads. */

import { app, LANGUAGES, languageFor, refusalFor, speak, type Language } from "../strings";
import { sentences } from "../wire/client";

export type LanguageWish = "system" | Language;

const KEY = "fireside.language";

class LanguageChoice {
  wish = $state<LanguageWish>(wished());
  /** What is spoken now; everything on the screen is drawn anew when it changes. */
  spoken = $state<Language>("en");

  async start(): Promise<void> {
    const wanted = this.#wanted();
    await speak(wanted);
    const { unreachable, unreadable, broken } = app;
    Object.assign(sentences, { unreachable, unreadable, broken, refusal: refusalFor });
    this.spoken = wanted;
  }

  async choose(wish: LanguageWish): Promise<void> {
    this.wish = wish;
    try {
      if (wish === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, wish);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    await this.start();
  }

  #wanted(): Language {
    return this.wish === "system" ? languageFor(navigator.languages) : this.wish;
  }
}

function wished(): LanguageWish {
  try {
    const kept = localStorage.getItem(KEY) ?? "";
    return Object.hasOwn(LANGUAGES, kept) ? (kept as Language) : "system";
  } catch {
    return "system";
  }
}

export const languageChoice = new LanguageChoice();
